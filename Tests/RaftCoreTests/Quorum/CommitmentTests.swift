// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@testable import RaftCore

@Suite("What is committed")
struct CommitmentTests {
    /// The highest number that more than half have reached, by trying them all.
    private func slowly(_ numbers: [UInt64]) -> UInt64 {
        (0...10).map(UInt64.init).filter { candidate in
            candidate == 0 || numbers.count { $0 >= candidate } * 2 > numbers.count
        }.max() ?? 0
    }

    @Test("is what more than half have, whatever the order", arguments: 1...9)
    func majority(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        for _ in 0..<2000 {
            let numbers = (0..<count).map { _ in UInt64.random(in: 0...10, using: &random) }
            #expect(Commitment.reached(byMajorityOf: numbers) == slowly(numbers), "\(numbers)")
        }
    }

    @Test("is what both majorities have in a joint configuration")
    func joint() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<2000 {
            let new = (0..<3).map { _ in UInt64.random(in: 0...10, using: &random) }
            let old = (0..<5).map { _ in UInt64.random(in: 0...10, using: &random) }
            #expect(
                Commitment.reached(voters: new, outgoing: old) == min(slowly(new), slowly(old)))
        }
    }

    @Test("is never an older term's entry by itself, falls never, and ends with the leader's log")
    func rules() {
        let all = Commitment(voters: [7, 7, 7], outgoing: [], firstOfTerm: 8, last: 9)
        #expect(all.index(after: 3) == 3)
        let own = Commitment(voters: [8, 8, 2], outgoing: [], firstOfTerm: 8, last: 9)
        #expect(own.index(after: 3) == 8)
        let lower = Commitment(voters: [4, 4, 4], outgoing: [], firstOfTerm: 1, last: 9)
        #expect(lower.index(after: 6) == 6)
        let beyond = Commitment(voters: [20, 20, 20], outgoing: [], firstOfTerm: 1, last: 9)
        #expect(beyond.index(after: 6) == 9)
    }

    @Test("an election is won by both majorities, and lost by either")
    func elections() {
        let joint = Configuration(
            voters: [1, 2, 3].map { ReplicaID(node: $0) },
            outgoing: [3, 4, 5].map { ReplicaID(node: $0) })
        func outcome(yes: [UInt64], no: [UInt64]) -> Ballot.Outcome {
            var ballot = Ballot(version: 0)
            for id in yes { ballot.note(ReplicaID(node: id), isGranted: true) }
            for id in no { ballot.note(ReplicaID(node: id), isGranted: false) }
            return ballot.outcome(in: joint)
        }
        #expect(outcome(yes: [1, 2, 3], no: []) == .open)
        #expect(outcome(yes: [1, 3, 4], no: []) == .won)
        #expect(outcome(yes: [1, 2, 3], no: [4, 5]) == .lost)
        #expect(outcome(yes: [1, 2, 9], no: [8]) == .open)
    }
}
