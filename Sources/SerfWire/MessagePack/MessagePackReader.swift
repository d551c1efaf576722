// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Reads MessagePack values one after the other, as the messages of Serf use them.
///
/// Taken are all forms that a peer may send: text and bytes as raw, str or bin alike, nil where text,
/// bytes, a list or a map may be absent, and integers in any form that fits their field. No tree of
/// values is built: the caller asks for the type that it expects, and skips what it does not know.
///
/// Memory is bounded by the bytes that came: each length is compared with what is left before anything
/// is allocated, and each element of a list or map counts as one byte at least.
///
/// The buffer must outlive the reader.
@safe
public struct MessagePackReader {
    private let bytes: UnsafeRawBufferPointer
    /// How many bytes were read.
    public internal(set) var position = 0

    /// A reader at the beginning of some bytes.
    public init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = bytes
    }

    /// Reads an array from its beginning.
    public static func read<Value>(
        _ bytes: [UInt8], _ body: (inout MessagePackReader) throws(WireError) -> Value
    ) throws(WireError) -> Value {
        try unsafe bytes.span.bytes.withUnsafeBytes { content throws(WireError) in
            var reader = unsafe MessagePackReader(content)
            return try body(&reader)
        }
    }

    /// How many bytes are left.
    public var remaining: Int { unsafe bytes.count - position }

    // MARK: Bytes

    /// The next byte, which is not read yet.
    func peek() throws(WireError) -> UInt8 {
        guard remaining > 0 else { throw .truncated }
        return unsafe bytes[position]
    }

    mutating func byte() throws(WireError) -> UInt8 {
        let byte = try peek()
        position += 1
        return byte
    }

    /// An integer of fixed size, most significant byte first.
    mutating func fixed<Value: FixedWidthInteger & BitwiseCopyable>(
        _: Value.Type
    ) throws(WireError) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw .truncated }
        defer { position += size }
        return unsafe bytes.bigEndian(at: position)
    }

    /// The next `count` bytes, in place.
    @unsafe
    mutating func take(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        guard count <= remaining else { throw .truncated }
        defer { position += count }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
    }

    /// The next `count` bytes, copied.
    mutating func copy(_ count: Int) throws(WireError) -> [UInt8] {
        unsafe [UInt8](try take(count))
    }

    /// All that is left, copied.
    mutating func rest() -> [UInt8] {
        defer { unsafe position = bytes.count }
        return unsafe [UInt8](bytes[position...])
    }

    /// Whether the next value is nil; it is read if so.
    public mutating func isNil() throws(WireError) -> Bool {
        guard try peek() == MessagePack.nothing else { return false }
        position += 1
        return true
    }

    // MARK: Numbers

    /// An integer in any form, if its value fits.
    public mutating func integer<Value: FixedWidthInteger>(
        _: Value.Type = Value.self
    ) throws(WireError) -> Value {
        let first = try byte()
        let value: Value? =
            switch first {
            case 0x00...0x7f: Value(exactly: first)
            case 0xe0...0xff: Value(exactly: Int8(bitPattern: first))
            case 0xcc: Value(exactly: try fixed(UInt8.self))
            case 0xcd: Value(exactly: try fixed(UInt16.self))
            case 0xce: Value(exactly: try fixed(UInt32.self))
            case 0xcf: Value(exactly: try fixed(UInt64.self))
            case 0xd0: Value(exactly: try fixed(Int8.self))
            case 0xd1: Value(exactly: try fixed(Int16.self))
            case 0xd2: Value(exactly: try fixed(Int32.self))
            case 0xd3: Value(exactly: try fixed(Int64.self))
            default: throw .malformed("an integer was expected")
            }
        guard let value else { throw .malformed("an integer does not fit its field") }
        return value
    }

    /// True or false, or 1 or 0.
    public mutating func bool() throws(WireError) -> Bool {
        switch try byte() {
        case MessagePack.no, 0: false
        case MessagePack.yes, 1: true
        default: throw .malformed("true or false was expected")
        }
    }

    /// A number with a fraction, of 4 or 8 bytes, or an integer.
    public mutating func double() throws(WireError) -> Double {
        switch try peek() {
        case 0xca:
            position += 1
            return Double(Float(bitPattern: try fixed(UInt32.self)))
        case 0xcb:
            position += 1
            return Double(bitPattern: try fixed(UInt64.self))
        case 0xcf:
            return Double(try integer(UInt64.self))
        default:
            return Double(try integer(Int64.self))
        }
    }

    // MARK: Text and bytes

    /// The length of a text or of bytes, whatever its form; nil has none.
    private mutating func rawCount() throws(WireError) -> Int {
        let first = try byte()
        switch first {
        case 0xa0...0xbf: return Int(first & 0x1f)
        case 0xd9, 0xc4: return Int(try fixed(UInt8.self))
        case 0xda, 0xc5: return Int(try fixed(UInt16.self))
        case 0xdb, 0xc6: return Int(try fixed(UInt32.self))
        case MessagePack.nothing: return 0
        default: throw .malformed("text or bytes were expected")
        }
    }

    /// Text or bytes, in place.
    @unsafe
    mutating func raw() throws(WireError) -> UnsafeRawBufferPointer {
        unsafe try take(try rawCount())
    }

    /// Where the content of a text or of bytes lies, for ``bytes(in:)``.
    mutating func rawRange() throws(WireError) -> Range<Int> {
        let count = unsafe try raw().count
        return (position - count)..<position
    }

    /// Bytes that were read before, in place.
    @unsafe
    func bytes(in range: Range<Int>) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    /// Bytes; nil gives none.
    public mutating func data() throws(WireError) -> [UInt8] {
        unsafe [UInt8](try raw())
    }

    /// A text, or `nil` where the bytes are not UTF-8, which are read nevertheless.
    public mutating func textIfValid() throws(WireError) -> String? {
        let raw = unsafe try raw()
        return unsafe String(validating: raw, as: UTF8.self)
    }

    /// A text of UTF-8.
    public mutating func text() throws(WireError) -> String {
        guard let text = try textIfValid() else { throw .malformed("a text is not UTF-8") }
        return text
    }

    /// The name of a field.
    public mutating func key() throws(WireError) -> MessagePackKey {
        unsafe MessagePackKey(try raw())
    }

    // MARK: Lists and maps

    /// The count of a list, after which come as many values; nil gives 0.
    public mutating func arrayCount() throws(WireError) -> Int {
        let first = try byte()
        let count: Int
        switch first {
        case 0x90...0x9f: count = Int(first & 0x0f)
        case 0xdc: count = Int(try fixed(UInt16.self))
        case 0xdd: count = Int(try fixed(UInt32.self))
        case MessagePack.nothing: count = 0
        default: throw .malformed("a list was expected")
        }
        guard count <= remaining else { throw .truncated }
        return count
    }

    /// The count of a map, after which come as many keys, each with its value; nil gives 0.
    public mutating func mapCount() throws(WireError) -> Int {
        let first = try byte()
        let count: Int
        switch first {
        case 0x80...0x8f: count = Int(first & 0x0f)
        case 0xde: count = Int(try fixed(UInt16.self))
        case 0xdf: count = Int(try fixed(UInt32.self))
        case MessagePack.nothing: count = 0
        default: throw .malformed("a map was expected")
        }
        guard count <= remaining / 2 else { throw .truncated }
        return count
    }

    /// Steps over the next value, whatever it is.
    ///
    /// Nothing is stacked: what counts is how many values are still to come, however deep they nest.
    public mutating func skip() throws(WireError) {
        var pending = 1
        while pending > 0 {
            let token = try MessagePackToken(at: &self)
            guard token.length <= remaining else { throw .truncated }
            position += token.length
            pending += token.children - 1
            guard pending <= remaining else { throw .truncated }
        }
    }
}
