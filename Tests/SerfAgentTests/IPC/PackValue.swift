// SPDX-License-Identifier: Apache-2.0

/// A MessagePack value as the agent's IPC port speaks it.
///
/// It is a second reading of the format, on purpose apart from the room under test: a mistake there
/// must not cancel itself out here.
indirect enum PackValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case unsigned(UInt64)
    case signed(Int64)
    case double(Double)
    case text(String)
    case bytes([UInt8])
    case list([PackValue])
    case map([Entry])

    struct Entry: Equatable, Sendable {
        var key: String
        var value: PackValue
    }

    /// A map in the order in which it is written here.
    static func fields(_ pairs: KeyValuePairs<String, PackValue>) -> PackValue {
        .map(pairs.map { Entry(key: $0.key, value: $0.value) })
    }

    static func strings(_ values: [String]) -> PackValue {
        .list(values.map { .text($0) })
    }

    static func strings(_ values: [String: String]) -> PackValue {
        .map(values.sorted { $0.key < $1.key }.map { Entry(key: $0.key, value: .text($0.value)) })
    }
}

// What is in a value, if it is of that kind.
extension PackValue {
    subscript(key: String) -> PackValue? {
        guard case .map(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }

    var text: String? {
        switch self {
        case .text(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// The bytes of a text or byte string; none of a null.
    var bytes: [UInt8]? {
        switch self {
        case .text(let text): Array(text.utf8)
        case .bytes(let bytes): bytes
        case .null: []
        default: nil
        }
    }

    var integer: Int? {
        switch self {
        case .unsigned(let value): Int(exactly: value)
        case .signed(let value): Int(value)
        default: nil
        }
    }

    var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    var list: [PackValue]? {
        switch self {
        case .list(let values): values
        case .null: []
        default: nil
        }
    }

    var textMap: [String: String]? {
        switch self {
        case .map(let entries):
            Dictionary(entries.map { ($0.key, $0.value.text ?? "") }) { _, last in last }
        case .null: [:]
        default: nil
        }
    }

    var countMap: [String: Int]? {
        switch self {
        case .map(let entries):
            Dictionary(entries.map { ($0.key, $0.value.integer ?? 0) }) { _, last in last }
        case .null: [:]
        default: nil
        }
    }
}

// Writing: every integer and length in its shortest form.
extension PackValue {
    var encoded: [UInt8] {
        var output: [UInt8] = []
        write(into: &output)
        return output
    }

    private func write(into output: inout [UInt8]) {
        switch self {
        case .null: output.append(0xc0)
        case .bool(let value): output.append(value ? 0xc3 : 0xc2)
        case .unsigned(let value): Self.write(value, into: &output)
        case .signed(let value): Self.write(value, into: &output)
        case .double(let value):
            output.append(0xcb)
            Self.append(value.bitPattern, bytes: 8, into: &output)
        case .text(let text):
            let utf8 = Array(text.utf8)
            Self.writeLength(
                utf8.count, short: (0xa0, 31), byte: 0xd9, two: 0xda, four: 0xdb, into: &output)
            output += utf8
        case .bytes(let bytes):
            Self.writeLength(
                bytes.count, short: nil, byte: 0xc4, two: 0xc5, four: 0xc6, into: &output)
            output += bytes
        case .list(let values):
            Self.writeLength(
                values.count, short: (0x90, 15), byte: nil, two: 0xdc, four: 0xdd, into: &output)
            for value in values { value.write(into: &output) }
        case .map(let entries):
            Self.writeLength(
                entries.count, short: (0x80, 15), byte: nil, two: 0xde, four: 0xdf, into: &output)
            for entry in entries {
                PackValue.text(entry.key).write(into: &output)
                entry.value.write(into: &output)
            }
        }
    }

    private static func write(_ value: UInt64, into output: inout [UInt8]) {
        switch value {
        case 0...0x7f: output.append(UInt8(value))
        case 0...0xff: output += [0xcc, UInt8(value)]
        case 0...0xffff: append(value, after: 0xcd, bytes: 2, into: &output)
        case 0...0xffff_ffff: append(value, after: 0xce, bytes: 4, into: &output)
        default: append(value, after: 0xcf, bytes: 8, into: &output)
        }
    }

    private static func write(_ value: Int64, into output: inout [UInt8]) {
        let pattern = UInt64(bitPattern: value)
        switch value {
        case 0...: write(pattern, into: &output)
        case (-32)...: output.append(UInt8(truncatingIfNeeded: value))
        case (-0x80)...: output += [0xd0, UInt8(truncatingIfNeeded: value)]
        case (-0x8000)...: append(pattern, after: 0xd1, bytes: 2, into: &output)
        case (-0x8000_0000)...: append(pattern, after: 0xd2, bytes: 4, into: &output)
        default: append(pattern, after: 0xd3, bytes: 8, into: &output)
        }
    }

    private static func writeLength(
        _ count: Int, short: (base: UInt8, most: Int)?, byte: UInt8?, two: UInt8, four: UInt8,
        into output: inout [UInt8]
    ) {
        if let short, count <= short.most {
            output.append(short.base | UInt8(count))
        } else if let byte, count <= 0xff {
            output += [byte, UInt8(count)]
        } else if count <= 0xffff {
            append(UInt64(count), after: two, bytes: 2, into: &output)
        } else {
            append(UInt64(count), after: four, bytes: 4, into: &output)
        }
    }

    private static func append(
        _ value: UInt64, after type: UInt8? = nil, bytes: Int, into output: inout [UInt8]
    ) {
        if let type { output.append(type) }
        for index in (0..<bytes).reversed() {
            output.append(UInt8(truncatingIfNeeded: value >> (8 * index)))
        }
    }
}
