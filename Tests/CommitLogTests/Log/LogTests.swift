// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import Records
import SimulatedDisk
import Testing

@Suite("A log")
struct LogTests {
    private let now = Timestamp(milliseconds: 1_000_000)

    @Test("gives dense offsets and reads them back from any of them")
    func readsFromAnyOffset() throws {
        let harness = try LogHarness()
        try harness.append(0..<200)
        #expect(harness.log.snapshot.segmentCount > 3)
        #expect(harness.log.nextOffset == Offset(200))
        for start in [0, 1, 57, 133, 199, 200] {
            #expect(try harness.numbers(from: Int64(start)) == Array(start..<200))
        }
    }

    @Test("serves the first batch whole, however small the limit")
    func firstBatchComesWhole() throws {
        let harness = try LogHarness()
        _ = harness.log.append([LogHarness.batch(0, count: 50, size: 100)], now: now)
        try harness.log.sync()
        let batches = try harness.log.snapshot.read(
            from: Offset(30), bytesMax: 1, verifying: true
        ).batches
        #expect(batches.slices.count == 1)
        #expect(batches.nextOffset == Offset(50))
    }

    @Test("puts a batch that is larger than a segment into one of its own")
    func oversizedBatch() throws {
        let harness = try LogHarness()
        try harness.append(0..<3)
        let result = harness.log.append([LogHarness.batch(3, count: 1, size: 20_000)], now: now)
        #expect(result.failure == nil)
        try harness.log.sync()
        try harness.append(4..<6)
        #expect(try harness.numbers() == Array(0..<6))
    }

    @Test("shows nothing that is not synced, and all of it once it is")
    func showsSyncedOnly() throws {
        let harness = try LogHarness()
        _ = harness.log.append([LogHarness.batch(0, count: 3)], now: now)
        #expect(harness.log.highWatermark == .zero)
        let ticket = try #require(try harness.log.beginSync())
        _ = harness.log.append([LogHarness.batch(3, count: 2)], now: now)
        harness.log.endSync(ticket, ticket.run())
        #expect(harness.log.highWatermark == Offset(3))
        try harness.log.sync()
        #expect(try harness.numbers() == [0, 1, 2, 3, 4])
    }

    @Test("shows what is written when the rule says so, under a term that is durable")
    func showsWritten() throws {
        let harness = try LogHarness { $0.commitRule = .whenWritten }
        _ = harness.log.append([LogHarness.batch(0, count: 3)], now: now)
        #expect(harness.log.highWatermark == Offset(3))
        let term = harness.log.term
        harness.disk.crash()
        let again = try LogHarness(disk: harness.disk, seed: 2) { $0.commitRule = .whenWritten }
        #expect(again.log.term > term)
    }

    @Test("refuses offsets outside of it and says which are inside")
    func outOfRange() throws {
        let harness = try LogHarness()
        try harness.append(0..<5)
        #expect(throws: LogError.offsetOutOfRange(Offset(6), valid: 0..<5)) {
            try harness.log.snapshot.read(from: Offset(6), bytesMax: 100, verifying: true)
        }
        let nothing = try harness.log.snapshot.read(
            from: Offset(5), bytesMax: 100, verifying: true
        ).batches
        #expect(nothing.isEmpty)
        #expect(nothing.nextOffset == Offset(5))
    }

    @Test("finds the record at or after a time, whatever the order of times")
    func findsTimes() throws {
        let harness = try LogHarness()
        try harness.append(0..<150)
        let snapshot = harness.log.snapshot
        for time in [0, 1, 77, 149] {
            let found = try snapshot.firstRecord(
                atOrAfter: Timestamp(milliseconds: Int64(time)), inflatedSizeMax: 1 << 20)
            #expect(found?.offset == Offset(Int64(time)))
        }
        let none = try snapshot.firstRecord(
            atOrAfter: Timestamp(milliseconds: 150), inflatedSizeMax: 1 << 20)
        #expect(none == nil)
    }

    @Test("finds the record inside of a batch, not the batch")
    func findsRecordInBatch() throws {
        let harness = try LogHarness()
        _ = harness.log.append([LogHarness.batch(10, count: 20)], now: now)
        try harness.log.sync()
        let found = try harness.log.snapshot.firstRecord(
            atOrAfter: Timestamp(milliseconds: 17), inflatedSizeMax: 1 << 20)
        #expect(found?.offset == Offset(7))
        #expect(found?.timestamp == Timestamp(milliseconds: 17))
    }

    @Test("answers reads without an index, and makes it anew")
    func rebuildsIndexes() throws {
        let harness = try LogHarness()
        try harness.append(0..<200)
        for path in try harness.files("index") { try harness.disk.remove(path) }
        let result = try harness.log.snapshot.read(
            from: Offset(20), bytesMax: 100, verifying: true)
        let damaged = try #require(result.damagedIndex)
        #expect(try harness.numbers(from: 20) == Array(20..<200))
        try harness.log.rebuildIndex(of: damaged)
        let again = try harness.log.snapshot.read(
            from: Offset(20), bytesMax: 100, verifying: true)
        #expect(again.damagedIndex == nil)
    }

    @Test("never believes an index of zeros or of another file")
    func distrustsIndexes() throws {
        let harness = try LogHarness()
        try harness.append(0..<200)
        for path in try harness.files("index") {
            harness.disk.mutate(path) { $0 = [UInt8](repeating: 0, count: $0.count) }
        }
        #expect(try harness.numbers(from: 33) == Array(33..<200))
    }

    @Test("closes an old segment, but never an empty one")
    func rollsByAge() throws {
        let harness = try LogHarness { $0.segmentAgeMax = 1000 }
        try harness.log.rollIfOld(now: Timestamp(milliseconds: 9_000_000))
        #expect(harness.log.snapshot.segmentCount == 1)
        try harness.append(0..<2)
        try harness.log.rollIfOld(now: Timestamp(milliseconds: 9_000_000))
        #expect(harness.log.snapshot.segmentCount == 2)
        try harness.log.sync()
        #expect(try harness.numbers() == [0, 1])
    }

    @Test("removes what retention by age no longer keeps, and readers keep their segment")
    func retainsByAge() throws {
        let harness = try LogHarness { $0.retentionAge = 100 }
        try harness.append(0..<200)
        let before = harness.log.snapshot
        harness.log.applyRetention(now: Timestamp(milliseconds: 250))
        let start = harness.log.logStartOffset
        #expect(start > .zero && start <= Offset(150))
        let early = harness.log.takeRemoval()
        #expect(early?.segmentCount == nil, "not before the log start is durable")
        try harness.log.sync()
        let removal = try #require(harness.log.takeRemoval())
        #expect(throws: Never.self) { try removal.run().get() }
        #expect(try harness.numbers() == Array(Int(start.rawValue)..<200))
        #expect(try LogHarness.numbers(before) == Array(0..<200))
    }

    @Test("keeps at least the bytes that retention by size says")
    func retainsBySize() throws {
        let harness = try LogHarness { $0.retentionSize = 8000 }
        try harness.append(0..<300)
        harness.log.applyRetention(now: now)
        try harness.log.sync()
        #expect(harness.log.size >= 8000)
        #expect(harness.log.size < 8000 + 2 * 4096)
        #expect(try harness.numbers().last == 299)
    }

    @Test("forgets deleted records for good, also after a crash")
    func deletesRecords() throws {
        let harness = try LogHarness()
        try harness.append(0..<100)
        try harness.log.deleteRecords(before: Offset(42))
        #expect(throws: LogError.offsetOutOfRange(Offset(41), valid: 42..<100)) {
            try harness.log.snapshot.read(from: Offset(41), bytesMax: 100, verifying: true)
        }
        try harness.log.sync()
        harness.disk.crash()
        let again = try LogHarness(disk: harness.disk, seed: 2)
        #expect(again.log.logStartOffset == Offset(42))
        #expect(try again.numbers() == Array(42..<100))
    }

    @Test("refuses to delete beyond the high watermark")
    func deletesCommittedOnly() throws {
        let harness = try LogHarness()
        try harness.append(0..<5)
        #expect(throws: LogError.offsetOutOfRange(Offset(6), valid: 0..<5)) {
            try harness.log.deleteRecords(before: Offset(6))
        }
    }

    @Test("takes nothing and keeps all on a full disk, and goes on when there is room")
    func fullDisk() throws {
        let harness = try LogHarness { $0.segmentSizeMax = 1 << 20 }
        try harness.append(0..<10)
        harness.disk.faults.capacity = harness.disk.usedSpace + 100
        let result = harness.log.append([LogHarness.batch(10, count: 50)], now: now)
        guard case .diskFull = result.failure else {
            Issue.record("expected a full disk, got \(String(describing: result.failure))")
            return
        }
        #expect(result.outcomes.isEmpty)
        #expect(try harness.numbers() == Array(0..<10))
        harness.disk.faults.capacity = 1 << 40
        try harness.append(10..<20)
        #expect(try harness.numbers() == Array(0..<20))
        harness.disk.crash()
        #expect(try LogHarness(disk: harness.disk, seed: 2).numbers() == Array(0..<20))
    }

    @Test("after a failed sync acknowledges nothing, even if the next would succeed")
    func failedSync() throws {
        let harness = try LogHarness()
        try harness.append(0..<5)
        _ = harness.log.append([LogHarness.batch(5)], now: now)
        let ticket = try #require(try harness.log.beginSync())
        let error = FileError(.sync, "/log", code: 5, reason: .inputOutput)
        harness.log.endSync(ticket, .failure(error))
        #expect(harness.log.failure == error)
        #expect(harness.log.highWatermark == Offset(5))
        let result = harness.log.append([LogHarness.batch(6)], now: now)
        #expect(result.failure == .failed(error))
        let next = try harness.log.beginSync()
        #expect(next?.fileCount == nil)
        #expect(try harness.numbers() == Array(0..<5))
    }

    @Test("changes its commit rule without taking back what readers saw")
    func configures() throws {
        let harness = try LogHarness { $0.commitRule = .whenWritten }
        _ = harness.log.append([LogHarness.batch(0, count: 3)], now: now)
        var settings = LogSettings()
        settings.commitRule = .whenSynced
        try harness.log.configure(settings)
        #expect(harness.log.highWatermark == Offset(3))
        _ = harness.log.append([LogHarness.batch(3)], now: now)
        #expect(harness.log.highWatermark == Offset(3))
        harness.disk.crash()
        #expect(try LogHarness(disk: harness.disk, seed: 2).numbers().starts(with: [0, 1, 2]))
    }
}
