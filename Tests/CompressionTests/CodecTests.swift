// SPDX-License-Identifier: Apache-2.0

import Bytes
import Compression
import Foundation
import Testing

@Suite("Codecs")
struct CodecTests {
    @Test(
        "what a codec packs, it opens to the same bytes, at the limit too",
        arguments: Codec.allCases, [0, 1, 100, 65_535, 65_536, 300_000])
    func roundTrip(codec: Codec, count: Int) throws {
        var random = SplitMix64(seed: UInt64(count))
        // Half noise, half repetition, so that the output takes several steps and copies.
        let bytes = (0..<count).map { index in
            index % 2 == 0 ? UInt8.random(in: 0...255, using: &random) : 7
        }
        let packed = try codec.compress(bytes)
        #expect(try codec.decompress(packed, limit: count) == bytes)
        #expect(try codec.decompress(packed, limit: .max) == bytes)
    }

    @Test("bytes packed by other implementations open", arguments: Golden.all)
    func foreign(golden: Golden) throws {
        let packed = try golden.bytes()
        #expect(try golden.codec.decompress(packed, limit: Golden.text.count) == Golden.text)
        #expect(throws: CompressionError.overLimit(limit: Golden.text.count - 1)) {
            try golden.codec.decompress(packed, limit: Golden.text.count - 1)
        }
    }

    @Test(
        "members and frames that follow each other open to one text",
        arguments: [Codec.gzip, .zstd])
    func twoFrames(codec: Codec) throws {
        let packed = try codec.compress([1, 2, 3]) + codec.compress([4])
        #expect(try codec.decompress(packed, limit: 4) == [1, 2, 3, 4])
    }

    @Test(
        "what would open beyond the limit is refused, at one byte too many too",
        arguments: Codec.packing)
    func limit(codec: Codec) throws {
        let bomb = try codec.compress([UInt8](repeating: 0, count: 10 << 20))
        #expect(bomb.count < 1 << 20)
        for limit in [0, 1, 1 << 20, (10 << 20) - 1] {
            #expect(throws: CompressionError.overLimit(limit: limit)) {
                try codec.decompress(bomb, limit: limit)
            }
        }
        #expect(throws: CompressionError.overLimit(limit: 2)) {
            try Codec.none.decompress([1, 2, 3], limit: 2)
        }
    }

    @Test("no bytes are nothing that a codec wrote", arguments: Codec.packing)
    func empty(codec: Codec) {
        #expect(throws: CompressionError.damaged) { try codec.decompress([], limit: 1000) }
    }

    @Test("every prefix is refused", arguments: Golden.all)
    func prefixes(golden: Golden) throws {
        let packed = try golden.bytes()
        for end in packed.indices {
            let opened = try? golden.codec.decompress(
                [UInt8](packed[..<end]), limit: Golden.text.count)
            // Where a member, a frame or a block ends, there may be an end of all.
            guard let opened else { continue }
            #expect(
                golden.name.contains("two") || golden.name.contains("xerial"), "\(end) bytes")
            #expect(opened.count < Golden.text.count && Golden.text.starts(with: opened))
        }
    }

    @Test("garbage behind packed bytes is refused", arguments: Golden.all)
    func trailingGarbage(golden: Golden) throws {
        let packed = try golden.bytes()
        let garbage =
            [
                [0], [0, 0, 0, 0], [0x1f], [0x1f, 0x8b], [1, 2, 3], [0x28, 0xb5, 0x2f, 0xfd],
                [0x04, 0x22, 0x4d, 0x18], [UInt8](repeating: 0xff, count: 20),
            ] as [[UInt8]]
        for tail in garbage {
            #expect(throws: CompressionError.damaged, "\(tail)") {
                try golden.codec.decompress(packed + tail, limit: 1 << 20)
            }
        }
    }

    @Test("a flipped byte never opens to other bytes where a checksum covers all of them")
    func flips() throws {
        let covered = ["gzip", "lz4-all-checksums", "zstd"]
        for golden in Golden.all where covered.contains(golden.name) {
            let packed = try golden.bytes()
            for position in packed.indices {
                var damaged = packed
                damaged[position] ^= 0x55
                // gzip's time, and its flags for readers and system, are free to differ.
                let opened = try? golden.codec.decompress(damaged, limit: 1 << 20)
                #expect(opened == nil || opened == Golden.text, "\(golden.name): byte \(position)")
            }
        }
    }

    @Test("damaged bytes never open beyond the limit", arguments: Golden.all)
    func noise(golden: Golden) throws {
        let packed = try golden.bytes()
        var random = SplitMix64(seed: 7)
        for _ in 0..<2000 {
            var damaged = packed
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                // Mostly at the front, where sizes stand.
                let reach = Bool.random(using: &random) ? min(24, damaged.count) : damaged.count
                damaged[Int.random(in: 0..<reach, using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            do {
                let opened = try golden.codec.decompress(damaged, limit: 100_000)
                #expect(opened.count <= 100_000)
            } catch {
                let error = try #require(error as? CompressionError)
                #expect(error == .damaged || error == .overLimit(limit: 100_000))
            }
        }
    }

    @Test("several threads may meet a codec first")
    func threads() async throws {
        let bytes = Golden.text
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<40 {
                let codec = Codec.packing[number % Codec.packing.count]
                group.addTask {
                    try codec.decompress(codec.compress(bytes), limit: bytes.count) == bytes
                }
            }
            for try await isSame in group { #expect(isSame) }
        }
    }

    @Test("the numbers are Kafka's")
    func numbers() {
        #expect(Codec.allCases.map(\.rawValue) == [0, 1, 2, 3, 4])
        #expect(Codec(rawValue: 5) == nil)
    }
}
