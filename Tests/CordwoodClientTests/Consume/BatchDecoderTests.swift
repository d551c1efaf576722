// SPDX-License-Identifier: Apache-2.0

import Bytes
import Records
import Testing

@testable import CordwoodClient

@Suite("Batch decoder")
struct BatchDecoderTests {
    static let everything = Offset.zero..<Offset(Int64.max)

    @Test(
        "batches one behind the other come out with their offsets, packed or not",
        arguments: ProducerOptions.Compression.allCases)
    func several(compression: ProducerOptions.Compression) throws {
        let bytes =
            Self.batch(["a", "b"], at: 10) + Self.batch(["c", "d", "e"], at: 12, compression)
        let batches = try Self.decode(bytes)
        #expect(batches.map(\.records.count) == [2, 3])
        #expect(batches.map(\.endOffset) == [12, 15])
        #expect(batches.map(\.size).reduce(0, +) == bytes.count)
        #expect(batches.flatMap(\.records).map(\.offset) == [10, 11, 12, 13, 14])
        #expect(batches.flatMap(\.records).map(\.text) == ["a", "b", "c", "d", "e"])
    }

    @Test("records before the offset wanted are skipped, and those from the end on too")
    func wanted() throws {
        let bytes = Self.batch(["a", "b", "c", "d"], at: 10)
        let batches = try Self.decode(bytes, wanted: 11..<13)
        #expect(batches.flatMap(\.records).map(\.text) == ["b", "c"])
        #expect(batches.map(\.endOffset) == [14])
    }

    @Test("a flipped byte never gives other records")
    func flips() throws {
        let sound = Self.batch(["one", "two"], at: 5)
        let texts = ["one", "two"]
        for position in sound.indices {
            var damaged = sound
            damaged[position] ^= 0x21
            let batches = try? Self.decode(damaged)
            // The base offset and the leader epoch are the server's word, outside the checksum.
            if position < 8 || (12..<16).contains(position) {
                #expect(batches == nil || batches?.first?.records.map(\.text) == texts)
            } else {
                #expect(batches == nil, "byte \(position)")
            }
        }
    }

    @Test("every prefix is refused")
    func prefixes() {
        let sound = Self.batch(["one", "two"], at: 5)
        for end in 1..<sound.count {
            #expect(throws: CordwoodError.self) { try Self.decode(Array(sound[..<end])) }
        }
    }

    @Test("damage is told from what cannot be understood")
    func kinds() {
        var damaged = Self.batch(["one"], at: 5)
        damaged[damaged.count - 1] ^= 1
        #expect(code { try Self.decode(damaged) } == .corruptBatch)
        var packed = Self.batch(["one"], at: 5)
        for number in 5...7 as ClosedRange<UInt8> {
            packed[22] = number
            #expect(code { try Self.decode(Self.resealed(packed)) } == .unsupportedCompression)
        }
        for codec in [.gzip, .snappy, .lz4, .zstd] as [CompressionCodec] {
            packed[22] = codec.rawValue
            #expect(code { try Self.decode(Self.resealed(packed)) } == .invalidBatch)
        }
    }

    @Test("offsets and counts that cannot be are refused without a crash")
    func hostile() {
        let sound = Self.batch(["one", "two"], at: 0)
        for (position, bytes) in [
            (0, [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),  // base offset
            (0, [0x80, 0, 0, 0, 0, 0, 0, 0]),
            (8, [0, 0, 0, 0]), (8, [0xff, 0xff, 0xff, 0xff]), (8, [0x7f, 0xff, 0xff, 0xff]),
            (23, [0xff, 0xff, 0xff, 0xff]), (23, [0, 0, 0, 0]),  // last offset delta
            (57, [0, 0, 0, 0]), (57, [0xff, 0xff, 0xff, 0xff]), (57, [0x7f, 0xff, 0xff, 0xff]),
        ] as [(Int, [UInt8])] {
            var hostile = sound
            hostile.replaceSubrange(position..<(position + bytes.count), with: bytes)
            #expect(throws: CordwoodError.self, "\(position): \(bytes)") {
                try Self.decode(Self.resealed(hostile))
            }
        }
    }

    private func code(_ body: () throws -> Void) -> CordwoodError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? CordwoodError)?.code
        }
    }

    @discardableResult
    private static func decode(
        _ bytes: [UInt8], wanted: Range<Offset> = everything
    ) throws -> [BatchDecoder.Batch] {
        try bytes.withUnsafeBytes { try BatchDecoder.batches(in: $0, wanted: wanted) }
    }

    /// A batch as a server keeps it.
    static func batch(
        _ texts: [String], at offset: Offset, _ compression: ProducerOptions.Compression = .none
    ) -> [UInt8] {
        var builder = BatchBuilder()
        // Long enough to shrink.
        for text in texts {
            let header = Record.Header(
                "h", [UInt8](repeating: 0, count: compression == .none ? 0 : 200))
            builder.append(Record(value: Array(text.utf8), headers: [header]))
        }
        let plain = builder.finish()
        let buffer = plain.packed(compression)
        return withExtendedLifetime(buffer) {
            BatchHeader.stamp(buffer.mutableBytes, baseOffset: offset, leaderEpoch: 3)
            return Array(buffer.bytes)
        }
    }

    private static func resealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let sum = bytes.withUnsafeBytes { RecordBatch.checksum(of: $0) }
        bytes.withUnsafeMutableBytes { $0.storeBigEndian(sum, at: 17) }
        return bytes
    }
}

extension Record {
    /// The value as text.
    var text: String { String(decoding: value ?? [], as: UTF8.self) }
}
