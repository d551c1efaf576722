// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import Records
import SimulatedDisk
import Testing

@Suite("A replica's log")
struct ReplicaTests {
    private let now = ReplicaHarness.now

    @Test("shows nothing before its owner says that it is committed")
    func commit() throws {
        let harness = try ReplicaHarness()
        try harness.lead(3, 0..<5)
        try harness.log.sync()
        #expect(harness.log.highWatermark == .zero)
        #expect(harness.log.syncedIndex == LogIndex(6))
        harness.log.commit(upTo: LogIndex(1))
        #expect(harness.log.highWatermark == .zero, "a no-op has no offset")
        harness.log.commit(upTo: LogIndex(4))
        #expect(harness.log.highWatermark == Offset(3))
        #expect(try harness.numbers() == [0, 1, 2])
        harness.log.commit(upTo: LogIndex(2))
        #expect(harness.log.highWatermark == Offset(3), "it never falls")
        harness.log.checkInvariants()
    }

    @Test("gives an index and no offset to what has no records")
    func controlEntries() throws {
        let harness = try ReplicaHarness()
        try harness.lead(1, 0..<2)
        let index = try harness.log.appendControl(.configuration, payload: [7, 8], now: now)
        #expect(index == LogIndex(4))
        try harness.append(2..<4)
        #expect(harness.log.nextOffset == Offset(4))
        #expect(harness.log.lastIndex == LogIndex(6))
        harness.log.commit(upTo: LogIndex(6))
        #expect(try harness.numbers() == [0, 1, 2, 3])
        #expect(
            harness.log.lineage.configurations
                == [.init(index: LogIndex(4), payload: [7, 8])])
        let kinds = try harness.entries().map(\.kind)
        #expect(kinds == [.noOp, .batch, .batch, .configuration, .batch, .batch])
    }

    @Test(
        "keeps entries, terms and members over a restart, in many segments",
        arguments: [true, false])
    func reopen(isClean: Bool) throws {
        let harness = try ReplicaHarness { $0.segmentSizeMax = 600 }
        harness.log.beginTerm(Term(1))
        _ = try harness.log.appendControl(.configuration, payload: [1], now: now)
        try harness.lead(2, 0..<20)
        try harness.lead(5, 20..<40)
        _ = try harness.log.appendControl(.configuration, payload: [2], now: now)
        try harness.lead(6, 40..<60)
        let entries = try harness.entries()
        #expect(try harness.entries(bytesMax: 1) == entries)
        #expect(entries.count == 65)
        if isClean { try harness.log.close() } else { harness.disk.crashKeepingCache() }
        let again = try harness.reopened { $0.segmentSizeMax = 600 }
        #expect(again.log.recovery.wasClean == isClean)
        #expect(again.log.lineage == harness.log.lineage)
        #expect(again.log.lastTerm == Term(6))
        #expect(try again.entries() == entries)
        #expect(again.log.highWatermark == .zero)
        again.log.commit(upTo: LogIndex(30))
        #expect(again.log.highWatermark == Offset(27))
        #expect(try again.numbers() == Array(0..<27))
    }

    @Test("takes a leader's entries as they are")
    func replicated() throws {
        let leader = try ReplicaHarness()
        try leader.lead(4, 0..<50)
        let entries = try leader.entries()
        let follower = try ReplicaHarness(seed: 2) { $0.segmentSizeMax = 1000 }
        for start in stride(from: 0, to: entries.count, by: 7) {
            let row = entries[start..<min(start + 7, entries.count)]
            for entry in row { try entry.check() }
            try follower.log.append(replicated: row, now: now)
        }
        try follower.log.sync()
        #expect(follower.log.lastTerm == Term(4))
        #expect(try follower.entries() == entries)
        follower.log.commit(upTo: follower.log.lastIndex)
        #expect(try follower.numbers() == Array(0..<50))
    }

    @Test("takes back what is not committed, over several segments")
    func truncate() throws {
        for keep in [1, 2, 3, 9, 10, 11, 30, 50] as [UInt64] {
            let harness = try ReplicaHarness { $0.segmentSizeMax = 600 }
            try harness.lead(1, 0..<30)
            _ = try harness.log.appendControl(.configuration, payload: [9], now: now)
            try harness.log.sync()
            try harness.lead(2, 30..<60)
            let entries = try harness.entries()
            try harness.log.truncate(after: LogIndex(keep))
            #expect(harness.log.lastIndex == LogIndex(keep))
            #expect(try harness.entries() == Array(entries.prefix(Int(keep))))
            #expect(harness.log.lastTerm == Term(keep > 32 ? 2 : 1))
            #expect(harness.log.lineage.configurations.count == (keep >= 32 ? 1 : 0))
            let next = Int(harness.log.nextOffset.rawValue)
            try harness.lead(7, next..<(next + 25))
            try harness.log.sync()
            let all = try harness.entries()
            #expect(all.count == Int(keep) + 26)
            harness.disk.crash()
            let again = try harness.reopened { $0.segmentSizeMax = 600 }
            #expect(again.log.recovery.damages.isEmpty)
            #expect(try again.entries() == all)
            #expect(again.log.lineage == harness.log.lineage)
            again.log.commit(upTo: again.log.lastIndex)
            #expect(try again.numbers() == Array(0..<(next + 25)))
        }
    }
}
