// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Writes the primitive types of Kafka's protocol, one behind the other.
public struct KafkaWriter: Sendable {
    /// A place in the bytes where the sender puts others in.
    public struct Gap: Sendable, Equatable {
        public var position: Int
        public var count: Int
    }

    /// What was written.
    public private(set) var bytes: [UInt8] = []
    /// Where records go that are not in ``bytes``, in order.
    public private(set) var gaps: [Gap] = []

    /// A writer that has written nothing.
    public init() {}

    // MARK: Numbers

    public mutating func write(_ value: Int8) { bytes.append(UInt8(bitPattern: value)) }
    public mutating func write(_ value: Int16) { bytes.appendBigEndian(value) }
    public mutating func write(_ value: Int32) { bytes.appendBigEndian(value) }
    public mutating func write(_ value: Int64) { bytes.appendBigEndian(value) }
    public mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }
    public mutating func write(_ value: KafkaErrorCode) { write(value.rawValue) }

    public mutating func write(_ value: KafkaUUID) {
        bytes.appendBigEndian(value.high)
        bytes.appendBigEndian(value.low)
    }

    public mutating func writeUnsignedVarint(_ value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    // MARK: Lengths

    private mutating func writeLength(_ count: Int?, isFlexible: Bool, isShort: Bool) {
        if isFlexible {
            writeUnsignedVarint(count.map { UInt32($0 + 1) } ?? 0)
        } else if isShort {
            write(Int16(count ?? -1))
        } else {
            write(Int32(count ?? -1))
        }
    }

    /// The count of an array; `nil` for null.
    public mutating func writeCount(_ count: Int?, isFlexible: Bool) {
        writeLength(count, isFlexible: isFlexible, isShort: false)
    }

    /// Whether a structure that may be null follows.
    public mutating func writeIsPresent(_ isPresent: Bool) { write(isPresent ? Int8(1) : -1) }

    // MARK: Texts and bytes

    /// A text of less than 32 KiB, which is Kafka's limit; what is longer is cut behind a character.
    public mutating func write(_ value: String?, isFlexible: Bool) {
        guard let value else { return writeLength(nil, isFlexible: isFlexible, isShort: true) }
        let text = value.utf8.count <= Self.textMax ? value[...] : Self.cut(value)
        writeLength(text.utf8.count, isFlexible: isFlexible, isShort: true)
        bytes.append(contentsOf: text.utf8)
    }

    /// The longest text, in bytes.
    static let textMax = Int(Int16.max)

    private static func cut(_ text: String) -> Substring {
        var end = text.utf8.index(text.startIndex, offsetBy: textMax)
        while end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return text[..<end]
    }

    public mutating func write(_ value: [UInt8]?, isFlexible: Bool) {
        writeLength(value?.count, isFlexible: isFlexible, isShort: false)
        if let value { bytes.append(contentsOf: value) }
    }

    public mutating func write(_ value: KafkaRecords, isFlexible: Bool) {
        switch value {
        case .null: writeLength(nil, isFlexible: isFlexible, isShort: false)
        case .bytes(let content): write(content, isFlexible: isFlexible)
        case .external(let count):
            writeLength(count, isFlexible: isFlexible, isShort: false)
            gaps.append(Gap(position: bytes.count, count: count))
        case .slice:
            preconditionFailure("records that were read are written as bytes: a slice has none")
        }
    }

    /// Writes bytes as they are, without a length.
    public mutating func write(_ content: [UInt8]) { bytes.append(contentsOf: content) }

    // MARK: Tagged fields

    /// Tagged fields of a structure, in the order of their tags.
    public struct Tags {
        private var count: UInt32 = 0
        private var content = KafkaWriter()

        /// No fields.
        public init() {}

        /// Adds a field.
        public mutating func add(_ tag: UInt32, _ field: KafkaWriter) {
            count += 1
            content.writeUnsignedVarint(tag)
            content.writeUnsignedVarint(UInt32(field.bytes.count))
            content.write(field.bytes)
        }

        fileprivate func write(to writer: inout KafkaWriter) {
            writer.writeUnsignedVarint(count)
            writer.write(content.bytes)
        }
    }

    public mutating func write(_ tags: Tags) { tags.write(to: &self) }

    /// No tagged fields.
    public mutating func writeEmptyTags() { bytes.append(0) }
}
