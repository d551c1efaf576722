// SPDX-License-Identifier: Apache-2.0

import CommitLog
import RaftCore
import Records
import Replication
import Testing

@Suite("A group whose members change")
struct ReplicaMembersTests {
    private func changeEnds(_ harness: NodeHarness, _ number: Int) -> [ChangeRefusal?] {
        harness.outputs[number].compactMap { output -> ChangeRefusal?? in
            if case .changeEnded(let refusal) = output { .some(refusal) } else { nil }
        }
    }

    @Test("a learner gets all entries, is promoted, and a voter leaves")
    func learnerPromoted() throws {
        let harness = NodeHarness(4)
        harness.votersAtFirst = 3
        try harness.startAll()
        let leader = try #require(harness.elect())
        for number in 0..<10 { harness.append("r\(number)", at: leader) }
        harness.settle()
        let voters = Array(harness.ids[..<3])
        let newcomer = harness.ids[3]
        harness.perform(.changeMembers(voters: voters + [newcomer], learners: []), at: leader)
        #expect(changeEnds(harness, leader) == [.notCaughtUp(newcomer)])

        harness.perform(.changeMembers(voters: voters, learners: [newcomer]), at: leader)
        harness.run(ticks: 30)
        #expect(changeEnds(harness, leader).last == .some(nil))
        #expect(try harness.values(3) == (0..<10).map { "r\($0)" })
        #expect(harness.replica(3)?.raft.configuration.learners == [newcomer])

        let leaving = (leader + 1) % 3
        let staying = voters.filter { $0 != harness.ids[leaving] }
        harness.perform(.changeMembers(voters: staying + [newcomer], learners: []), at: leader)
        harness.run(ticks: 30)
        #expect(changeEnds(harness, leader).count == 3)
        #expect(changeEnds(harness, leader).last == .some(nil))
        let now = Configuration(voters: staying + [newcomer])
        for number in 0..<4 where number != leaving {
            #expect(harness.replica(number)?.raft.configuration == now)
        }
        // Who has left is not needed, and does not disturb.
        harness.append("after", at: leader)
        harness.cut = [harness.ids[(0..<3).first { $0 != leader && $0 != leaving } ?? 0].node]
        harness.run(ticks: 60)
        #expect(harness.leader == leader)
        #expect(try harness.values(leader).last == "after")
        #expect(try harness.values(3).last == "after")
        #expect(harness.replica(leaving)?.raft.role == .follower)
    }

    @Test("members are remembered through a restart, from the log alone")
    func remembered() throws {
        let harness = NodeHarness(4)
        harness.votersAtFirst = 3
        try harness.startAll()
        let leader = try #require(harness.elect())
        harness.perform(
            .changeMembers(voters: Array(harness.ids[..<3]), learners: [harness.ids[3]]), at: leader
        )
        harness.run(ticks: 20)
        for number in 0..<4 {
            harness.crash(number)
            try harness.start(number)
            #expect(harness.replica(number)?.raft.configuration.learners == [harness.ids[3]])
        }
        #expect(harness.elect() != 3)
    }

    @Test("a transfer hands leadership to whom it names, and nothing is lost")
    func transfer() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let first = try #require(harness.elect())
        let second = (first + 2) % 3
        harness.append("a", at: first)
        harness.perform(.transfer(to: harness.ids[second]), at: first)
        // While it is handed on, nothing is taken.
        #expect(harness.append("refused", at: first) == nil)
        harness.settle()
        #expect(harness.leader == second)
        let wasTold = harness.outputs[first].contains {
            if case .transferEnded = $0 { true } else { false }
        }
        #expect(wasTold)
        harness.append("b", at: second)
        harness.run(ticks: 4)
        for number in 0..<3 { #expect(try harness.values(number) == ["a", "b"]) }
    }

    @Test("a read is answered with what was committed, by a leader that others confirm")
    func readIndex() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let leader = try #require(harness.elect())
        harness.append("a", at: leader)
        harness.settle()
        let commit = try #require(harness.replica(leader)?.raft.commit)
        harness.perform(.read(ReadID(1)), at: leader)
        #expect(reads(harness, leader).isEmpty)
        harness.run(ticks: 2)
        #expect(reads(harness, leader) == [commit])
        // Alone it cannot know, and says so in the end.
        harness.cut = [harness.ids[leader].node]
        harness.perform(.read(ReadID(2)), at: leader)
        harness.run(ticks: 40)
        #expect(reads(harness, leader) == [commit])
        let hasFailed = harness.outputs[leader].contains {
            if case .readFailed(ReadID(2)) = $0 { true } else { false }
        }
        #expect(hasFailed)
    }

    private func reads(_ harness: NodeHarness, _ number: Int) -> [LogIndex] {
        harness.outputs[number].compactMap {
            if case .readReady(_, let index) = $0 { index } else { nil }
        }
    }
}
