// SPDX-License-Identifier: Apache-2.0

import Bytes
import Records
import Testing

@Suite("Batches")
struct RecordBatchTests {
    @Test(
        "what the builder makes passes all checks and reads back equal",
        arguments: 1...200 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var expected: [Record] = []
        var builder = BatchBuilder(capacity: Int.random(in: 0...200, using: &random))
        for index in 0..<Int.random(in: 1...50, using: &random) {
            var record = Self.record(using: &random)
            #expect(builder.append(record) == index)
            record.offset = Offset(Int64(index))
            expected.append(record)
        }
        #expect(builder.recordCount == expected.count)
        let size = builder.size
        let bytes = BatchCheck.finish(&builder)
        #expect(bytes.count == size)
        #expect(try BatchCheck.records(bytes) == expected)
        #expect(try BatchCheck.header(bytes).maxTimestamp == expected.map(\.timestamp).max())
        #expect(builder.isEmpty && builder.size == BatchHeader.size)
    }

    @Test("a builder makes one batch after the other")
    func reuse() throws {
        var builder = BatchBuilder()
        builder.append(key: nil, value: [1], timestamp: Timestamp(milliseconds: 9))
        let first = BatchCheck.finish(&builder)
        builder.append(key: nil, value: [2], timestamp: Timestamp(milliseconds: 3))
        let second = BatchCheck.finish(&builder)
        #expect(try BatchCheck.records(first).map(\.value) == [[1]])
        #expect(try BatchCheck.records(second).map(\.value) == [[2]])
        #expect(try BatchCheck.header(second).maxTimestamp == Timestamp(milliseconds: 3))
    }

    @Test(
        "a flipped byte is refused, but in the base offset and the leader epoch, which the server sets"
    )
    func flips() throws {
        let sound = Self.batch(seed: 1)
        let expected = try BatchCheck.records(sound)
        for position in sound.indices {
            var damaged = sound
            damaged[position] ^= 0x10
            switch position {
            case 12...15:
                #expect(try BatchCheck.records(damaged) == expected)
            default:
                #expect(throws: BatchError.self, "byte \(position)") {
                    try BatchCheck.records(damaged)
                }
            }
        }
    }

    @Test("every prefix is refused, and so is a byte too many")
    func prefixes() throws {
        let sound = Self.batch(seed: 2)
        for end in 0..<sound.count {
            #expect(throws: BatchError.self, "\(end) bytes") {
                try BatchCheck.records(Array(sound[..<end]))
            }
        }
        #expect(throws: BatchError.lengthMismatch(stated: sound.count, actual: sound.count + 1)) {
            try BatchCheck.header(sound + [0])
        }
    }

    @Test("a batch over the limit is refused before its checksum is computed")
    func tooLarge() {
        let bytes = [UInt8](repeating: 0, count: 100)
        #expect(throws: BatchError.tooLarge(size: 100, limit: 99)) {
            try BatchCheck.header(bytes, sizeMax: 99)
        }
    }

    @Test("a length that lies is refused", arguments: [0, -1, -12, 48, Int32.max, Int32.min])
    func lyingLength(length: Int32) {
        var batch = Self.batch(seed: 3)
        Self.store(length, in: &batch, at: 8)
        #expect(throws: BatchError.self) { try BatchCheck.header(batch) }
    }

    @Test("a record count that lies is refused", arguments: [0, -1, 2, Int32.max, Int32.min])
    func lyingCount(count: Int32) {
        var builder = BatchBuilder()
        builder.append(key: nil, value: nil, timestamp: Timestamp(milliseconds: 1))
        var batch = BatchCheck.finish(&builder)
        Self.store(count, in: &batch, at: 57)
        Self.store(count &- 1, in: &batch, at: 23)
        #expect(throws: BatchError.self) { try BatchCheck.records(BatchCheck.resealed(batch)) }
    }

    @Test("a count that disagrees with the last offset delta is refused")
    func countAgainstDelta() {
        var batch = Self.batch(seed: 4)
        Self.store(Int32(7000), in: &batch, at: 23)
        #expect(throws: BatchError.self) { try BatchCheck.header(BatchCheck.resealed(batch)) }
    }

    @Test(
        "attributes that producers may not set are refused",
        arguments: [0x08, 0x10, 0x20, 0x40, 0x80, 0x8000] as [UInt16])
    func forbiddenAttributes(bits: UInt16) {
        var batch = Self.batch(seed: 5)
        batch[21] = UInt8(bits >> 8)
        batch[22] = UInt8(truncatingIfNeeded: bits)
        #expect(throws: BatchError.forbiddenAttributes(bits)) {
            try BatchCheck.header(BatchCheck.resealed(batch))
        }
    }

    @Test("a codec number that no version defines is refused", arguments: [5, 6, 7] as [UInt8])
    func unknownCodec(number: UInt8) {
        var batch = Self.batch(seed: 6)
        batch[22] = number
        #expect(throws: BatchError.unsupportedCodec(number)) {
            try BatchCheck.header(BatchCheck.resealed(batch))
        }
    }

    @Test("only format version 2 is accepted", arguments: [0, 1, 3, -1] as [Int8])
    func magic(version: Int8) {
        var batch = Self.batch(seed: 7)
        batch[16] = UInt8(bitPattern: version)
        #expect(throws: BatchError.unsupportedMagic(version)) { try BatchCheck.header(batch) }
    }

    @Test("a max timestamp that lies is refused")
    func maxTimestamp() {
        var batch = Self.batch(seed: 8)
        batch[42] ^= 1
        #expect(throws: BatchError.self) { try BatchCheck.records(BatchCheck.resealed(batch)) }
    }

    @Test("a producer id without an epoch and a sequence number is refused")
    func incompleteProducer() {
        var batch = Self.batch(seed: 9)
        for position in 43..<51 { batch[position] = 0 }
        #expect(throws: BatchError.incompleteProducerState) {
            try BatchCheck.header(BatchCheck.resealed(batch))
        }
    }

    @Test(
        "a stamp changes base offset and leader epoch, and no check fails by it but the producer's")
    func stamp() throws {
        var batch = Self.batch(seed: 10)
        batch.withUnsafeMutableBytes {
            BatchHeader.stamp($0, baseOffset: Offset(1 << 40), leaderEpoch: 77)
        }
        let header = batch.withUnsafeBytes { BatchHeader(reading: $0) }
        #expect(header.baseOffset == Offset(1 << 40))
        #expect(header.leaderEpoch == 77)
        #expect(batch.withUnsafeBytes { RecordBatch.checksum(of: $0) } == header.checksum)
        #expect(throws: BatchError.nonZeroBaseOffset(1 << 40)) { try BatchCheck.header(batch) }
    }

    @Test("the first record at or after a time is found, also where times go back")
    func firstRecordByTime() throws {
        var builder = BatchBuilder()
        for time in [10, 5, 20, 20] as [Int64] {
            builder.append(key: nil, value: nil, timestamp: Timestamp(milliseconds: time))
        }
        let buffer = builder.finish()
        let header = BatchHeader(reading: buffer.bytes)
        func find(_ time: Int64) throws -> Int32? {
            try RecordBatch.firstRecord(
                atOrAfter: Timestamp(milliseconds: time), in: RecordBatch.records(of: buffer.bytes),
                of: header)?.offsetDelta
        }
        #expect(try find(0) == 0)
        #expect(try find(10) == 0)
        #expect(try find(11) == 2)
        #expect(try find(21) == nil)
    }

    static func batch(seed: UInt64) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        var builder = BatchBuilder()
        for _ in 0..<5 { builder.append(record(using: &random)) }
        return BatchCheck.finish(&builder)
    }

    static func store(_ value: Int32, in bytes: inout [UInt8], at position: Int) {
        bytes.withUnsafeMutableBytes { $0.storeBigEndian(value, at: position) }
    }

    private static func record(using random: inout SplitMix64) -> Record {
        func bytes(_ max: Int) -> [UInt8] {
            (0..<Int.random(in: 0...max, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
        }
        func maybe(_ max: Int) -> [UInt8]? {
            Bool.random(using: &random) ? bytes(max) : nil
        }
        let headers = (0..<Int.random(in: 0...3, using: &random)).map { index in
            Record.Header(index == 0 ? "" : "n\u{f6}m-\(index)", maybe(20))
        }
        // Far enough apart that deltas take up to nine bytes.
        let time = Int64.random(
            in: 0...(1 << Int64.random(in: 0...60, using: &random)), using: &random)
        return Record(
            key: maybe(40), value: maybe(300), headers: headers,
            timestamp: Timestamp(milliseconds: time))
    }
}
