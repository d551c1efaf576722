// SPDX-License-Identifier: Apache-2.0

import Bytes
import Disk
import Records
import SimulatedDisk
import Testing

@testable import CommitLog

@Suite("Idempotent producers")
struct ProducerTests {
    private let now = Timestamp(milliseconds: 1_000_000)

    private func batch(
        _ producer: Int64 = 7, epoch: Int16 = 0, sequence: Int32, count: Int = 1
    ) -> BatchBuffer {
        var builder = BatchBuilder()
        for number in 0..<count {
            builder.append(
                key: nil, value: Array("\(producer)/\(sequence)+\(number)".utf8),
                timestamp: Timestamp(milliseconds: 5))
        }
        let buffer = builder.finish()
        let bytes = buffer.mutableBytes
        bytes.storeBigEndian(producer, at: 43)
        bytes.storeBigEndian(epoch, at: 51)
        bytes.storeBigEndian(sequence, at: 53)
        bytes.storeBigEndian(RecordBatch.checksum(of: UnsafeRawBufferPointer(bytes)), at: 17)
        return buffer
    }

    private func append(_ log: Log, _ batches: BatchBuffer...) -> [Log.AppendOutcome] {
        log.append(batches, now: now).outcomes
    }

    private func reopen(_ harness: inout LogHarness) throws {
        harness.log = try Log(
            directory: LogHarness.directory, group: LogHarness.group, on: harness.disk,
            settings: harness.log.settings, now: now, seed: 99)
    }

    @Test("a batch that comes again is not appended again, and gets its first offset")
    func duplicate() throws {
        let harness = try LogHarness()
        let log = harness.log
        #expect(append(log, batch(sequence: 0, count: 3)) == [.appended(0)])
        #expect(append(log, batch(sequence: 3)) == [.appended(3)])
        #expect(append(log, batch(sequence: 0, count: 3)) == [.duplicate(0)])
        #expect(append(log, batch(sequence: 3)) == [.duplicate(3)])
        #expect(log.nextOffset == 4)
    }

    @Test("batches that come together are judged by each other")
    func together() throws {
        let log = try LogHarness().log
        let outcomes = append(
            log, batch(sequence: 0), batch(sequence: 1), batch(sequence: 0), batch(sequence: 3),
            batch(8, sequence: 40), batch(sequence: 2))
        #expect(
            outcomes == [
                .appended(0), .appended(1), .duplicate(0),
                .refused(.outOfOrder(expected: 2, received: 3)), .appended(2), .appended(3),
            ])
    }

    @Test("a gap is refused, and what fills it is taken")
    func gap() throws {
        let log = try LogHarness().log
        _ = append(log, batch(sequence: 0, count: 10))
        #expect(
            append(log, batch(sequence: 11)) == [.refused(.outOfOrder(expected: 10, received: 11))])
        #expect(append(log, batch(sequence: 10)) == [.appended(10)])
        #expect(append(log, batch(sequence: 11)) == [.appended(11)])
    }

    @Test("five batches are remembered, and an older one is out of order")
    func window() throws {
        let log = try LogHarness().log
        for sequence in Int32(0)..<6 { _ = append(log, batch(sequence: sequence)) }
        for sequence in Int32(1)..<6 {
            #expect(append(log, batch(sequence: sequence)) == [.duplicate(Offset(Int64(sequence)))])
        }
        #expect(
            append(log, batch(sequence: 0)) == [.refused(.outOfOrder(expected: 6, received: 0))])
    }

    @Test("behind 2^31 - 1 sequence numbers go on with 0, within a batch too")
    func wrapAround() throws {
        let log = try LogHarness().log
        #expect(append(log, batch(sequence: .max - 1, count: 4)) == [.appended(0)])
        #expect(
            append(log, batch(sequence: 3)) == [.refused(.outOfOrder(expected: 2, received: 3))])
        #expect(append(log, batch(sequence: 2)) == [.appended(4)])
        #expect(append(log, batch(sequence: .max - 1, count: 4)) == [.duplicate(0)])
    }

    @Test("a newer epoch begins with 0, and older ones are fenced")
    func epochs() throws {
        let log = try LogHarness().log
        _ = append(log, batch(sequence: 5))
        #expect(
            append(log, batch(epoch: 1, sequence: 6))
                == [.refused(.outOfOrder(expected: 0, received: 6))])
        #expect(append(log, batch(epoch: 1, sequence: 0)) == [.appended(1)])
        #expect(
            append(log, batch(epoch: 0, sequence: 6))
                == [.refused(.staleEpoch(current: 1, received: 0))])
    }

    @Test("what a full disk refused can be sent again")
    func fullDisk() throws {
        let harness = try LogHarness { $0.segmentSizeMax = 1 << 20 }
        let log = harness.log
        _ = append(log, batch(sequence: 0))
        harness.disk.faults.capacity = harness.disk.usedSpace + 100
        let failed = log.append(
            [batch(sequence: 1, count: 200), batch(sequence: 1, count: 200)], now: now)
        #expect(failed.outcomes.isEmpty)
        harness.disk.faults.capacity = 1 << 40
        #expect(append(log, batch(sequence: 1, count: 200)) == [.appended(1)])
        log.checkInvariants()
    }

    @Test("the window is there again after a start: from the snapshot, from the frames, from both")
    func restart() throws {
        for seed in UInt64(1)...60 {
            var random = SplitMix64(seed: seed)
            var harness = try LogHarness(seed: seed) { settings in
                settings.segmentSizeMax = 1 << 12
                settings.checkpointInterval = 1 << 12
            }
            var sequence: Int32 = 0
            for _ in 0..<40 {
                let outcome = append(harness.log, batch(sequence: sequence, count: 2))
                #expect(outcome == [.appended(Offset(Int64(sequence)))], "seed \(seed)")
                sequence += 2
                switch UInt8.random(in: 0..<8, using: &random) {
                case 0:
                    try harness.log.close()
                    try reopen(&harness)
                case 1:
                    try harness.log.sync()
                    harness.disk.crash()
                    try reopen(&harness)
                case 2: try harness.log.sync()
                default: break
                }
                // The last one that was sent, as after a lost answer.
                let again = append(harness.log, batch(sequence: sequence - 2, count: 2))
                #expect(again == [.duplicate(Offset(Int64(sequence - 2)))], "seed \(seed)")
            }
        }
    }

    @Test("a snapshot that is damaged, cut or from the future is not believed")
    func badSnapshots() throws {
        var harness = try LogHarness()
        for sequence in Int32(0)..<4 { _ = append(harness.log, batch(sequence: sequence)) }
        try harness.log.close()
        let path = LogHarness.directory + "/" + ProducerSnapshot.name
        let file = try harness.disk.open(path, .readWrite)
        let good = try file.bytes(at: 0, count: Int(try file.size()))
        func check(_ bytes: [UInt8], _ what: String) throws {
            try file.truncate(to: 0)
            try file.write(bytes, at: 0)
            try reopen(&harness)
            #expect(append(harness.log, batch(sequence: 3)) == [.duplicate(3)], "\(what)")
            #expect(
                append(harness.log, batch(sequence: 9))
                    == [.refused(.outOfOrder(expected: 4, received: 9))], "\(what)")
        }
        for place in good.indices {
            var bytes = good
            bytes[place] ^= 0x41
            try check(bytes, "byte \(place) flipped")
        }
        for count in stride(from: 0, to: good.count, by: 7) {
            try check(Array(good[..<count]), "cut to \(count)")
        }
        var ahead = try #require(ProducerSnapshot(good, group: harness.log.group))
        ahead.nextIndex = LogIndex(1000)
        ahead.table = ProducerTable()
        try check(ahead.encoded, "ahead of the log")
    }

    @Test("a snapshot has these bytes")
    func golden() {
        var table = ProducerTable()
        var window = ProducerWindow(epoch: 2, lastUse: Timestamp(milliseconds: 3))
        window.batches = [.init(firstSequence: 4, lastSequence: 5, baseOffset: 6)]
        table.restore(1, window)
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

    @Test("a full table forgets who has not appended for the longest time, and nobody else")
    func bounds() {
        var table = ProducerTable(producersMax: 3)
        func header(_ producer: Int64, _ sequence: Int32) -> BatchHeader {
            BatchHeader(reading: batch(producer, sequence: sequence).bytes)
        }
        for producer in Int64(1)...3 { table.note(header(producer, 0), at: 0, now: now) }
        table.note(header(1, 1), at: 1, now: now)
        table.note(header(4, 0), at: 2, now: now)
        #expect(table.count == 3)
        #expect(table.window(of: 2) == nil)
        #expect(table.window(of: 1) != nil)
        table.expire(now: Timestamp(milliseconds: now.rawValue + ProducerTable.expiry + 1))
        #expect(table.isEmpty)
        table.checkInvariants()
    }
}
