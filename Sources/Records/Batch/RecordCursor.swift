// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Where the parts of one record lie in the bytes of its batch's records section.
public struct RecordView: Sendable, Equatable {
    /// The whole record, its length prefix included.
    public var range: Range<Int>
    public var timestampDelta: Int64
    public var offsetDelta: Int32
    /// `nil` for a null key.
    public var key: Range<Int>?
    /// `nil` for a null value.
    public var value: Range<Int>?
    public var headerCount: Int
    /// The headers' bytes, behind their count.
    public var headers: Range<Int>
}

/// Walks the uncompressed records of a batch, one after the other, without copying.
///
/// Each length is checked against the bytes that are left before it is used.
@safe
public struct RecordCursor {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var index = 0

    /// A cursor at the first record.
    ///
    /// - Parameter records: The records section, valid for as long as the cursor is used.
    public init(_ records: UnsafeRawBufferPointer) {
        unsafe bytes = unsafe records
    }

    /// The bytes behind the last record read.
    public var remaining: Int { unsafe bytes.count - position }

    /// The next record, or `nil` at the end of the bytes.
    @inline(__always)
    public mutating func next() throws(BatchError) -> RecordView? {
        guard unsafe position < bytes.count else { return nil }
        let start = position
        var cursor = position
        guard let length = unsafe Varint.readZigZag32(bytes, at: &cursor) else {
            throw .malformedRecord(at: index, .cutShort)
        }
        guard length >= 0, unsafe Int(length) <= bytes.count - cursor else {
            throw .malformedRecord(at: index, .badLength)
        }
        let end = cursor + Int(length)
        let body = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<end])
        guard cursor < end, unsafe body[cursor] == 0 else {
            throw .malformedRecord(at: index, .badAttributes)
        }
        cursor += 1
        guard let timestampDelta = unsafe Varint.readZigZag64(body, at: &cursor),
            let offsetDelta = unsafe Varint.readZigZag32(body, at: &cursor)
        else { throw .malformedRecord(at: index, .cutShort) }
        let key = try unsafe Self.field(body, at: &cursor, index, .badKeyLength)
        let value = try unsafe Self.field(body, at: &cursor, index, .badValueLength)
        guard let headerCount = unsafe Varint.readZigZag32(body, at: &cursor), headerCount >= 0,
            Int(headerCount) <= (end - cursor) / 2
        else { throw .malformedRecord(at: index, .badHeaders) }
        let headersStart = cursor
        for _ in 0..<headerCount {
            guard try unsafe Self.field(body, at: &cursor, index, .badHeaders) != nil else {
                throw .malformedRecord(at: index, .badHeaders)
            }
            _ = try unsafe Self.field(body, at: &cursor, index, .badHeaders)
        }
        guard cursor == end else { throw .malformedRecord(at: index, .lengthMismatch) }
        position = end
        index += 1
        return RecordView(
            range: start..<end, timestampDelta: timestampDelta, offsetDelta: offsetDelta, key: key,
            value: value, headerCount: Int(headerCount), headers: headersStart..<end)
    }

    /// A length-prefixed field, `nil` for length -1.
    @inline(__always)
    private static func field(
        _ body: UnsafeRawBufferPointer, at cursor: inout Int, _ index: Int,
        _ flaw: BatchError.RecordFlaw
    ) throws(BatchError) -> Range<Int>? {
        guard let length = unsafe Varint.readZigZag32(body, at: &cursor), length >= -1,
            Int(length) <= body.count - cursor
        else { throw .malformedRecord(at: index, flaw) }
        guard length >= 0 else { return nil }
        let start = cursor
        cursor += Int(length)
        return start..<cursor
    }
}

extension Record {
    /// Copies a record out of its batch's records section.
    ///
    /// Header names that are not UTF-8 come out repaired; the stored bytes stay as they are.
    public init(
        _ view: RecordView, in records: UnsafeRawBufferPointer, header: BatchHeader
    ) {
        func copy(_ range: Range<Int>?) -> [UInt8]? {
            guard let range else { return nil }
            return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: records[range]))
        }
        var headers: [Header] = []
        var cursor = view.headers.lowerBound
        for _ in 0..<view.headerCount {
            // The cursor that made the view has checked these lengths.
            guard let nameLength = unsafe Varint.readZigZag32(records, at: &cursor) else { break }
            let name = copy(cursor..<(cursor + Int(nameLength))) ?? []
            cursor += Int(nameLength)
            guard let valueLength = unsafe Varint.readZigZag32(records, at: &cursor) else { break }
            let value = valueLength < 0 ? nil : copy(cursor..<(cursor + Int(valueLength)))
            cursor += max(0, Int(valueLength))
            headers.append(Header(String(decoding: name, as: UTF8.self), value))
        }
        let timestamp =
            header.attributes.isLogAppendTime
            ? header.maxTimestamp
            : Timestamp(rawValue: header.baseTimestamp.rawValue &+ view.timestampDelta)
        self.init(
            key: copy(view.key), value: copy(view.value), headers: headers, timestamp: timestamp,
            offset: header.baseOffset.advanced(by: Int(view.offsetDelta)))
    }
}
