// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Encodes records into one batch, at some tens of nanoseconds a record.
///
/// Offsets are deltas from the batch's base, which the log assigns. A builder has one owner; it
/// hands its buffer over in ``finish()`` and is then empty.
public struct BatchBuilder: Sendable {
    private var buffer: BatchBuffer
    private var position = BatchHeader.size
    private var baseTimestamp = Timestamp.none
    private var maxTimestamp = Timestamp.none
    /// The number of records so far.
    public private(set) var recordCount = 0

    /// An empty builder.
    ///
    /// - Parameter capacity: Bytes to set aside at once; the builder grows beyond when it must.
    public init(capacity: Int = 1024) {
        buffer = BatchBuffer(capacity: max(capacity, BatchHeader.size))
    }

    /// The size that the batch has with the records so far, in bytes.
    public var size: Int { position }

    /// Whether no record was appended yet.
    public var isEmpty: Bool { recordCount == 0 }

    /// Appends a record; its offset is ignored.
    ///
    /// - Returns: The record's offset delta in the batch.
    @discardableResult
    public mutating func append(_ record: Record) -> Int {
        append(
            key: record.key, value: record.value, headers: record.headers,
            timestamp: record.timestamp)
    }

    /// Appends a record of these parts.
    ///
    /// - Returns: The record's offset delta in the batch.
    @discardableResult
    public mutating func append(
        key: [UInt8]?, value: [UInt8]?, headers: [Record.Header] = [], timestamp: Timestamp
    ) -> Int {
        unsafe Self.withBytes(key) { key in
            unsafe Self.withBytes(value) { value in
                unsafe append(
                    keyBytes: key, valueBytes: value, headers: headers, timestamp: timestamp)
            }
        }
    }

    private static func withBytes<Value>(
        _ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Value
    ) -> Value {
        guard let bytes else { return body(nil) }
        return unsafe bytes.withUnsafeBytes { unsafe body($0) }
    }

    /// Appends a record whose key and value lie in somebody else's memory; they are copied once.
    ///
    /// - Returns: The record's offset delta in the batch.
    @discardableResult
    public mutating func append(
        keyBytes key: UnsafeRawBufferPointer?, valueBytes value: UnsafeRawBufferPointer?,
        headers: [Record.Header] = [], timestamp: Timestamp
    ) -> Int {
        let keyCount = unsafe key?.count ?? 0
        let valueCount = unsafe value?.count ?? 0
        if recordCount == 0 {
            baseTimestamp = timestamp
            maxTimestamp = timestamp
        } else if timestamp > maxTimestamp {
            maxTimestamp = timestamp
        }
        let timestampDelta = timestamp.rawValue &- baseTimestamp.rawValue
        var length = 1 + Varint.length(ofZigZag: timestampDelta)
        length += Varint.length(ofZigZag: Int64(recordCount))
        length += unsafe Varint.length(ofZigZag: key == nil ? -1 : Int64(keyCount)) + keyCount
        length += unsafe Varint.length(ofZigZag: value == nil ? -1 : Int64(valueCount)) + valueCount
        length += Varint.length(ofZigZag: Int64(headers.count))
        for header in headers {
            let nameCount = header.name.utf8.count
            length += Varint.length(ofZigZag: Int64(nameCount)) + nameCount
            length += Varint.length(ofZigZag: header.value.map { Int64($0.count) } ?? -1)
            length += header.value?.count ?? 0
        }
        // A buffer that grows keeps what counts as its batch: the records so far.
        buffer.setCount(position)
        buffer.reserve(position + Varint.maxLength32 + length)
        let room = unsafe buffer.room
        unsafe Varint.writeZigZag(Int64(length), to: room, at: &position)
        unsafe room[position] = 0
        position += 1
        unsafe Varint.writeZigZag(timestampDelta, to: room, at: &position)
        unsafe Varint.writeZigZag(Int64(recordCount), to: room, at: &position)
        unsafe writeField(key, to: room)
        unsafe writeField(value, to: room)
        unsafe Varint.writeZigZag(Int64(headers.count), to: room, at: &position)
        for header in headers {
            unsafe Self.withBytes(Array(header.name.utf8)) { unsafe writeField($0, to: room) }
            unsafe Self.withBytes(header.value) { unsafe writeField($0, to: room) }
        }
        recordCount += 1
        return recordCount - 1
    }

    /// Finishes the batch and hands its buffer over.
    ///
    /// The builder is empty afterwards.
    ///
    /// - Parameter nextCapacity: Bytes to set aside for the next batch.
    public mutating func finish(nextCapacity: Int = 1024) -> BatchBuffer {
        precondition(recordCount > 0, "a batch has at least one record")
        let finished = buffer
        finished.setCount(position)
        unsafe BatchHeader.write(
            to: finished.mutableBytes, codec: .none, recordCount: Int32(recordCount),
            baseTimestamp: baseTimestamp, maxTimestamp: maxTimestamp)
        finished.markBuilt()
        buffer = BatchBuffer(capacity: max(nextCapacity, BatchHeader.size))
        position = BatchHeader.size
        recordCount = 0
        return finished
    }

    /// Writes a length-prefixed field; the caller has reserved the room.
    @inline(__always)
    private mutating func writeField(
        _ field: UnsafeRawBufferPointer?, to room: UnsafeMutableRawBufferPointer
    ) {
        guard let field = unsafe field else {
            unsafe Varint.writeZigZag(-1, to: room, at: &position)
            return
        }
        unsafe Varint.writeZigZag(Int64(field.count), to: room, at: &position)
        if let base = field.baseAddress, let target = room.baseAddress {
            unsafe (target + position).copyMemory(from: base, byteCount: field.count)
        }
        position += field.count
    }
}

extension BatchHeader {
    /// Writes the header of a producer's batch, whose records are in place behind it, and its
    /// checksum.
    ///
    /// - Parameters:
    ///   - batch: Header and records, exactly.
    public static func write(
        to batch: UnsafeMutableRawBufferPointer, codec: CompressionCodec, recordCount: Int32,
        baseTimestamp: Timestamp, maxTimestamp: Timestamp
    ) {
        unsafe batch.storeBigEndian(Int64(0), at: 0)
        unsafe batch.storeBigEndian(Int32(batch.count - lengthOverhead), at: 8)
        unsafe batch.storeBigEndian(Int32(-1), at: 12)
        unsafe batch.storeBigEndian(magicValue, at: 16)
        unsafe batch.storeBigEndian(UInt16(codec.rawValue), at: 21)
        unsafe batch.storeBigEndian(recordCount - 1, at: 23)
        unsafe batch.storeBigEndian(baseTimestamp.rawValue, at: 27)
        unsafe batch.storeBigEndian(maxTimestamp.rawValue, at: 35)
        unsafe batch.storeBigEndian(Int64(-1), at: 43)
        unsafe batch.storeBigEndian(Int16(-1), at: 51)
        unsafe batch.storeBigEndian(Int32(-1), at: 53)
        unsafe batch.storeBigEndian(recordCount, at: 57)
        unsafe batch.storeBigEndian(
            RecordBatch.checksum(of: UnsafeRawBufferPointer(batch)), at: 17)
    }
}
