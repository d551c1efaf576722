// SPDX-License-Identifier: Apache-2.0

import Positions
import RaftCore
import Testing

@testable import Simulation

@Suite("The oracle of simulated clusters refuses")
struct ClusterOracleTests {
    private static let members = Configuration(voters: [
        ReplicaID(node: 1), ReplicaID(node: 2), ReplicaID(node: 3),
    ])

    /// Three logs with an entry of term 1, which the first has committed as leader.
    private static func beginning() throws -> ClusterOracle {
        var oracle = ClusterOracle(trustsStartMembers: true)
        oracle.logs = Array(repeating: ShadowLog(members: members), count: 3)
        for slot in 0..<3 { try oracle.add(entry(1), at: LogIndex(1), to: slot) }
        try oracle.promised(
            .candidacy(Term(1), isTransfer: true), by: ReplicaID(node: 1), 0, durable: .zero)
        try oracle.promised(
            .vote(ReplicaID(node: 1), Term(1)), by: ReplicaID(node: 2), 1, durable: .zero)
        try lead(&oracle, 0, Term(1))
        _ = try oracle.commits(0, upTo: LogIndex(1))
        return oracle
    }

    private static func lead(_ oracle: inout ClusterOracle, _ slot: Int, _ term: Term) throws {
        let id = ReplicaID(node: UInt64(slot) + 1)
        oracle.logs[slot].report = RoleReport(role: .leader, term: term, leader: id)
        try oracle.elected(slot, id, in: term)
    }

    private static func entry(
        _ term: UInt64, value: UInt64 = 7, offset: Int64 = 0, _ members: Configuration? = nil
    ) -> EntryContent {
        EntryContent(
            term: Term(term), value: value, count: 1, baseOffset: offset, configuration: members)
    }

    private static func state(
        term: UInt64 = 1, commit: UInt64 = 1, last: UInt64 = 1, start: UInt64 = 0
    ) -> NodeState {
        NodeState(
            role: .follower, term: Term(term), vote: nil, leader: nil, commit: LogIndex(commit),
            lastIndex: LogIndex(last), startIndex: LogIndex(start), isReady: false, isQuiet: false)
    }

    @Test("nothing of a run that is as it should be")
    func accept() throws {
        var oracle = try Self.beginning()
        _ = try oracle.commits(1, upTo: LogIndex(1))
        try oracle.check(1, Self.state(), isFresh: false)
        try oracle.acknowledged(LogIndex(1), Term(1), offset: 0, value: 7, count: 1)
    }

    @Test("two leaders of a term")
    func twoLeaders() throws {
        var oracle = try Self.beginning()
        #expect(throws: Violation.self) { try Self.lead(&oracle, 1, Term(1)) }
    }

    @Test("a leader without the votes of a majority")
    func leaderWithoutVotes() throws {
        var oracle = try Self.beginning()
        #expect(throws: Violation.self) { try Self.lead(&oracle, 1, Term(2)) }
    }

    @Test("a second vote in a term")
    func secondVote() throws {
        var oracle = try Self.beginning()
        #expect(throws: Violation.self) {
            try oracle.promised(
                .vote(ReplicaID(node: 3), Term(1)), by: ReplicaID(node: 2), 1, durable: .zero)
        }
    }

    @Test("a campaign that no majority would vote for")
    func campaignOutOfTheBlue() throws {
        var oracle = try Self.beginning()
        #expect(throws: Violation.self) {
            try oracle.promised(
                .candidacy(Term(9), isTransfer: false), by: ReplicaID(node: 3), 2, durable: .zero)
        }
    }

    @Test("a leader that lacks what was committed")
    func incompleteLeader() throws {
        var oracle = try Self.beginning()
        try oracle.cut(2, from: LogIndex(1))
        try oracle.promised(
            .candidacy(Term(2), isTransfer: true), by: ReplicaID(node: 3), 2, durable: .zero)
        try oracle.promised(
            .vote(ReplicaID(node: 3), Term(2)), by: ReplicaID(node: 2), 1, durable: .zero)
        #expect(throws: Violation.self) { try Self.lead(&oracle, 2, Term(2)) }
    }

    @Test("entries of equal index and term that differ")
    func differentEntries() throws {
        var oracle = try Self.beginning()
        try oracle.add(Self.entry(1, value: 8, offset: 1), at: LogIndex(2), to: 0)
        #expect(throws: Violation.self) {
            try oracle.add(Self.entry(1, value: 9, offset: 1), at: LogIndex(2), to: 1)
        }
    }

    @Test("an offset that is given twice, or left out", arguments: [0, 2] as [Int64])
    func sparseOffsets(_ offset: Int64) throws {
        var oracle = try Self.beginning()
        #expect(throws: Violation.self) {
            try oracle.add(Self.entry(1, offset: offset), at: LogIndex(2), to: 0)
        }
    }

    @Test("a term that falls along a log")
    func fallingTerm() throws {
        var oracle = try Self.beginning()
        #expect(throws: Violation.self) {
            try oracle.add(Self.entry(0, offset: 1), at: LogIndex(2), to: 0)
        }
    }

    @Test("another entry at a committed index")
    func otherCommit() throws {
        var oracle = try Self.beginning()
        try oracle.cut(1, from: LogIndex(1))
        try oracle.add(Self.entry(2, value: 8), at: LogIndex(1), to: 1)
        #expect(throws: Violation.self) { _ = try oracle.commits(1, upTo: LogIndex(1)) }
    }

    @Test("a follower that commits before any leader")
    func earlyCommit() throws {
        var oracle = try Self.beginning()
        try oracle.add(Self.entry(1, offset: 1), at: LogIndex(2), to: 1)
        #expect(throws: Violation.self) { _ = try oracle.commits(1, upTo: LogIndex(2)) }
    }

    @Test("an entry of an older term that is committed by counting")
    func oldTermCommit() throws {
        var oracle = try Self.beginning()
        try oracle.add(Self.entry(1, value: 8, offset: 1), at: LogIndex(2), to: 0)
        oracle.logs[0].report.term = Term(2)
        #expect(throws: Violation.self) { _ = try oracle.commits(0, upTo: LogIndex(2)) }
    }

    @Test("a commit index that falls, and a cut of what is committed")
    func fallingCommit() throws {
        var oracle = try Self.beginning()
        #expect(throws: Violation.self) { _ = try oracle.commits(0, upTo: .zero) }
        #expect(throws: Violation.self) { try oracle.cut(0, from: LogIndex(1)) }
        #expect(throws: Violation.self) {
            try oracle.check(0, Self.state(commit: 0), isFresh: false)
        }
    }

    @Test("an acknowledgement of what is not durable, and one of another leader's entry")
    func earlyAcknowledgement() throws {
        var oracle = try Self.beginning()
        let two = ReplicaID(node: 2)
        #expect(throws: Violation.self) {
            try oracle.promised(.match(LogIndex(1), Term(1)), by: two, 1, durable: .zero)
        }
        try oracle.cut(1, from: LogIndex(1))
        try oracle.add(Self.entry(0, value: 8), at: LogIndex(1), to: 1)
        #expect(throws: Violation.self) {
            try oracle.promised(.match(LogIndex(1), Term(1)), by: two, 1, durable: LogIndex(1))
        }
    }

    @Test("a restart that forgets an entry or a term that was promised")
    func forgetfulRestart() throws {
        var oracle = try Self.beginning()
        try oracle.promised(
            .match(LogIndex(1), Term(1)), by: ReplicaID(node: 2), 1, durable: LogIndex(1))
        let before = oracle.logs[1]
        let start = LogStart(index: .zero, term: .zero, offset: 0)
        try oracle.restarts(1, at: start, members: Self.members)
        #expect(throws: Violation.self) {
            try oracle.restarted(1, Self.state(commit: 0, last: 0), before: before)
        }
        try oracle.add(Self.entry(1), at: LogIndex(1), to: 1)
        #expect(throws: Violation.self) {
            try oracle.restarted(1, Self.state(term: 0, commit: 0), before: before)
        }
        try oracle.restarted(1, Self.state(commit: 0), before: before)
    }

    @Test("members that change by a leap, or before the change before is committed")
    func leapingMembers() throws {
        var oracle = try Self.beginning()
        let two = Configuration(voters: [ReplicaID(node: 2)])
        #expect(throws: Violation.self) {
            try oracle.add(Self.entry(1, offset: 1, two), at: LogIndex(2), to: 0)
        }
        oracle = try Self.beginning()
        let joint = Configuration(voters: two.voters, outgoing: Self.members.voters)
        try oracle.add(Self.entry(1, offset: 1, joint), at: LogIndex(2), to: 0)
        try oracle.add(Self.entry(1, offset: 2, two), at: LogIndex(3), to: 0)
        #expect(throws: Violation.self) { try oracle.appendedConfiguration(0) }
    }

    @Test("a log that begins behind what is not committed")
    func earlyRetention() throws {
        var oracle = try Self.beginning()
        try oracle.add(Self.entry(1, offset: 1), at: LogIndex(2), to: 0)
        #expect(throws: Violation.self) {
            try oracle.startMoved(0, to: LogStart(index: LogIndex(2), term: Term(1), offset: 2))
        }
    }

    @Test("an acknowledgement to a caller whose batch is not there")
    func falseAcknowledgement() throws {
        let oracle = try Self.beginning()
        #expect(throws: Violation.self) {
            try oracle.acknowledged(LogIndex(2), Term(1), offset: 1, value: 7, count: 1)
        }
        #expect(throws: Violation.self) {
            try oracle.acknowledged(LogIndex(1), Term(1), offset: 0, value: 8, count: 1)
        }
    }
}
