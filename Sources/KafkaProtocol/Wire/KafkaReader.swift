// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Reads the primitive types of Kafka's protocol, one after the other.
///
/// What is read is copied out, but for records, of which the place is told. Beside those copies, which
/// are no longer than the bytes that came, everything that comes out of a message takes at most
/// ``memoryFactor`` times its bytes, never less than ``memoryFloor`` nor more than ``memoryMax``: each
/// count is charged with the size of its elements before there is room made for them, and each object
/// with what it takes besides its content.
///
/// The buffer must outlive the reader.
@safe
public struct KafkaReader {
    /// Bytes of decoded values for each byte of a message: honest ones need up to five, but a structure
    /// of two bytes may take a hundred.
    public static let memoryFactor = 16
    /// What small messages may take in any case.
    public static let memoryFloor = 64 << 10
    /// What no message may exceed: room for a million partitions.
    public static let memoryMax = 64 << 20
    /// What an object takes besides its content: the header of Swift's arrays and long strings.
    static let objectOverhead = 32
    /// The longest string that takes no object.
    static let inlineStringMax = 15

    private let bytes: UnsafeRawBufferPointer
    /// How many bytes were read.
    public private(set) var position = 0
    private var memoryLeft: Int

    /// A reader at the beginning of some bytes.
    public init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = bytes
        let (share, isHuge) = bytes.count.multipliedReportingOverflow(by: Self.memoryFactor)
        memoryLeft = isHuge ? Self.memoryMax : min(max(share, Self.memoryFloor), Self.memoryMax)
    }

    /// How many bytes are left.
    public var remaining: Int { unsafe bytes.count - position }

    private func failure(_ reason: KafkaDecodingError.Reason) -> KafkaDecodingError {
        KafkaDecodingError(reason: reason, position: position)
    }

    // MARK: Numbers

    private mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _: Value.Type
    ) throws(KafkaDecodingError) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw failure(.cutShort) }
        defer { position += size }
        return unsafe bytes.bigEndian(at: position)
    }

    public mutating func readInt8() throws(KafkaDecodingError) -> Int8 { try integer(Int8.self) }
    public mutating func readInt16() throws(KafkaDecodingError) -> Int16 { try integer(Int16.self) }
    public mutating func readInt32() throws(KafkaDecodingError) -> Int32 { try integer(Int32.self) }
    public mutating func readInt64() throws(KafkaDecodingError) -> Int64 { try integer(Int64.self) }

    /// Anything but 0 is true.
    public mutating func readBool() throws(KafkaDecodingError) -> Bool {
        try integer(UInt8.self) != 0
    }

    public mutating func readUUID() throws(KafkaDecodingError) -> KafkaUUID {
        KafkaUUID(high: try integer(UInt64.self), low: try integer(UInt64.self))
    }

    public mutating func readError() throws(KafkaDecodingError) -> KafkaErrorCode {
        KafkaErrorCode(rawValue: try readInt16())
    }

    /// An unsigned number of at most five bytes and 32 bits.
    public mutating func readUnsignedVarint() throws(KafkaDecodingError) -> UInt32 {
        guard remaining > 0 else { throw failure(.cutShort) }
        guard
            let value = unsafe Varint.read(bytes, at: &position, maxLength: Varint.maxLength32),
            let number = UInt32(exactly: value)
        else { throw failure(.badVarint) }
        return number
    }

    // MARK: Lengths

    /// A length; `nil` stands for null.
    ///
    /// Compact lengths are one more than the length, so that 0 is null.
    private mutating func length(
        isFlexible: Bool, isShort: Bool
    ) throws(KafkaDecodingError) -> Int? {
        let length: Int64
        if isFlexible {
            length = Int64(try readUnsignedVarint()) - 1
        } else if isShort {
            length = Int64(try readInt16())
        } else {
            length = Int64(try readInt32())
        }
        guard length >= -1 else { throw failure(.badLength(length)) }
        return length < 0 ? nil : Int(length)
    }

    private mutating func take(_ count: Int) throws(KafkaDecodingError) -> Range<Int> {
        guard count <= remaining else { throw failure(.badLength(Int64(count))) }
        defer { position += count }
        return position..<(position + count)
    }

    /// Takes memory for an object with content out of what is left for the message.
    private mutating func charge(_ count: Int, stride: Int) throws(KafkaDecodingError) {
        let (size, overflow) = count.multipliedReportingOverflow(by: stride)
        guard !overflow, size <= memoryLeft - Self.objectOverhead else {
            throw failure(.tooManyElements)
        }
        memoryLeft -= size + Self.objectOverhead
    }

    /// The count of an array; `nil` stands for null.
    ///
    /// - Parameters:
    ///   - leastSize: The least bytes that an element takes: what is left bounds the count.
    ///   - stride: The memory that an element takes once decoded.
    public mutating func readCount(
        isFlexible: Bool, isNullable: Bool, leastSize: Int, stride: Int
    ) throws(KafkaDecodingError) -> Int? {
        guard let count = try length(isFlexible: isFlexible, isShort: false) else {
            guard isNullable else { throw failure(.unexpectedNull) }
            return nil
        }
        guard count <= remaining / leastSize else { throw failure(.badLength(Int64(count))) }
        if count > 0 { try charge(count, stride: stride) }
        return count
    }

    /// Whether a structure that may be null is there.
    public mutating func readIsPresent() throws(KafkaDecodingError) -> Bool {
        try readInt8() >= 0
    }

    // MARK: Texts and bytes

    public mutating func readNullableString(
        isFlexible: Bool, isNullable: Bool = true
    ) throws(KafkaDecodingError) -> String? {
        guard let count = try length(isFlexible: isFlexible, isShort: true) else {
            guard isNullable else { throw failure(.unexpectedNull) }
            return nil
        }
        let range = try take(count)
        if count > Self.inlineStringMax { try charge(0, stride: 0) }
        let text = unsafe String(
            validating: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
        guard let text else { throw failure(.badText) }
        return text
    }

    public mutating func readString(isFlexible: Bool) throws(KafkaDecodingError) -> String {
        guard let text = try readNullableString(isFlexible: isFlexible) else {
            throw failure(.unexpectedNull)
        }
        return text
    }

    public mutating func readNullableBytes(
        isFlexible: Bool, isNullable: Bool = true
    ) throws(KafkaDecodingError) -> [UInt8]? {
        guard let count = try length(isFlexible: isFlexible, isShort: false) else {
            guard isNullable else { throw failure(.unexpectedNull) }
            return nil
        }
        let range = try take(count)
        if count > 0 { try charge(0, stride: 0) }
        return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    public mutating func readBytes(isFlexible: Bool) throws(KafkaDecodingError) -> [UInt8] {
        guard let value = try readNullableBytes(isFlexible: isFlexible) else {
            throw failure(.unexpectedNull)
        }
        return value
    }

    public mutating func readRecords(isFlexible: Bool) throws(KafkaDecodingError) -> KafkaRecords {
        guard let count = try length(isFlexible: isFlexible, isShort: false) else { return .null }
        return .slice(try take(count))
    }

    // MARK: Tagged fields

    /// Where the reading of tagged fields stands.
    public struct Tags {
        fileprivate var left: UInt32
        fileprivate var last: UInt32?
        fileprivate var end: Int?
    }

    /// Begins the tagged fields at the end of a structure.
    public mutating func readTags() throws(KafkaDecodingError) -> Tags {
        Tags(left: try readUnsignedVarint(), last: nil, end: nil)
    }

    /// The next field's tag, with the reader at its content; `nil` behind the last.
    ///
    /// - Throws: If the field before was not read or skipped to its end.
    public mutating func nextTag(_ tags: inout Tags) throws(KafkaDecodingError) -> UInt32? {
        if let end = tags.end, end != position { throw failure(.badTag) }
        guard tags.left > 0 else { return nil }
        tags.left -= 1
        let tag = try readUnsignedVarint()
        let size = try readUnsignedVarint()
        if let last = tags.last, tag <= last { throw failure(.badTag) }
        guard Int(size) <= remaining else { throw failure(.badLength(Int64(size))) }
        tags.last = tag
        tags.end = position + Int(size)
        return tag
    }

    /// Passes over a field that is not known.
    public mutating func skipTag(_ tags: Tags) {
        if let end = tags.end { position = end }
    }

    /// Passes over all tagged fields.
    public mutating func skipTags() throws(KafkaDecodingError) {
        var tags = try readTags()
        while try nextTag(&tags) != nil { skipTag(tags) }
    }
}
