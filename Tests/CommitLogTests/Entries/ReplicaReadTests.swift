// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import Records
import SimulatedDisk
import Testing

/// What readers of records see of a log that has other frames as well: nothing of those.
@Suite("Readers of a replica's log")
struct ReplicaReadTests {
    private let now = ReplicaHarness.now

    /// Records 0 to 59 among no-ops and configurations, in many segments.
    private func mixed() throws -> ReplicaHarness {
        let harness = try ReplicaHarness {
            $0.segmentSizeMax = 900
            $0.indexInterval = 1
        }
        for term in 1...20 as ClosedRange<UInt64> {
            let first = Int(term - 1) * 3
            try harness.lead(term, first..<(first + 3))
            let payload = [UInt8](repeating: 9, count: Int(term) * 20)
            _ = try harness.log.appendControl(.configuration, payload: payload, now: now)
        }
        try harness.log.sync()
        try harness.log.markIdle()
        return harness
    }

    @Test("find offsets, times and terms between other frames", arguments: [false, true])
    func lookups(isReopened: Bool) throws {
        var harness = try mixed()
        if isReopened {
            try harness.log.close()
            harness = try harness.reopened { $0.segmentSizeMax = 900 }
        }
        harness.log.commit(upTo: harness.log.lastIndex)
        #expect(harness.log.highWatermark == Offset(60))
        let snapshot = harness.log.snapshot
        for offset in 0..<60 as Range<Int64> {
            let numbers = try LogHarness.numbers(snapshot, from: offset, bytesMax: 1)
            #expect(numbers == Array(Int(offset)..<60))
            #expect(try snapshot.term(at: Offset(offset)) == Term(UInt64(offset / 3) + 1))
            let found = try snapshot.firstRecord(
                atOrAfter: Timestamp(milliseconds: offset), inflatedSizeMax: 1 << 20)
            #expect(found?.offset == Offset(offset))
        }
        for term in 1...20 as ClosedRange<UInt64> {
            let end = try snapshot.endOffset(ofTerm: Term(term))
            #expect(end.term == Term(term))
            #expect(end.offset == Offset(Int64(term) * 3))
        }
        let newest = try snapshot.recordWithMaxTimestamp(inflatedSizeMax: 1 << 20)
        #expect(newest?.offset == Offset(59))
        // Every entry by its index.
        let all = try harness.entries()
        #expect(all.count == 100)
        for (number, entry) in all.enumerated() {
            let index = LogIndex(UInt64(number + 1))
            let found = try harness.log.entryReader().read(from: index, through: index, bytesMax: 1)
            #expect(found == [entry])
        }
    }

    @Test("see no record of an entry that is not committed")
    func tail() throws {
        let harness = try mixed()
        for index in 1...100 as ClosedRange<UInt64> {
            harness.log.commit(upTo: LogIndex(index))
            let records = harness.log.highWatermark.rawValue
            #expect(try harness.numbers() == Array(0..<Int(records)))
        }
        #expect(harness.log.highWatermark == Offset(60))
    }

    @Test("that hold a snapshot from before a truncation read what is committed")
    func staleSnapshot() throws {
        let harness = try ReplicaHarness { $0.segmentSizeMax = 1 << 20 }
        try harness.lead(1, 0..<100)
        harness.log.commit(upTo: LogIndex(50))
        let snapshot = harness.log.snapshot
        let reader = harness.log.entryReader()
        let entries = try harness.entries()
        try harness.log.truncate(after: LogIndex(50))
        #expect(try LogHarness.numbers(snapshot) == Array(0..<49))
        let found = try reader.read(from: LogIndex(1), through: LogIndex(50), bytesMax: 1 << 20)
        #expect(found == Array(entries.prefix(50)))
        #expect(reader.truncationCount < harness.log.truncationCount)
        try harness.lead(2, 49..<300)
        #expect(try LogHarness.numbers(snapshot) == Array(0..<49))
    }

    @Test("begin with what is known to be committed, and never with more than is there")
    func hint() throws {
        let harness = try mixed()
        for (hint, shown) in [(0, 0), (1, 0), (2, 1), (5, 3), (6, 3), (7, 4), (100, 60), (900, 60)]
        {
            let copy = ReplicaHarness(harness)
            let again = try copy.reopened(committedHint: LogIndex(UInt64(hint))) {
                $0.segmentSizeMax = 900
            }
            #expect(again.log.commitIndex == LogIndex(UInt64(min(hint, 100))))
            #expect(again.log.highWatermark == Offset(Int64(shown)))
        }
    }

    @Test("lose no entry that is not committed to retention")
    func retention() throws {
        let harness = try ReplicaHarness { $0.segmentSizeMax = 600 }
        try harness.lead(1, 0..<4)
        // Ends a segment without an offset of its own.
        try harness.lead(2, 4..<30)
        try harness.log.sync()
        for index in 1...harness.log.lastIndex.rawValue {
            harness.log.commit(upTo: LogIndex(index))
            try harness.log.deleteRecords(before: harness.log.highWatermark)
            #expect(harness.log.firstIndex <= LogIndex(index).next)
            harness.log.checkInvariants()
        }
    }
}
