// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk
import Testing

@Suite("A replica and its disk")
struct ReplicaDiskTests {
    private func names(_ range: Range<Int>) -> [String] { range.map { "r\($0)" } }

    private func hasFailed(_ harness: NodeHarness, _ number: Int) -> Bool {
        harness.outputs[number].contains { if case .failed = $0 { true } else { false } }
    }

    private func wasFull(_ harness: NodeHarness, _ number: Int) -> Bool {
        harness.outputs[number].contains { if case .diskFull = $0 { true } else { false } }
    }

    @Test("a follower whose disk is full takes nothing, and catches up when there is room")
    func fullFollower() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let leader = try #require(harness.elect())
        let follower = (leader + 1) % 3
        for name in names(0..<5) { harness.append(name, at: leader) }
        harness.run(ticks: 3)
        harness.disks[follower].faults.capacity = harness.disks[follower].usedSpace + 150
        for name in names(5..<25) {
            harness.append(name, at: leader)
            harness.settle()
        }
        harness.run(ticks: 10)
        #expect(wasFull(harness, follower))
        #expect(!hasFailed(harness, follower))
        #expect(try harness.values(leader) == names(0..<25))
        #expect(try harness.values(follower).count < 25)
        #expect(harness.leader == leader)
        harness.disks[follower].faults.capacity = 1 << 40
        harness.run(ticks: 30)
        #expect(try harness.values(follower) == names(0..<25))
    }

    @Test(
        "a leader whose disk is full takes nothing, loses nothing, and goes on when there is room")
    func fullLeader() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let first = try #require(harness.elect())
        harness.append("a", at: first)
        harness.settle()
        harness.disks[first].faults.capacity = harness.disks[first].usedSpace + 10
        #expect(harness.append("refused", at: first) == nil)
        #expect(wasFull(harness, first))
        #expect(!hasFailed(harness, first))
        harness.run(ticks: 10)
        harness.disks[first].faults.capacity = 1 << 40
        let second = try #require(harness.elect())
        #expect(harness.append("b", at: second) != nil)
        harness.run(ticks: 10)
        for number in 0..<3 { #expect(try harness.values(number) == ["a", "b"]) }
    }

    @Test("the first sync that fails ends a follower for good; the others go on")
    func failedSyncOfFollower() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let leader = try #require(harness.elect())
        let follower = (leader + 1) % 3
        harness.disks[follower].faults.pathPart = "/log/"
        harness.disks[follower].faults.sync = .onCall(1)
        harness.append("a", at: leader)
        harness.settle()
        #expect(hasFailed(harness, follower))
        // From here on its syncs would succeed.
        for name in names(0..<5) { harness.append(name, at: leader) }
        harness.run(ticks: 60)
        #expect(harness.leader == leader)
        #expect(try harness.values(leader) == ["a"] + names(0..<5))
        #expect(try harness.values((leader + 2) % 3) == ["a"] + names(0..<5))
        let reports = try #require(harness.replica(leader)?.raft.followers)
        let match = reports.first { $0.id == harness.ids[follower] }?.match
        #expect(try #require(match) <= LogIndex(1))
        // Opened anew it is whole again.
        harness.crash(follower)
        try harness.start(follower)
        harness.run(ticks: 30)
        #expect(try harness.values(follower) == ["a"] + names(0..<5))
    }

    @Test("the first sync that fails ends a leader; another one has all that was acknowledged")
    func failedSyncOfLeader() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let first = try #require(harness.elect())
        harness.append("a", at: first)
        harness.run(ticks: 3)
        harness.disks[first].faults.pathPart = "/log/"
        harness.disks[first].faults.sync = .onCall(1)
        harness.append("b", at: first)
        harness.settle()
        #expect(hasFailed(harness, first))
        harness.run(ticks: 80)
        let second = try #require(harness.leader)
        #expect(second != first)
        harness.append("c", at: second)
        harness.run(ticks: 5)
        let values = try harness.values(second)
        #expect(values.first == "a" && values.last == "c")
        #expect(try harness.values(3 - first - second) == values)
    }

    @Test("a sync that cannot even begin ends a leader, too")
    func failedBeginning() throws {
        let harness = NodeHarness(3)
        harness.logSettings.segmentSizeMax = 1024
        try harness.startAll()
        let first = try #require(harness.elect())
        // Every segment has its index saved, and a checkpoint, when a sync begins.
        harness.disks[first].faults.pathPart = "index"
        harness.disks[first].faults.write = .always
        for number in 0..<20 where harness.replica(first)?.log.failure == nil {
            harness.append("r\(number)", at: first)
            harness.settle()
        }
        #expect(harness.replica(first)?.log.failure != nil)
        harness.tick(first)
        #expect(hasFailed(harness, first))
        #expect(harness.replica(first)?.raft.role == .follower)
        harness.run(ticks: 80)
        let second = try #require(harness.leader)
        #expect(second != first)
        harness.append("after", at: second)
        harness.run(ticks: 4)
        #expect(try harness.values(second).last == "after")
    }

    @Test("relaxed replicas commit what a majority has written, before any sync")
    func relaxed() throws {
        let harness = NodeHarness(3)
        harness.isRelaxed = true
        try harness.startAll()
        let leader = try #require(harness.elect())
        harness.append("a", at: leader)
        harness.settle(syncing: [])
        #expect(try harness.values(leader) == ["a"])
        for number in 0..<3 {
            #expect(harness.replica(number)?.needsSync == true)
        }
        let strict = NodeHarness(3)
        try strict.startAll()
        let other = try #require(strict.elect())
        strict.append("a", at: other)
        strict.settle(syncing: [])
        #expect(try strict.values(other).isEmpty)
    }

    @Test("a leader whose own disk is slow commits with the others' syncs")
    func slowLeader() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let leader = try #require(harness.elect())
        harness.append("a", at: leader)
        harness.settle(syncing: (0..<3).filter { $0 != leader })
        #expect(try harness.values(leader) == ["a"])
        #expect(harness.replica(leader)?.needsSync == true)
    }

    @Test("a follower far behind is fed from the log where neither cache nor core remember")
    func storedSends() throws {
        let harness = NodeHarness(3)
        harness.cacheBytesMax = 1
        harness.settings.tailEntriesMax = 2
        harness.settings.messageEntriesMax = 3
        harness.logSettings.segmentSizeMax = 1024
        try harness.startAll()
        let leader = try #require(harness.elect())
        let behind = (leader + 1) % 3
        harness.cut = [harness.ids[behind].node]
        for name in names(0..<60) {
            harness.append(name, at: leader)
            harness.settle()
        }
        let before = harness.readCount
        harness.cut = []
        harness.run(ticks: 40)
        #expect(try harness.values(behind) == names(0..<60))
        #expect(harness.readCount > before)
        #expect(try #require(harness.replica(leader)?.log.segmentCount) > 2)
    }

    @Test("what was known to be committed is shown right after a restart, by the journal's hint")
    func commitHint() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let leader = try #require(harness.elect())
        for name in names(0..<10) { harness.append(name, at: leader) }
        harness.run(ticks: 4)
        // Another term is saved, and the hint with it.
        let next = (leader + 1) % 3
        harness.perform(.transfer(to: harness.ids[next]), at: leader)
        harness.run(ticks: 4)
        #expect(harness.leader == next)
        for number in 0..<3 {
            harness.crash(number)
            try harness.start(number)
            #expect(try #require(harness.replica(number)?.raft.commit) >= LogIndex(11))
            #expect(try harness.values(number) == names(0..<10))
        }
    }

    @Test("entries that are damaged on a follower's disk are fetched from the leader")
    func repaired() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        let leader = try #require(harness.elect())
        for name in names(0..<40) {
            harness.append(name, at: leader)
            harness.settle()
        }
        harness.run(ticks: 4)
        let follower = (leader + 1) % 3
        harness.nodes[follower] = nil
        harness.disks[follower].crashKeepingCache()
        let store = try #require(
            try harness.disks[follower].list("/store/log").first { $0.hasSuffix(".store") })
        #expect(harness.disks[follower].flipBit("/store/log/" + store, at: 2000))
        try harness.start(follower)
        #expect(harness.replica(follower)?.log.damagedEntries.isEmpty == false)
        harness.run(ticks: 60)
        #expect(harness.replica(follower)?.log.damagedEntries.isEmpty == true)
        #expect(try harness.values(follower) == names(0..<40))
        #expect(!hasFailed(harness, follower))
        harness.append("after", at: try #require(harness.leader))
        harness.run(ticks: 4)
        #expect(try harness.values(follower) == names(0..<40) + ["after"])
    }

    @Test("a snapshot that the disk has no room for is installed when there is room")
    func snapshotWithoutRoom() throws {
        let harness = try behindTheStart()
        let behind = try #require(harness.cut.first).advanced(by: -1)
        let number = Int(behind)
        let leader = try #require(harness.leader)
        harness.disks[number].faults.capacity = harness.disks[number].usedSpace
        harness.cut = []
        harness.run(ticks: 10)
        #expect(wasFull(harness, number))
        #expect(harness.replica(number)?.raft.startIndex == .zero)
        harness.disks[number].faults.capacity = 1 << 40
        harness.run(ticks: 60)
        #expect(harness.replica(number)?.raft.startIndex != .zero)
        #expect(try harness.values(number) == harness.values(leader))
    }

    @Test("a snapshot names an index and an offset that belong together, or is not sent")
    func snapshotWhileTheStartMoves() throws {
        let harness = try behindTheStart()
        let number = Int(try #require(harness.cut.first)) - 1
        let leader = try #require(harness.leader)
        let log = try #require(harness.replica(leader)?.log)
        let told = try #require(harness.replica(leader)?.raft.startIndex)
        try log.deleteRecords(before: Offset(log.highWatermark.rawValue - 10))
        #expect(log.firstIndex.previous > told)
        harness.cut = []
        harness.run(ticks: 20)
        #expect(harness.replica(number)?.raft.startIndex == .zero)
        harness.turn(leader) { node, wanted in
            _ = node.call(harness.group, into: &wanted) {
                $0.noteLogStart(now: Timestamp(milliseconds: 10), into: &$1)
            }
        }
        harness.run(ticks: 60)
        let replica = try #require(harness.replica(number))
        #expect(replica.raft.startIndex == log.firstIndex.previous)
        #expect(replica.log.startOffset == log.startOffset)
        #expect(replica.log.highWatermark == log.highWatermark)
    }

    /// A group one of whose followers hears nothing, while retention removes what it lacks.
    private func behindTheStart() throws -> NodeHarness {
        let harness = NodeHarness(3)
        harness.logSettings.segmentSizeMax = 1024
        harness.logSettings.retentionSize = 4096
        harness.cacheBytesMax = 1
        harness.settings.tailEntriesMax = 4
        try harness.startAll()
        let leader = try #require(harness.elect())
        harness.cut = [harness.ids[(leader + 1) % 3].node]
        for name in names(0..<80) {
            harness.append(name, at: leader)
            harness.settle()
        }
        // Until the silent one is not waited for any more.
        harness.run(ticks: 40)
        harness.turn(leader) { node, wanted in
            _ = node.call(harness.group, into: &wanted) {
                $0.applyRetention(now: Timestamp(milliseconds: 10), into: &$1)
            }
        }
        harness.settle()
        #expect(try #require(harness.replica(leader)?.raft.startIndex) > LogIndex(5))
        return harness
    }
}
