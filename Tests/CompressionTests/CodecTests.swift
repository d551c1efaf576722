// SPDX-License-Identifier: Apache-2.0

import Bytes
import Compression
import Testing

@Suite("Codecs")
struct CodecTests {
    @Test(
        "what gzip packs, it opens to the same bytes",
        arguments: [0, 1, 100, 65_535, 65_536, 300_000])
    func roundTrip(count: Int) throws {
        var random = SplitMix64(seed: UInt64(count))
        // Half noise, half repetition, so that the output takes several steps and copies.
        let bytes = (0..<count).map { index in
            index % 2 == 0 ? UInt8.random(in: 0...255, using: &random) : 7
        }
        for codec in [Codec.none, .gzip] {
            let packed = try compress(codec, bytes)
            #expect(try decompress(codec, packed, limit: count) == bytes)
        }
    }

    @Test("gzip bytes made by another program open")
    func foreignMember() throws {
        // Python: gzip.compress(b"cordwood " * 4, mtime=0)
        let packed = hex("1f8b08000000000002034bce2f4a29cfcf4f5148c6cd0000cde2db7c24000000")
        #expect(
            try decompress(.gzip, packed, limit: 100)
                == [UInt8]("cordwood cordwood cordwood cordwood ".utf8))
    }

    @Test("members that follow each other open to one text")
    func twoMembers() throws {
        let packed = try compress(.gzip, [1, 2, 3]) + compress(.gzip, [4])
        #expect(try decompress(.gzip, packed, limit: 4) == [1, 2, 3, 4])
    }

    @Test("what would open beyond the limit is refused, at one byte too many too")
    func limit() throws {
        let bomb = try compress(.gzip, [UInt8](repeating: 0, count: 10 << 20))
        #expect(bomb.count < 20_000)
        #expect(throws: CompressionError.overLimit(limit: 1 << 20)) {
            try decompress(.gzip, bomb, limit: 1 << 20)
        }
        #expect(throws: CompressionError.overLimit(limit: (10 << 20) - 1)) {
            try decompress(.gzip, bomb, limit: (10 << 20) - 1)
        }
        #expect(throws: CompressionError.overLimit(limit: 2)) {
            try decompress(.none, [1, 2, 3], limit: 2)
        }
    }

    @Test("every prefix of a member is refused")
    func prefixes() throws {
        let packed = try compress(.gzip, [UInt8]((0..<200).map { UInt8($0) }))
        for end in 0..<packed.count {
            #expect(throws: CompressionError.damaged) {
                try decompress(.gzip, [UInt8](packed[..<end]), limit: 1000)
            }
        }
    }

    @Test("garbage behind a member is refused")
    func trailingGarbage() throws {
        let packed = try compress(.gzip, [1, 2, 3])
        for garbage in [[0], [0, 0, 0, 0], [0x1f], [0x1f, 0x8b], [1, 2, 3]] as [[UInt8]] {
            #expect(throws: CompressionError.damaged) {
                try decompress(.gzip, packed + garbage, limit: 1000)
            }
        }
    }

    @Test("a flipped byte never opens to other bytes")
    func flips() throws {
        let bytes = [UInt8]((0..<100).map { UInt8($0 % 7) })
        let packed = try compress(.gzip, bytes)
        for position in packed.indices {
            var damaged = packed
            damaged[position] ^= 0x55
            // The header's time, flags for readers and system are free to differ.
            let opened = try? decompress(.gzip, damaged, limit: 1000)
            #expect(opened == nil || opened == bytes, "byte \(position)")
        }
    }

    @Test("codecs that are not served are refused by name", arguments: [Codec.snappy, .lz4, .zstd])
    func unsupported(codec: Codec) {
        #expect(!codec.isSupported)
        #expect(throws: CompressionError.unsupported(codec)) {
            try decompress(codec, [1], limit: 10)
        }
        #expect(throws: CompressionError.unsupported(codec)) { try compress(codec, [1]) }
    }

    @Test("the numbers are Kafka's")
    func numbers() {
        #expect(Codec.allCases.map(\.rawValue) == [0, 1, 2, 3, 4])
        #expect(Codec(rawValue: 5) == nil)
    }

    private func compress(_ codec: Codec, _ bytes: [UInt8]) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try codec.compress($0) }
    }

    private func decompress(_ codec: Codec, _ bytes: [UInt8], limit: Int) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try codec.decompress($0, limit: limit) }
    }

    private func hex(_ digits: String) -> [UInt8] {
        stride(from: 0, to: digits.count, by: 2).compactMap { start in
            let from = digits.index(digits.startIndex, offsetBy: start)
            return UInt8(digits[from..<digits.index(from, offsetBy: 2)], radix: 16)
        }
    }
}
