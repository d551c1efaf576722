// SPDX-License-Identifier: Apache-2.0

/// Who votes, and who only learns.
///
/// A change of voters goes through a *joint* configuration, in which the majorities of the old and
/// of the new voters have to agree separately (Ongaro's thesis, 4.3). A configuration counts from
/// the moment its entry is appended, and is taken back with the entry.
///
/// All lists are sorted and without duplicates. A learner is not among the voters; in a joint
/// configuration it may be among those that are leaving, and votes until it has left.
public struct Configuration: Sendable, Equatable {
    /// The voters; those to come, in a joint configuration.
    public internal(set) var voters: [ReplicaID]
    /// The voters that are about to leave or to stay; empty unless the configuration is joint.
    public internal(set) var outgoing: [ReplicaID]
    /// Replicas that get all entries and do not count.
    public internal(set) var learners: [ReplicaID]

    /// The most replicas that a configuration names.
    public static let membersMax = 32

    /// A configuration of these voters, or a joint one.
    public init(
        voters: [ReplicaID], outgoing: [ReplicaID] = [], learners: [ReplicaID] = []
    ) {
        self.voters = Self.sorted(voters)
        self.outgoing = Self.sorted(outgoing)
        self.learners = Self.sorted(learners).filter { !voters.contains($0) }
    }

    /// Whether two majorities are needed.
    public var isJoint: Bool { !outgoing.isEmpty }

    /// All that are named, sorted.
    public var members: [ReplicaID] { Self.sorted(voters + outgoing + learners) }

    /// Whether a replica counts in some majority.
    public func isVoter(_ id: ReplicaID) -> Bool { voters.contains(id) || outgoing.contains(id) }

    /// Whether a replica is named at all.
    public func contains(_ id: ReplicaID) -> Bool { isVoter(id) || learners.contains(id) }

    /// The joint configuration that leads from this one to another.
    func joined(with target: Configuration) -> Configuration {
        Configuration(voters: target.voters, outgoing: voters, learners: target.learners)
    }

    /// What a joint configuration leads to.
    var settled: Configuration { Configuration(voters: voters, learners: learners) }

    private static func sorted(_ ids: [ReplicaID]) -> [ReplicaID] {
        var sorted: [ReplicaID] = []
        for id in ids.sorted() where sorted.last != id { sorted.append(id) }
        return sorted
    }
}

extension Configuration: CustomStringConvertible {
    public var description: String {
        func list(_ ids: [ReplicaID]) -> String {
            "(" + ids.map(\.description).joined(separator: " ") + ")"
        }
        var text = list(voters)
        if isJoint { text += "&" + list(outgoing) }
        if !learners.isEmpty { text += " learners " + list(learners) }
        return text
    }
}
