// SPDX-License-Identifier: Apache-2.0

import Bytes
import Disk
import Records
import SimulatedDisk
import Testing

@testable import CommitLog

@Suite("Idempotent producers after a restart")
struct ProducerSnapshotTests {
    private let now = ProducerHarness.now
    private let path = LogHarness.directory + "/" + ProducerSnapshot.name

    private func batch(
        _ producer: Int64 = 7, epoch: Int16 = 0, sequence: Int32, count: Int = 1, size: Int = 0
    ) -> BatchBuffer {
        ProducerHarness.batch(
            producer, epoch: epoch, sequence: sequence, count: count, size: size)
    }

    @Test("are known again: from the snapshot, from the frames, from both", arguments: 1...60)
    func restart(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var harness = try LogHarness(seed: seed) { settings in
            settings.segmentSizeMax = 1 << 12
            settings.checkpointInterval = 1 << 12
        }
        var sequence: Int32 = 0
        for _ in 0..<40 {
            let outcome = harness.appendProduced(batch(sequence: sequence, count: 2))
            #expect(outcome == [.appended(Offset(Int64(sequence)))])
            sequence += 2
            switch UInt8.random(in: 0..<8, using: &random) {
            case 0:
                try harness.log.close()
                try harness.reopen()
            case 1:
                try harness.log.sync()
                harness.disk.crash()
                try harness.reopen()
            case 2: try harness.log.sync()
            default: break
            }
            // All that may have been under way, as after lost answers.
            for older in stride(from: max(0, sequence - 10), to: sequence, by: 2) {
                let again = harness.appendProduced(batch(sequence: older, count: 2))
                #expect(again == [.duplicate(Offset(Int64(older)))])
            }
            let gap = harness.appendProduced(batch(sequence: sequence + 2))
            #expect(gap == [.gap(expected: sequence, received: sequence + 2)])
        }
    }

    @Test("are known by exactly what the disk kept when the power fails", arguments: 1...60)
    func tornTail(_ seed: UInt64) throws {
        var harness = try LogHarness(disk: SimulatedFileSystem(seed: seed), seed: seed) {
            $0.commitRule = .whenWritten
            $0.checkpointInterval = 1
        }
        try harness.disk.syncDirectory("/")
        try harness.log.sync()
        for sequence in Int32(0)..<8 {
            _ = harness.appendProduced(batch(sequence: sequence, size: 200))
            if sequence == Int32(seed % 8) { try harness.log.sync() }
        }
        harness.disk.crash()
        try harness.reopen()
        let end = Int32(harness.log.nextOffset.rawValue)
        #expect(end > Int32(seed % 8))
        for sequence in max(0, end - 5)..<end {
            #expect(
                harness.appendProduced(batch(sequence: sequence))
                    == [.duplicate(Offset(Int64(sequence)))])
        }
        for sequence in end..<8 {
            #expect(
                harness.appendProduced(batch(sequence: sequence))
                    == [.appended(Offset(Int64(sequence)))])
        }
    }

    @Test("are known though retention has removed their batches")
    func retention() throws {
        var harness = try LogHarness {
            $0.segmentSizeMax = 1024
            $0.checkpointInterval = 1 << 30
        }
        for sequence in Int32(0)..<6 { _ = harness.appendProduced(batch(sequence: sequence)) }
        for number in 0..<30 { try harness.append(number..<(number + 1), size: 200) }
        try harness.log.deleteRecords(before: harness.log.highWatermark)
        try harness.log.sync()
        let removal = try #require(harness.log.takeRemoval())
        try removal.run().get()
        harness.disk.crash()
        try harness.reopen()
        #expect(harness.log.logStartOffset > 6)
        #expect(harness.appendProduced(batch(sequence: 5)) == [.duplicate(5)])
        #expect(harness.appendProduced(batch(sequence: 1)) == [.duplicate(1)])
        #expect(harness.appendProduced(batch(sequence: 7)) == [.gap(expected: 6, received: 7)])
    }

    @Test("are found in the frames where the snapshot is damaged, cut, or of another version")
    func badSnapshots() throws {
        var harness = try LogHarness { $0.segmentSizeMax = 1024 }
        for sequence in Int32(0)..<14 {
            _ = harness.appendProduced(batch(sequence: sequence, size: 100))
        }
        try harness.log.close()
        let file = try harness.disk.open(path, .readWrite)
        let good = try file.bytes(at: 0, count: Int(try file.size()))
        func check(_ bytes: [UInt8], _ what: String) throws {
            try file.truncate(to: 0)
            try file.write(bytes, at: 0)
            try harness.reopen()
            for sequence in Int32(9)..<14 {
                #expect(
                    harness.appendProduced(batch(sequence: sequence, size: 100))
                        == [.duplicate(Offset(Int64(sequence)))], "\(what)")
            }
            #expect(
                harness.appendProduced(batch(sequence: 19))
                    == [.gap(expected: 14, received: 19)], "\(what)")
        }
        for place in good.indices {
            for bit in [UInt8(0x01), 0x80] {
                var bytes = good
                bytes[place] ^= bit
                #expect(ProducerSnapshot(bytes, group: LogHarness.group) == nil)
                if bit == 1 { try check(bytes, "byte \(place) flipped") }
            }
        }
        for count in stride(from: 0, to: good.count, by: 7) {
            try check(Array(good[..<count]), "cut to \(count)")
        }
        try check(good + [0], "with a byte behind it")
        // Of a later version, with a sound checksum.
        var later = Array(good.dropLast(4))
        later[7] = 2
        later.appendBigEndian(CRC32C.checksum(later))
        try check(later, "of version 2")
        try harness.disk.remove(path)
        try harness.reopen()
        #expect(harness.appendProduced(batch(sequence: 13, size: 100)) == [.duplicate(13)])
    }

    @Test("are not believed to have sent what the log does not hold")
    func aheadOfTheLog() throws {
        var harness = try LogHarness()
        for sequence in Int32(0)..<4 { _ = harness.appendProduced(batch(sequence: sequence)) }
        try harness.log.close()
        let file = try harness.disk.open(path, .readWrite)
        let good = try file.bytes(at: 0, count: Int(try file.size()))
        var ahead = try #require(ProducerSnapshot(good, group: harness.log.group))
        ahead.nextIndex = LogIndex(9)
        ahead.nextOffset = 8
        ahead.table.note(ProducerHarness.header(sequence: 4, count: 4), at: 4, now: now)
        try file.truncate(to: 0)
        try file.write(ahead.encoded, at: 0)
        try harness.reopen()
        #expect(try harness.disk.status(of: path) == nil)
        #expect(harness.appendProduced(batch(sequence: 3)) == [.duplicate(3)])
        #expect(harness.appendProduced(batch(sequence: 4, count: 4)) == [.appended(4)])
        // The log has grown past what the snapshot spoke of; it must be gone for good.
        for sequence in Int32(8)..<16 { _ = harness.appendProduced(batch(sequence: sequence)) }
        harness.log = try LogHarness().log
        harness.disk.crashKeepingCache()
        try harness.reopen()
        #expect(harness.appendProduced(batch(sequence: 15)) == [.duplicate(15)])
    }

    @Test("refuse what a snapshot cannot hold, whatever its checksum")
    func impossible() {
        func snapshot(_ change: (inout [UInt8]) -> Void) -> ProducerSnapshot? {
            var table = ProducerTable()
            for sequence in Int32(0)..<2 {
                table.note(
                    ProducerHarness.header(sequence: sequence), at: Offset(Int64(sequence)),
                    now: now)
            }
            var bytes = Array(
                ProducerSnapshot(
                    group: 9, segment: 0, position: 96, nextIndex: LogIndex(3), nextOffset: 2,
                    table: table
                ).encoded.dropLast(4))
            change(&bytes)
            bytes.appendBigEndian(CRC32C.checksum(bytes))
            return ProducerSnapshot(bytes, group: 9)
        }
        #expect(snapshot { _ in } != nil)
        let bad: [(String, (inout [UInt8]) -> Void)] = [
            ("more producers than there are bytes", { $0[48] = 0xff }),
            ("fewer producers than there are", { $0[51] = 0 }),
            ("a negative id", { $0[52] = 0x80 }),
            ("a negative epoch", { $0[60] = 0x80 }),
            ("no batches", { $0[70] = 0 }),
            ("six batches", { $0[70] = 6 }),
            ("a negative sequence number", { $0[71] = 0x80 }),
            ("an offset behind the log's end", { $0[79] = 1 }),
            ("offsets that do not ascend", { $0[$0.count - 1] = 0 }),
            (
                "one producer twice",
                {
                    $0[51] = 2
                    $0 += Array($0[52...])
                }
            ),
        ]
        for (what, change) in bad { #expect(snapshot(change) == nil, "\(what)") }
    }

    @Test("have a snapshot of these bytes")
    func golden() {
        var table = ProducerTable()
        var window = ProducerWindow(epoch: 2, lastUse: Timestamp(milliseconds: 3))
        window.add(.init(firstSequence: 4, lastSequence: 5, baseOffset: 6))
        let isNew = table.restore(1, window)
        #expect(isNew)
        let snapshot = ProducerSnapshot(
            group: 9, segment: 10, position: 11, nextIndex: LogIndex(12), nextOffset: 13,
            table: table)
        let hex = snapshot.encoded.dropLast(4).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        #expect(
            hex == "43575053" + "00000001" + "0000000000000009" + "000000000000000a"
                + "000000000000000b" + "000000000000000c" + "000000000000000d" + "00000001"
                + "0000000000000001" + "0002" + "0000000000000003" + "01" + "00000004" + "00000005"
                + "0000000000000006")
        #expect(ProducerSnapshot(snapshot.encoded, group: 9)?.encoded == snapshot.encoded)
        #expect(ProducerSnapshot(snapshot.encoded, group: 8) == nil)
    }

    @Test("are forgotten after a week, whether they stand in the snapshot or in frames")
    func expiry() throws {
        for hasSnapshot in [true, false] {
            var harness = try LogHarness()
            _ = harness.appendProduced(batch(sequence: 0))
            try harness.log.rollIfOld(
                now: Timestamp(milliseconds: now.rawValue + ProducerHarness.week))
            try harness.log.close()
            if !hasSnapshot { try harness.disk.remove(path) }
            try harness.reopen(
                at: Timestamp(milliseconds: now.rawValue + 2 * ProducerHarness.week + 1))
            #expect(harness.appendProduced(batch(sequence: 9)) == [.appended(1)])
        }
    }

    @Test("are found in the frames that a repair left")
    func repair() throws {
        var harness = try LogHarness { $0.segmentSizeMax = 1024 }
        for sequence in Int32(0)..<20 {
            _ = harness.appendProduced(batch(sequence: sequence, size: 100))
            try harness.log.sync()
        }
        try harness.log.close()
        // In the third batch's payload.
        #expect(harness.disk.flipBit(LogHarness.store(0), at: 96 + 2 * 260 + 120))
        try harness.disk.remove(LogHarness.directory + "/checkpoint")
        try harness.reopen()
        #expect(harness.log.isReadOnly)
        _ = try LogRepair.repair(directory: LogHarness.directory, on: harness.disk)
        #expect(try harness.disk.status(of: path) == nil)
        try harness.reopen()
        #expect(!harness.log.isReadOnly)
        #expect(harness.appendProduced(batch(sequence: 19, size: 100)) == [.duplicate(19)])
        #expect(harness.appendProduced(batch(sequence: 20)) == [.appended(20)])
    }
}
