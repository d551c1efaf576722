// SPDX-License-Identifier: Apache-2.0

/// The first bytes of a value: how many bytes follow as its content, and how many values are in it.
///
/// Both are at most 2³³: any 32-bit length, and two values for each entry of a map.
struct MessagePackToken {
    /// Bytes of content behind the head.
    var length = 0
    /// Values behind the head.
    var children = 0

    /// Reads the head of the next value, and nothing of its content.
    init(at reader: inout MessagePackReader) throws(WireError) {
        let first = try reader.byte()
        switch first {
        case 0x00...0x7f, 0xe0...0xff, 0xc0, 0xc2, 0xc3: break
        case 0x80...0x8f: children = 2 * Int(first & 0x0f)
        case 0x90...0x9f: children = Int(first & 0x0f)
        case 0xa0...0xbf: length = Int(first & 0x1f)
        case 0xc4, 0xd9: length = Int(try reader.fixed(UInt8.self))
        case 0xc5, 0xda: length = Int(try reader.fixed(UInt16.self))
        case 0xc6, 0xdb: length = Int(try reader.fixed(UInt32.self))
        // An extension has one byte more, its type.
        case 0xc7: length = Int(try reader.fixed(UInt8.self)) + 1
        case 0xc8: length = Int(try reader.fixed(UInt16.self)) + 1
        case 0xc9: length = Int(try reader.fixed(UInt32.self)) + 1
        case 0xca, 0xce, 0xd2: length = 4
        case 0xcb, 0xcf, 0xd3: length = 8
        case 0xcc, 0xd0: length = 1
        case 0xcd, 0xd1: length = 2
        case 0xd4...0xd8: length = 1 + 1 << Int(first - 0xd4)
        case 0xdc: children = Int(try reader.fixed(UInt16.self))
        case 0xdd: children = Int(try reader.fixed(UInt32.self))
        case 0xde: children = 2 * Int(try reader.fixed(UInt16.self))
        case 0xdf: children = 2 * Int(try reader.fixed(UInt32.self))
        default: throw .malformed("c1 begins no value")
        }
    }
}
