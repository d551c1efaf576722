// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The bytes that stand for a value of their own.
enum MessagePack {
    static let nothing: UInt8 = 0xc0
    static let no: UInt8 = 0xc2
    static let yes: UInt8 = 0xc3
}

/// Writes MessagePack values one behind the other into one array, in the dialect that Serf 0.9 and 0.10
/// both read: text and bytes as raw (`a0…bf`, `da`, `db`), never as str8 or bin; integers in the
/// shortest unsigned form.
public struct MessagePackWriter: Sendable {
    /// What was written.
    public private(set) var bytes: [UInt8]

    /// A writer behind some bytes, mostly the type of a message.
    public init(_ start: [UInt8] = []) {
        bytes = start
    }

    /// A writer behind the type of a message, with room for what usually follows.
    init(type: UInt8, capacity: Int = 96) {
        bytes = []
        bytes.reserveCapacity(capacity)
        bytes.append(type)
    }

    /// Bytes as they are, without a head.
    mutating func append(_ content: some Sequence<UInt8>) {
        bytes.append(contentsOf: content)
    }

    public mutating func writeNil() {
        bytes.append(MessagePack.nothing)
    }

    public mutating func write(_ value: Bool) {
        bytes.append(value ? MessagePack.yes : MessagePack.no)
    }

    public mutating func write(_ value: Double) {
        bytes.append(0xcb)
        bytes.appendBigEndian(value.bitPattern)
    }

    /// A number that is not negative, in the fewest bytes.
    public mutating func write(_ value: UInt64) {
        if value < 0x80 {
            bytes.append(UInt8(value))
        } else if let short = UInt8(exactly: value) {
            bytes.append(0xcc)
            bytes.append(short)
        } else if let short = UInt16(exactly: value) {
            bytes.append(0xcd)
            bytes.appendBigEndian(short)
        } else if let short = UInt32(exactly: value) {
            bytes.append(0xce)
            bytes.appendBigEndian(short)
        } else {
            bytes.append(0xcf)
            bytes.appendBigEndian(value)
        }
    }

    public mutating func write(_ value: some FixedWidthInteger & UnsignedInteger) {
        write(UInt64(value))
    }

    /// A signed number: one that is not negative in the unsigned form, as Serf 0.9 does, which 0.10
    /// reads as well.
    public mutating func write(_ value: Int64) {
        if value >= 0 {
            write(UInt64(value))
        } else if value >= -32 {
            bytes.append(UInt8(bitPattern: Int8(value)))
        } else if let short = Int8(exactly: value) {
            bytes.append(0xd0)
            bytes.appendBigEndian(short)
        } else if let short = Int16(exactly: value) {
            bytes.append(0xd1)
            bytes.appendBigEndian(short)
        } else if let short = Int32(exactly: value) {
            bytes.append(0xd2)
            bytes.appendBigEndian(short)
        } else {
            bytes.append(0xd3)
            bytes.appendBigEndian(value)
        }
    }

    /// The head of a text or of bytes.
    private mutating func writeRawHead(_ count: Int) {
        if count < 32 {
            bytes.append(0xa0 | UInt8(count))
        } else if let short = UInt16(exactly: count) {
            bytes.append(0xda)
            bytes.appendBigEndian(short)
        } else {
            precondition(count <= UInt32.max, "no text of \(count) bytes can be written")
            bytes.append(0xdb)
            bytes.appendBigEndian(UInt32(count))
        }
    }

    public mutating func write(_ text: String) {
        let content = text.utf8
        writeRawHead(content.count)
        bytes.append(contentsOf: content)
    }

    /// Bytes, also when there are none.
    public mutating func write(_ content: [UInt8]) {
        writeRawHead(content.count)
        bytes.append(contentsOf: content)
    }

    /// Bytes, or nil when there are none: what Go's encoder makes of an absent slice.
    public mutating func writeOrNil(_ content: [UInt8]) {
        if content.isEmpty { writeNil() } else { write(content) }
    }

    /// The head of a list of `count` values.
    public mutating func writeArrayHead(_ count: Int) {
        if count < 16 {
            bytes.append(0x90 | UInt8(count))
        } else if let short = UInt16(exactly: count) {
            bytes.append(0xdc)
            bytes.appendBigEndian(short)
        } else {
            precondition(count <= UInt32.max, "no list of \(count) values can be written")
            bytes.append(0xdd)
            bytes.appendBigEndian(UInt32(count))
        }
    }

    /// The head of a map of `count` entries.
    ///
    /// The keys of a structure follow in ascending order.
    public mutating func writeMapHead(_ count: Int) {
        if count < 16 {
            bytes.append(0x80 | UInt8(count))
        } else if let short = UInt16(exactly: count) {
            bytes.append(0xde)
            bytes.appendBigEndian(short)
        } else {
            precondition(count <= UInt32.max, "no map of \(count) entries can be written")
            bytes.append(0xdf)
            bytes.appendBigEndian(UInt32(count))
        }
    }

    /// The name of a field.
    public mutating func writeKey(_ name: StaticString) {
        writeRawHead(name.utf8CodeUnitCount)
        let start = unsafe UnsafeBufferPointer(
            start: name.utf8Start, count: name.utf8CodeUnitCount)
        unsafe bytes.append(contentsOf: start)
    }
}
