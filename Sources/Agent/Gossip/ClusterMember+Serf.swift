// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import Membership
internal import SerfCore
internal import SerfWire
internal import SwimCore

extension ClusterMember {
    /// A member as Serf knows it.
    ///
    /// - Parameters:
    ///   - now: The moment of Serf's clock.
    ///   - wall: The time at that moment, in milliseconds since the Unix epoch.
    init(_ member: Member, now: Moment, wall: Int64) {
        self.init(
            name: member.name, address: "\(member.endpoint)", status: .init(member.status),
            since: wall - now.duration(since: member.since).milliseconds,
            tags: member.tags.map { Tag($0.key, $0.value) })
    }
}

extension ClusterMember.Status {
    init(_ status: MemberStatus) {
        switch status {
        case .alive: self = .alive
        case .leaving: self = .leaving
        case .left: self = .left
        case .failed: self = .failed
        }
    }
}

extension SerfEvent {
    /// What the event tells of members; nothing for events of other kinds.
    func memberEvents(_ translate: (Member) -> ClusterMember) -> [MemberEvent] {
        switch self {
        case .joined(let members): members.map { .joined(translate($0)) }
        case .left(let members): members.map { .left(translate($0)) }
        case .failed(let members): members.map { .failed(translate($0)) }
        case .updated(let members): members.map { .updated(translate($0)) }
        case .reaped(let members): members.map { .removed(translate($0)) }
        case .user, .query: []
        }
    }
}
