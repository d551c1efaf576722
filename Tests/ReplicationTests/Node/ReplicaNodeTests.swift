// SPDX-License-Identifier: Apache-2.0

import CommitLog
import RaftCore
import Records
import Replication
import Testing

@Suite("A node's replicas")
struct ReplicaNodeTests {
    @Test("a group of one leads after one sync of the journal and one of the log")
    func alone() throws {
        let harness = NodeHarness(1)
        try harness.startAll()
        harness.turn(0) { node, wanted in
            _ = node.call(harness.group, into: &wanted) {
                $0.campaign(now: Timestamp(milliseconds: 1), into: &$1)
            }
        }
        harness.sync(0)
        #expect(harness.replica(0)?.raft.role == .leader)
        harness.sync(0)
        #expect(harness.leader == 0)
        #expect(harness.append("a", at: 0) == Offset(0))
        #expect(try harness.values(0).isEmpty)
        harness.sync(0)
        #expect(try harness.values(0) == ["a"])
    }

    @Test("what a leader commits is read from all three", arguments: [1, 3, 5])
    func replicated(count: Int) throws {
        let harness = NodeHarness(count)
        try harness.startAll()
        let leader = try #require(harness.elect())
        for number in 0..<20 { harness.append("r\(number)", at: leader) }
        harness.settle()
        harness.run(ticks: 4)
        for number in 0..<count {
            #expect(try harness.values(number) == (0..<20).map { "r\($0)" })
        }
    }

    @Test("what was committed survives the leader's power cut, and the leader comes back")
    func powerCut() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let first = try #require(harness.elect())
        for number in 0..<10 { harness.append("r\(number)", at: first) }
        harness.settle()
        // These reach nobody.
        harness.cut = [harness.ids[first].node]
        for number in 0..<5 { harness.append("lost\(number)", at: first) }
        harness.settle()
        harness.crash(first)
        let second = try #require(harness.elect())
        #expect(second != first)
        harness.append("after", at: second)
        harness.settle()
        harness.cut = []
        try harness.start(first)
        harness.run(ticks: 30)
        for number in 0..<3 {
            #expect(try harness.values(number) == (0..<10).map { "r\($0)" } + ["after"])
        }
    }

    @Test("a follower whose log ends before the leader's begins starts there")
    func snapshot() throws {
        let harness = NodeHarness(3)
        harness.logSettings.segmentSizeMax = 1024
        harness.logSettings.retentionSize = 2048
        harness.cacheBytesMax = 1
        harness.settings.tailEntriesMax = 4
        try harness.startAll()
        let leader = try #require(harness.elect())
        let behind = (leader + 1) % 3
        harness.cut = [harness.ids[behind].node]
        for number in 0..<60 {
            harness.append("r\(number)", at: leader)
            harness.settle()
        }
        harness.turn(leader) { node, wanted in
            _ = node.call(harness.group, into: &wanted) { replica, inner in
                replica.log.applyRetention(now: Timestamp(milliseconds: 10))
                replica.noteLogStart(now: Timestamp(milliseconds: 10), into: &inner)
            }
        }
        harness.settle()
        harness.turn(leader) { node, wanted in
            _ = node.call(harness.group, into: &wanted) { replica, inner in
                _ = replica.log.takeRemoval().map { $0.run() }
                replica.noteLogStart(now: Timestamp(milliseconds: 10), into: &inner)
            }
        }
        let start = try #require(harness.replica(leader)?.raft.startIndex)
        #expect(start > LogIndex(5))
        harness.cut = []
        harness.run(ticks: 60)
        #expect(harness.replica(behind)?.raft.startIndex == start)
        #expect(try harness.values(behind).last == "r59")
        let expected = try harness.values(leader)
        #expect(try harness.values(behind).suffix(expected.count) == expected[...])
    }

    @Test("a group that has nothing to do asks for no ticks, and wakes for an append")
    func quiet() throws {
        let harness = NodeHarness(3)
        harness.settings.quietTicks = 4
        try harness.startAll()
        let leader = try #require(harness.elect())
        harness.append("a", at: leader)
        harness.settle()
        harness.run(ticks: 20)
        for number in 0..<3 { #expect(harness.nodes[number]?.awakeCount == 0) }
        harness.append("b", at: leader)
        harness.settle()
        harness.run(ticks: 3)
        for number in 0..<3 { #expect(try harness.values(number) == ["a", "b"]) }
    }

    @Test("the silence of a quiet leader's node wakes its group, and somebody else leads")
    func lostNode() throws {
        let harness = NodeHarness(3)
        harness.settings.quietTicks = 4
        try harness.startAll()
        let first = try #require(harness.elect())
        harness.run(ticks: 20)
        harness.crash(first)
        harness.run(ticks: 60)
        let second = try #require(harness.leader)
        #expect(second != first)
    }
}
