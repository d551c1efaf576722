// SPDX-License-Identifier: Apache-2.0

/// Takes values off the front of bytes that are still arriving.
struct PackReader {
    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    private struct NeedsMore: Error {}

    private(set) var bytes: [UInt8] = []
    private var position = 0
    private static let depthMax = 16

    init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    mutating func append(_ more: some Sequence<UInt8>) {
        bytes += more
    }

    /// The next whole value, or nil when its end has not come yet.
    mutating func next() throws -> PackValue? {
        position = 0
        do {
            let value = try value(depth: 0)
            bytes.removeFirst(position)
            return value
        } catch is NeedsMore {
            return nil
        }
    }

    private mutating func value(depth: Int) throws -> PackValue {
        guard depth < Self.depthMax else { throw Malformed(description: "too deep") }
        let type = try take(1)[0]
        switch type {
        case 0x00...0x7f: return .unsigned(UInt64(type))
        case 0xe0...0xff: return .signed(Int64(Int8(bitPattern: type)))
        case 0x80...0x8f: return try map(Int(type & 0x0f), depth: depth)
        case 0x90...0x9f: return try list(Int(type & 0x0f), depth: depth)
        case 0xa0...0xbf: return try text(Int(type & 0x1f))
        case 0xc0: return .null
        case 0xc2, 0xc3: return .bool(type == 0xc3)
        case 0xc4...0xc6: return .bytes(try take(try length(1 << (type - 0xc4))))
        case 0xca: return .double(Double(Float(bitPattern: UInt32(try integer(4)))))
        case 0xcb: return .double(Double(bitPattern: try integer(8)))
        case 0xcc...0xcf: return .unsigned(try integer(1 << (type - 0xcc)))
        case 0xd0...0xd3: return .signed(try signed(1 << (type - 0xd0)))
        case 0xd9...0xdb: return try text(try length(1 << (type - 0xd9)))
        case 0xdc, 0xdd: return try list(try length(2 << (type - 0xdc)), depth: depth)
        case 0xde, 0xdf: return try map(try length(2 << (type - 0xde)), depth: depth)
        default: throw Malformed(description: "type \(type)")
        }
    }

    private mutating func map(_ count: Int, depth: Int) throws -> PackValue {
        var entries: [PackValue.Entry] = []
        for _ in 0..<count {
            guard let key = try value(depth: depth + 1).text else {
                throw Malformed(description: "a key that is no text")
            }
            entries.append(.init(key: key, value: try value(depth: depth + 1)))
        }
        return .map(entries)
    }

    private mutating func list(_ count: Int, depth: Int) throws -> PackValue {
        var values: [PackValue] = []
        for _ in 0..<count {
            values.append(try value(depth: depth + 1))
        }
        return .list(values)
    }

    private mutating func text(_ count: Int) throws -> PackValue {
        let raw = try take(count)
        // Bytes that are no text stay what they are, so that they can be written again.
        return String(validating: raw, as: UTF8.self).map { .text($0) } ?? .bytes(raw)
    }

    private mutating func length(_ width: Int) throws -> Int {
        let length = try integer(width)
        guard length <= 32 << 20 else { throw Malformed(description: "length \(length)") }
        return Int(length)
    }

    private mutating func integer(_ width: Int) throws -> UInt64 {
        try take(width).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func signed(_ width: Int) throws -> Int64 {
        let shift = 64 - 8 * width
        return Int64(bitPattern: try integer(width) << shift) >> shift
    }

    private mutating func take(_ count: Int) throws -> [UInt8] {
        guard bytes.count - position >= count else { throw NeedsMore() }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }
}
