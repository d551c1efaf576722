// SPDX-License-Identifier: Apache-2.0

/// What gossip tells of a member.
public enum MemberEvent: Sendable, Equatable {
    /// It takes part, for the first time or again.
    case joined(ClusterMember)
    /// It says other things of itself.
    case updated(ClusterMember)
    /// It has said that it will leave.
    case leaving(ClusterMember)
    /// It has left as it should.
    case left(ClusterMember)
    /// It answers no more.
    case failed(ClusterMember)
    /// It was gone for so long that it is forgotten.
    case removed(ClusterMember)

    /// The member as it is now; as it was, where it is forgotten.
    public var member: ClusterMember {
        switch self {
        case .joined(let member), .updated(let member), .leaving(let member), .left(let member),
            .failed(let member), .removed(let member):
            member
        }
    }

    /// The event that says what became of a member.
    ///
    /// - Parameter isNew: Whether the member was not there, or not alive, before.
    init(_ member: ClusterMember, isNew: Bool) {
        switch member.status {
        case .alive: self = isNew ? .joined(member) : .updated(member)
        case .leaving: self = .leaving(member)
        case .left: self = .left(member)
        case .failed: self = .failed(member)
        }
    }
}
