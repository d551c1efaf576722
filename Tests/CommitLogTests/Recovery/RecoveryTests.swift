// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import Records
import SimulatedDisk
import Testing

/// The table of recovery rules, row by row, on files that were harmed by hand.
@Suite("Recovery")
struct RecoveryTests {
    private let now = Timestamp(milliseconds: 1_000_000)

    /// A log of `count` records, all synced; the process then ends without closing it.
    private func killed(
        _ count: Int, marked: Bool = true, segmentSizeMax: Int = 4096
    ) throws -> LogHarness {
        let harness = try LogHarness { $0.segmentSizeMax = segmentSizeMax }
        try harness.append(0..<count)
        if marked { try harness.log.markIdle() }
        harness.disk.crashKeepingCache()
        return harness
    }

    private func reopen(_ harness: LogHarness) throws -> LogHarness {
        try LogHarness(disk: harness.disk, seed: 99)
    }

    @Test("scans nothing after a clean stop")
    func cleanStop() throws {
        let harness = try LogHarness()
        try harness.append(0..<100)
        try harness.log.close()
        let again = try reopen(harness)
        #expect(again.log.recovery.wasClean)
        #expect(again.log.recovery.scannedBytes == 0)
        #expect(try again.numbers() == Array(0..<100))
        try again.append(100..<110)
        #expect(try again.numbers(from: 95) == Array(95..<110))
    }

    @Test("keeps everything after the process was killed")
    func killedProcess() throws {
        let again = try reopen(killed(100))
        #expect(again.log.recovery.damages.isEmpty)
        #expect(try again.numbers() == Array(0..<100))
    }

    @Test("cuts a torn tail that nothing says was durable")
    func tornTail() throws {
        let harness = try LogHarness { $0.segmentSizeMax = 1 << 20 }
        try harness.append(0..<10)
        _ = harness.log.append([LogHarness.batch(10)], now: now)
        harness.disk.crashKeepingCache()
        harness.disk.mutate(LogHarness.store(0)) { $0.removeLast(7) }
        let again = try reopen(harness)
        #expect(again.log.recovery.damages.isEmpty)
        #expect(again.log.recovery.cutBytes > 0)
        #expect(try again.numbers() == Array(0..<10))
        #expect(again.log.nextOffset == Offset(10))
        try again.append(10..<12)
        #expect(try again.numbers() == Array(0..<12))
    }

    @Test("never cuts damage that a later frame says was durable")
    func damageBeforeDurableFrames() throws {
        let harness = try killed(30, segmentSizeMax: 1 << 20)
        // A record well below the last durable index.
        let path = LogHarness.store(0)
        let content = try #require(harness.disk.contents(path))
        let place = try #require(position(of: "record 12 ", in: content))
        harness.disk.mutate(path) { $0[place] ^= 0x20 }
        let again = try reopen(harness)
        #expect(again.log.isReadOnly)
        #expect(again.log.recovery.damages.map(\.offsets) == [12..<13])
        #expect(harness.disk.contents(path)?.count == content.count, "nothing was cut")
        #expect(try again.numbers(from: 13) == Array(13..<30))
        #expect(throws: LogError.self) {
            try again.log.snapshot.read(from: Offset(12), bytesMax: 100, verifying: true)
        }
        let result = again.log.append([LogHarness.batch(30)], now: now)
        guard case .readOnly = result.failure else {
            Issue.record("a damaged log took a record")
            return
        }
    }

    @Test("calls a lost tail damage once the log was marked idle")
    func lostTailOfMarkedLog() throws {
        let harness = try killed(10)
        let path = LogHarness.store(0)
        let content = try #require(harness.disk.contents(path))
        let place = try #require(position(of: "record 9 ", in: content))
        harness.disk.mutate(path) { $0[place] ^= 1 }
        let again = try reopen(harness)
        #expect(again.log.recovery.damages.map(\.offsets) == [9..<10])
        #expect(again.log.nextOffset == Offset(10), "its offset is not given again")
    }

    @Test("reports a segment that is missing, with its offsets")
    func missingSegment() throws {
        let harness = try LogHarness()
        try harness.append(0..<200)
        try harness.log.close()
        let stores = try harness.files(".store")
        try harness.disk.remove(stores[1])
        let again = try reopen(harness)
        #expect(again.log.isReadOnly)
        let lost = try #require(again.log.recovery.damages.first?.offsets)
        #expect(LogHarness.store(lost.lowerBound) == stores[1])
        #expect(LogHarness.store(lost.upperBound) == stores[2])
        #expect(try again.numbers(from: lost.upperBound) == Array(Int(lost.upperBound)..<200))
    }

    @Test("reports the newest segment missing, however few of its records were synced")
    func missingNewestSegment() throws {
        for isClosed in [true, false] {
            let harness = try LogHarness()
            var count = 0
            while try harness.files(".store").count < 3 {
                try harness.append(count..<(count + 1))
                count += 1
            }
            if isClosed { try harness.log.close() } else { harness.disk.crashKeepingCache() }
            let newest = try #require(harness.files(".store").last)
            try harness.disk.remove(newest)
            let again = try reopen(harness)
            #expect(again.log.isReadOnly, "closed: \(isClosed)")
            #expect(
                again.log.recovery.damages.first?.offsets == Int64(count - 1)..<Int64(count),
                "closed: \(isClosed)")
            #expect(again.log.nextOffset == Offset(Int64(count)), "its offset is not given again")
        }
    }

    @Test("reports the first segments missing")
    func missingFirstSegment() throws {
        let harness = try LogHarness()
        try harness.append(0..<200)
        try harness.log.close()
        let stores = try harness.files(".store")
        try harness.disk.remove(stores[0])
        let again = try reopen(harness)
        #expect(again.log.recovery.damages.first?.offsets.lowerBound == 0)
        #expect(again.log.isReadOnly)
    }

    @Test("reports a closed segment that was cut short")
    func shortSegment() throws {
        let harness = try LogHarness()
        try harness.append(0..<200)
        try harness.log.close()
        let stores = try harness.files(".store")
        harness.disk.mutate(stores[0]) { $0.removeLast(100) }
        let again = try reopen(harness)
        #expect(again.log.isReadOnly)
        let lost = try #require(again.log.recovery.damages.first?.offsets)
        #expect(LogHarness.store(lost.upperBound) == stores[1])
        #expect(!lost.isEmpty)
    }

    @Test("takes a store under another's name for missing, and leaves it alone")
    func renamedStore() throws {
        let harness = try LogHarness()
        try harness.append(0..<200)
        try harness.log.close()
        let stores = try harness.files(".store")
        try harness.disk.rename(stores[1], to: LogHarness.store(7777))
        let again = try reopen(harness)
        #expect(again.log.isReadOnly)
        #expect(again.log.recovery.damages.contains { $0.path == LogHarness.store(7777) })
        #expect(try harness.disk.status(of: LogHarness.store(7777)) != nil)
    }

    @Test("leaves stray files alone and reports them")
    func strayFiles() throws {
        let harness = try killed(10)
        let path = LogHarness.directory + "/notes.txt"
        try harness.disk.open(path, .create).write([1, 2, 3], at: 0)
        let again = try reopen(harness)
        #expect(again.log.recovery.strayNames == ["notes.txt"])
        #expect(!again.log.isReadOnly)
        #expect(try harness.disk.status(of: path) != nil)
    }

    @Test("drops a store that was being made when the machine stopped")
    func unfinishedStore() throws {
        let harness = try killed(10)
        let path = LogHarness.store(10)
        try harness.disk.open(path, .create).write([0x43, 0x57], at: 0)
        let again = try reopen(harness)
        #expect(!again.log.isReadOnly)
        #expect(try harness.disk.status(of: path) == nil)
        #expect(try again.numbers() == Array(0..<10))
    }

    @Test("refuses a store and a checkpoint of a later version")
    func laterVersion() throws {
        let harness = try killed(10)
        let path = LogHarness.store(0)
        harness.disk.mutate(path) { bytes in
            bytes[11] = 2
            bytes.replaceSubrange(92..<96, with: checksum(Array(bytes[..<92])))
        }
        #expect(throws: LogError.unsupportedFormat(path: path, version: 2)) {
            _ = try reopen(harness)
        }
    }

    @Test("refuses a directory in a store's place")
    func directoryAsStore() throws {
        let harness = try killed(10)
        try harness.disk.createDirectory(LogHarness.store(10))
        #expect(throws: LogError.self) { _ = try reopen(harness) }
    }

    @Test("fails on a file that cannot be read, and harms nothing")
    func unreadableFile() throws {
        let harness = try killed(50)
        harness.disk.faults.read = .always
        #expect(throws: LogError.self) { _ = try reopen(harness) }
        harness.disk.faults.read = .never
        #expect(try reopen(harness).numbers() == Array(0..<50))
    }

    @Test("scans everything when the checkpoint is gone or damaged, and loses nothing")
    func lostCheckpoint() throws {
        for damage in [true, false] {
            let harness = try LogHarness()
            try harness.append(0..<200)
            try harness.log.close()
            let path = LogHarness.directory + "/checkpoint"
            if damage {
                harness.disk.mutate(path) { $0 = $0.map { ~$0 } }
            } else {
                try harness.disk.remove(path)
            }
            let again = try reopen(harness)
            #expect(again.log.recovery.checkpointWasLost)
            #expect(try again.numbers() == Array(0..<200))
            #expect(!again.log.isReadOnly)
        }
    }

    @Test("survives a torn checkpoint: the other slot holds")
    func tornCheckpoint() throws {
        for slot in 0..<2 {
            let harness = try LogHarness()
            try harness.append(0..<200)
            try harness.log.close()
            harness.disk.mutate(LogHarness.directory + "/checkpoint") { $0[slot * 512 + 40] ^= 1 }
            let again = try reopen(harness)
            #expect(!again.log.recovery.checkpointWasLost)
            #expect(try again.numbers() == Array(0..<200))
        }
    }

    @Test("reads past a damaged header, says so, and takes no records until it is repaired")
    func damagedHeader() throws {
        let harness = try killed(10)
        harness.disk.mutate(LogHarness.store(0)) { $0[30] ^= 1 }
        let again = try reopen(harness)
        #expect(again.log.isReadOnly)
        #expect(try again.numbers() == Array(0..<10))
        _ = try LogRepair.repair(directory: LogHarness.directory, on: harness.disk)
        let repaired = try reopen(again)
        #expect(!repaired.log.isReadOnly)
        try repaired.append(10..<12)
        #expect(try repaired.numbers() == Array(0..<12))
    }

    @Test("never gives an offset again that was lost, after a repair")
    func repair() throws {
        let harness = try killed(60)
        let path = LogHarness.store(0)
        let content = try #require(harness.disk.contents(path))
        let place = try #require(position(of: "record 5 ", in: content))
        harness.disk.mutate(path) { $0[place] ^= 1 }
        _ = try reopen(harness)
        let before = try LogVerifier.verify(directory: LogHarness.directory, on: harness.disk)
        #expect(before.damages.map(\.offsets) == [5..<6])
        let report = try LogRepair.repair(directory: LogHarness.directory, on: harness.disk)
        #expect(report.givenUp == [5..<6])
        let after = try LogVerifier.verify(directory: LogHarness.directory, on: harness.disk)
        #expect(after.isSound)
        #expect(after.givenUp == [5..<6])
        let again = try reopen(harness)
        #expect(try again.numbers() == Array(0..<5) + Array(6..<60))
        try again.append(60..<61)
        #expect(again.log.nextOffset == Offset(61))
    }

    @Test("repairs a log of which segments are missing, in any place")
    func repairsMissingSegments() throws {
        for victim in 0..<5 {
            let harness = try LogHarness()
            try harness.append(0..<200)
            try harness.log.close()
            let stores = try harness.files(".store")
            try #require(stores.count > 4)
            let number = victim == 4 ? stores.count - 1 : victim
            try harness.disk.remove(stores[number])
            let damaged = try reopen(harness)
            #expect(damaged.log.isReadOnly, "segment \(number)")
            let lost = damaged.log.recovery.damages.map(\.offsets)
            _ = try LogRepair.repair(directory: LogHarness.directory, on: harness.disk)
            let again = try reopen(harness)
            #expect(!again.log.isReadOnly, "segment \(number): \(again.log.recovery.damages)")
            let expected = (0..<200).filter { number in
                !lost.contains { $0.contains(Int64(number)) }
            }
            #expect(try again.numbers() == expected, "segment \(number)")
            try again.append(200..<205)
            #expect(again.log.nextOffset == Offset(205))
        }
    }

    private func position(of text: String, in content: [UInt8]) -> Int? {
        let pattern = Array(text.utf8)
        return content.indices.first { start in
            start + pattern.count <= content.count
                && content[start..<(start + pattern.count)].elementsEqual(pattern)
        }
    }
}
