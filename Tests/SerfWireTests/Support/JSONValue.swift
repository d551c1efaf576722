// SPDX-License-Identifier: Apache-2.0

/// A value of JSON.
///
/// Numbers are compared as such, whole or not.
enum JSONValue: Decodable, Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case map([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if box.decodeNil() {
            self = .null
        } else if let value = try? box.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? box.decode(Double.self) {
            self = .number(value)
        } else if let value = try? box.decode(String.self) {
            self = .text(value)
        } else if let value = try? box.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .map(try box.decode([String: JSONValue].self))
        }
    }

    subscript(key: String) -> JSONValue? {
        guard case .map(let map) = self else { return nil }
        return map[key]
    }

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    var number: Double? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    var list: [JSONValue]? {
        guard case .list(let list) = self else { return nil }
        return list
    }

    var map: [String: JSONValue]? {
        guard case .map(let map) = self else { return nil }
        return map
    }
}

extension JSONValue {
    static func number(_ value: some BinaryInteger) -> JSONValue { .number(Double(value)) }

    /// Bytes as the vectors have them: text if all are printable, hexadecimal otherwise, null if none.
    static func bytes(_ bytes: [UInt8]) -> JSONValue {
        guard !bytes.isEmpty else { return .null }
        let isPrintable = bytes.allSatisfy { 0x20...0x7e ~= $0 }
        return .text(isPrintable ? String(decoding: bytes, as: UTF8.self) : "hex:" + hexText(bytes))
    }

    /// The same with absent and empty written alike, as they are meant alike.
    var normalized: JSONValue {
        switch self {
        case .text(""), .list([]): .null
        case .list(let values): .list(values.map(\.normalized))
        case .map(let values): .map(values.mapValues(\.normalized))
        default: self
        }
    }
}
