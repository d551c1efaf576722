// SPDX-License-Identifier: Apache-2.0

/// The votes that a candidate has got so far.
struct Ballot: Sendable, Equatable {
    private(set) var granted: [ReplicaID] = []
    private(set) var refused: [ReplicaID] = []
    /// The version of the hard state that has to be saved before the candidate's own vote counts.
    var version: UInt64

    /// What came of an election.
    enum Outcome: Equatable { case open, won, lost }

    init(version: UInt64) { self.version = version }

    mutating func note(_ voter: ReplicaID, isGranted: Bool) {
        guard !granted.contains(voter), !refused.contains(voter) else { return }
        if isGranted { granted.append(voter) } else { refused.append(voter) }
    }

    /// What came of it so far: only voters of the configuration count, each majority by itself.
    func outcome(in configuration: Configuration) -> Outcome {
        let first = outcome(of: configuration.voters)
        guard configuration.isJoint else { return first }
        let second = outcome(of: configuration.outgoing)
        if first == .lost || second == .lost { return .lost }
        return first == .won && second == .won ? .won : .open
    }

    /// The same, with both sets of voters thrown together: what must never be asked.
    func outcomeOfUnion(in configuration: Configuration) -> Outcome {
        outcome(of: Configuration(voters: configuration.voters + configuration.outgoing).voters)
    }

    private func outcome(of voters: [ReplicaID]) -> Outcome {
        let majority = voters.count / 2 + 1
        if voters.count(where: { granted.contains($0) }) >= majority { return .won }
        let possible = voters.count(where: { !refused.contains($0) })
        return possible < majority ? .lost : .open
    }
}
