// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite("Variable-length integers")
struct VarintTests {
    /// Both sides of each place where the length changes, and chance.
    private static let values: [UInt64] = {
        var random = SplitMix64(seed: 1)
        var values: [UInt64] = [0, 1, .max, .max - 1]
        for bits in 1..<64 as Range<UInt64> {
            let power: UInt64 = 1 << bits
            values += [power - 1, power, power + 1, UInt64.random(in: 0..<power, using: &random)]
        }
        return values
    }()

    @Test("what is written reads back, in the length foretold")
    func roundTrip() {
        for value in Self.values {
            let bytes = Self.write(value)
            #expect(bytes.count == Varint.length(of: value))
            var position = 0
            #expect(Self.read(bytes, at: &position) == value)
            #expect(position == bytes.count)
        }
    }

    @Test("zigzag codes read back, in the length foretold")
    func zigZag() {
        for value in Self.values.map({ Int64(bitPattern: $0) }) {
            #expect(Varint.unZigZag(Varint.zigZag(value)) == value)
            let bytes = Self.write(Varint.zigZag(value))
            #expect(bytes.count == Varint.length(ofZigZag: value))
            var position = 0
            #expect(bytes.withUnsafeBytes { Varint.readZigZag64($0, at: &position) } == value)
        }
        #expect([0, -1, 1, -2, 2].map(Varint.zigZag) == [0, 1, 2, 3, 4])
        #expect(Varint.zigZag(.min) == .max)
    }

    @Test("the bytes are those of Protocol Buffers")
    func knownBytes() {
        #expect(Self.write(1) == [1])
        #expect(Self.write(300) == [0xac, 0x02])
        #expect(Self.write(.max) == [UInt8](repeating: 0xff, count: 9) + [1])
    }

    @Test("what is cut short is refused, and the position stays")
    func cut() {
        for value in Self.values {
            let bytes = Self.write(value)
            for end in 0..<bytes.count {
                var position = 0
                #expect(Self.read(Array(bytes[..<end]), at: &position) == nil)
                #expect(position == 0)
            }
        }
    }

    @Test("what is longer than it needs to be is refused")
    func padded() {
        for bytes in [[0x80, 0], [0x81, 0], [0xff, 0x80, 0], [0x80, 0x80, 0x80, 0x80, 0]]
            as [[UInt8]]
        {
            var position = 0
            #expect(Self.read(bytes, at: &position) == nil, "\(bytes)")
        }
    }

    @Test("what has more than 64 bits is refused")
    func tooLong() {
        for last in [2, 3, 0x7f, 0x80, 0x81] as [UInt8] {
            var position = 0
            let bytes = [UInt8](repeating: 0xff, count: 9) + [last, 1]
            #expect(Self.read(bytes, at: &position) == nil, "\(last)")
        }
    }

    @Test("a 32-bit value takes five bytes and 32 bits at most")
    func narrow() {
        func read(_ value: Int64) -> Int32? {
            var position = 0
            return Self.write(Varint.zigZag(value)).withUnsafeBytes {
                Varint.readZigZag32($0, at: &position)
            }
        }
        #expect(read(Int64(Int32.max)) == .max)
        #expect(read(Int64(Int32.min)) == .min)
        #expect(read(Int64(Int32.max) + 1) == nil)
        #expect(read(Int64(Int32.min) - 1) == nil)
        #expect(read(.max) == nil)
    }

    @Test("reading begins at the position, and may not begin behind the end")
    func position() {
        let bytes: [UInt8] = [9, 0xac, 0x02, 5]
        var position = 1
        #expect(Self.read(bytes, at: &position) == 300)
        #expect(position == 3)
        position = 4
        #expect(Self.read(bytes, at: &position) == nil)
    }

    private static func write(_ value: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Varint.maxLength64)
        var position = 0
        bytes.withUnsafeMutableBytes { Varint.write(value, to: $0, at: &position) }
        return Array(bytes[..<position])
    }

    private static func read(_ bytes: [UInt8], at position: inout Int) -> UInt64? {
        bytes.withUnsafeBytes { Varint.read($0, at: &position) }
    }
}
