// SPDX-License-Identifier: Apache-2.0

/// Compresses: the table of strings is a hash table of fixed size with open addressing, from a code and
/// the byte behind it to the code of both.
struct LzwEncoder {
    private var output: [UInt8] = []
    /// Bits that are not a whole byte yet, the next one lowest.
    private var bits: UInt64 = 0
    private var bitCount = 0

    private var width = Lzw.widthMin
    /// The last code that was given to a string.
    private var highest = Lzw.end
    /// The first code that does not fit `width` bits.
    private var limit = 512

    /// Each place holds the code and byte of a string above the 12 bits of its code; 0 is free, since
    /// no string has the code 0.
    private var table: [UInt32]
    private let mask: UInt32

    /// An encoder with a table for about `count` bytes: at least twice as many places as strings.
    init(expecting count: Int) {
        var places = 256
        while places < 2 * min(count, Lzw.codeMax) { places *= 2 }
        table = [UInt32](repeating: 0, count: places)
        mask = UInt32(places - 1)
        output.reserveCapacity(count / 2 + 16)
    }

    mutating func encode(_ bytes: [UInt8]) {
        emit(Lzw.clear)
        guard var prefix = bytes.first.map(UInt32.init) else { return }
        for byte in bytes.dropFirst() {
            let key = prefix << 8 | UInt32(byte)
            let place = place(of: key)
            if table[place] != 0 {
                prefix = table[place] & 0xfff
                continue
            }
            emit(Int(prefix))
            if advance() { table[place] = key << 12 | UInt32(highest) }
            prefix = UInt32(byte)
        }
        emit(Int(prefix))
        _ = advance()
    }

    mutating func finish() -> [UInt8] {
        emit(Lzw.end)
        if bitCount > 0 { output.append(UInt8(truncatingIfNeeded: bits)) }
        return output
    }

    /// Where a string is, or where it would be put.
    @inline(__always)
    private func place(of key: UInt32) -> Int {
        // The multiplier is 2³² by the golden ratio; the high bits of the product are the mixed ones.
        var place = (key &* 0x9e37_79b1) >> 16 & mask
        while true {
            let entry = table[Int(place)]
            if entry == 0 || entry >> 12 == key { return Int(place) }
            place = (place + 1) & mask
        }
    }

    /// Goes on to the next code; `false` if there is none and the table was cleared.
    private mutating func advance() -> Bool {
        highest += 1
        if highest == limit {
            width += 1
            limit *= 2
        }
        guard highest == Lzw.codeMax else { return true }
        emit(Lzw.clear)
        width = Lzw.widthMin
        highest = Lzw.end
        limit = 512
        for place in table.indices { table[place] = 0 }
        return false
    }

    @inline(__always)
    private mutating func emit(_ code: Int) {
        bits |= UInt64(code) << bitCount
        bitCount += width
        while bitCount >= 8 {
            output.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
    }
}
