// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct LzwTests {
    /// Codes of 9 bits, packed.
    private func packed(_ codes: Int...) -> [UInt8] {
        var bits = codes.enumerated().reduce(UInt128(0)) {
            $0 | UInt128($1.element) << UInt128(9 * $1.offset)
        }
        var bytes: [UInt8] = []
        for _ in 0..<(codes.count * 9 + 7) / 8 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
        }
        return bytes
    }

    @Test("bytes by a seed come out as they went in, through several tables")
    func roundTrip() throws {
        var random = RandomMessages(seed: 6)
        for round in 0..<60 {
            // From noise to long repetitions.
            let letters = [1, 2, 3, 16, 255][round % 5]
            let bytes = random.bytes(0...40_000).map { $0 % UInt8(letters) }
            let packed = Lzw.compress(bytes)
            #expect(try Lzw.decompress(packed, limit: bytes.count) == bytes)
        }
    }

    @Test("the table fills, is cleared and goes on, at every length around that")
    func clearing() throws {
        var random = RandomMessages(seed: 7)
        let bytes = random.bytes(5000...5000)
        for count in 3800...3900 {
            let part = [UInt8](bytes[..<count])
            #expect(try Lzw.decompress(Lzw.compress(part), limit: count) == part)
        }
    }

    @Test("the output is at most what is allowed, and exactly that is allowed")
    func limit() throws {
        let bytes = [UInt8](repeating: 5, count: 1_000_000)
        let packed = Lzw.compress(bytes)
        #expect(packed.count < 4000)
        #expect(try Lzw.decompress(packed, limit: 1_000_000) == bytes)
        #expect(throws: WireError.tooLong(limit: 999_999)) {
            try Lzw.decompress(packed, limit: 999_999)
        }
        #expect(throws: WireError.tooLong(limit: 0)) { try Lzw.decompress(packed, limit: 0) }
        #expect(try Lzw.decompress([0, 3, 2], limit: 0) == [])
    }

    @Test("a code that stands for nothing yet is malformed")
    func badCodes() {
        let flaw = WireError.malformed("an LZW code stands for nothing yet")
        for codes in [
            packed(256, 258, 257), packed(258, 257), packed(97, 259, 257),
            packed(256, 97, 258, 256, 258, 257), packed(97, 511, 257),
        ] {
            #expect(throws: flaw) { try Lzw.decompress(codes, limit: 100) }
        }
    }

    @Test("a code may stand for the string that is just being entered")
    func ownString() throws {
        #expect(
            try Lzw.decompress(packed(256, 97, 258, 259, 257), limit: 100)
                == [UInt8](repeating: 97, count: 6))
    }

    @Test("clearing is not needed first, and may come twice")
    func clears() throws {
        #expect(try Lzw.decompress(packed(97, 98, 257), limit: 100) == [97, 98])
        #expect(try Lzw.decompress(packed(256, 256, 97, 256, 98, 257), limit: 100) == [97, 98])
    }

    @Test("what follows the end is ignored, and an end is needed")
    func end() throws {
        #expect(try Lzw.decompress(packed(256, 97, 257) + [1, 2, 3], limit: 100) == [97])
        #expect(throws: WireError.truncated) { try Lzw.decompress(packed(256, 97), limit: 100) }
        #expect(throws: WireError.truncated) { try Lzw.decompress([], limit: 100) }
        let whole = Lzw.compress([UInt8](0..<200))
        for count in 0..<whole.count {
            #expect(throws: WireError.truncated) {
                try Lzw.decompress([UInt8](whole[..<count]), limit: 1000)
            }
        }
    }

    @Test("a full table that is not cleared goes on with the strings it has")
    func fullTable() throws {
        // Noise, encoded without ever clearing: literals of a growing width, 3,837 strings long and on.
        var random = RandomMessages(seed: 8)
        let bytes = random.bytes(6000...6000)
        var writer = BitWriter()
        var (width, highest, limit) = (9, 257, 512)
        for byte in bytes {
            writer.write(Int(byte), width)
            highest += 1
            if highest >= limit {
                if width == 12 {
                    highest -= 1
                } else {
                    width += 1
                    limit *= 2
                }
            }
        }
        // The last string that was entered: bytes 3,837 and 3,838 of the input.
        writer.write(4095, width)
        writer.write(257, width)
        let expected = bytes + bytes[3837...3838]
        #expect(try Lzw.decompress(writer.finished, limit: 10_000) == expected)
    }
}

/// Packs codes of any width, the least significant bit first.
private struct BitWriter {
    private var bytes: [UInt8] = []
    private var bits: UInt64 = 0
    private var count = 0

    mutating func write(_ code: Int, _ width: Int) {
        bits |= UInt64(code) << count
        count += width
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            count -= 8
        }
    }

    var finished: [UInt8] { bytes + [UInt8(truncatingIfNeeded: bits)] }
}
