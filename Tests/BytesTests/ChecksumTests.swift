// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite("CRC32C")
struct ChecksumTests {
    @Test("the vectors of RFC 3720 appendix B.4")
    func vectors() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46dd_794e)
        #expect(CRC32C.checksum((0..<32).map { 31 - UInt8($0) }) == 0x113f_db5c)
        let read: [UInt8] = [
            0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0,
            0,
            0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
        ]
        #expect(CRC32C.checksum(read) == 0xd996_3a56)
    }

    @Test("the check value of the catalogues, and nothing at all")
    func checkValue() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum([]) == 0)
        #expect(CRC32C.checksum([], seed: 0x1234_5678) == 0x1234_5678)
    }

    @Test("the processor's way and the table agree at every length and alignment")
    func pathsAgree() {
        var random = SplitMix64(seed: 1)
        let bytes = (0..<20_100).map { _ in UInt8.random(in: 0...255, using: &random) }
        // Steps of 61 meet all remainders modulo 8, 24, 64, 256 and the long streams' length; up to
        // four kilobytes every length is tried.
        let lengths =
            Array(0...4096) + Array(stride(from: 4096, through: 20_000, by: 61))
            + [4095 * 3, 4096 * 3 - 1, 4096 * 3, 4096 * 3 + 1, 20_000]
        bytes.withUnsafeBytes { whole in
            for length in lengths {
                let start = length % 67
                let part = UnsafeRawBufferPointer(rebasing: whole[start..<(start + length)])
                let seed = UInt32(truncatingIfNeeded: random.next())
                let paths = CRC32C.checksumByEachPath(part, seed: seed)
                let taken = CRC32C.checksum(part, seed: seed)
                if paths.contains(where: { $0 != taken }) {
                    Issue.record("length \(length) at \(start): \(taken), \(paths)")
                }
            }
        }
    }

    @Test("the table agrees with the definition, bit by bit")
    func definition() {
        var random = SplitMix64(seed: 2)
        for length in 0..<70 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(CRC32C.checksumByTable(bytes) == Self.bitByBit(bytes))
        }
    }

    @Test(
        "the checksum of two parts is the second's, seeded with the first's",
        arguments: 1...100 as ClosedRange<UInt64>)
    func concatenation(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let bytes = (0..<Int.random(in: 0...15_000, using: &random)).map {
            UInt8(truncatingIfNeeded: $0 &* 31)
        }
        let cut = Int.random(in: 0...bytes.count, using: &random)
        let first = CRC32C.checksum(Array(bytes[..<cut]))
        #expect(CRC32C.checksum(Array(bytes[cut...]), seed: first) == CRC32C.checksum(bytes))
    }

    @Test("a flipped bit changes the checksum")
    func flip() {
        let bytes = [UInt8](repeating: 0x5a, count: 300)
        let sound = CRC32C.checksum(bytes)
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            if CRC32C.checksum(damaged) == sound { Issue.record("bit \(bit)") }
        }
    }

    private static func bitByBit(_ bytes: [UInt8]) -> UInt32 {
        var remainder: UInt32 = 0xffff_ffff
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82f6_3b78 : remainder >> 1
            }
        }
        return ~remainder
    }
}
