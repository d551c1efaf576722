// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A batch of records in Kafka's RecordBatch v2 form: the unit of the wire, of the disk and of
/// replication.
///
/// See ``BatchHeader`` for its bytes.
public enum RecordBatch {
    /// The records section of a batch.
    public static func records(of batch: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: batch[BatchHeader.size...])
    }

    /// Checks all of a producer's batch but the inside of its records.
    ///
    /// Cheap checks come first, the checksum last, so that a lying header costs nothing.
    ///
    /// - Parameters:
    ///   - batch: The bytes, exactly one batch.
    ///   - sizeMax: The most bytes a batch may have.
    /// - Returns: The header, of which every field can now be relied on.
    public static func checkHeader(
        _ batch: UnsafeRawBufferPointer, sizeMax: Int
    ) throws(BatchError) -> BatchHeader {
        guard batch.count >= BatchHeader.size else { throw .tooShort(size: batch.count) }
        guard batch.count <= sizeMax else { throw .tooLarge(size: batch.count, limit: sizeMax) }
        let header = unsafe BatchHeader(reading: batch)
        guard header.magic == BatchHeader.magicValue else { throw .unsupportedMagic(header.magic) }
        guard header.totalSize == batch.count else {
            throw .lengthMismatch(stated: header.totalSize, actual: batch.count)
        }
        guard header.baseOffset == .zero else {
            throw .nonZeroBaseOffset(header.baseOffset.rawValue)
        }
        guard header.recordCount > 0, header.lastOffsetDelta == header.recordCount - 1 else {
            throw .recordCountMismatch(
                count: header.recordCount, lastOffsetDelta: header.lastOffsetDelta)
        }
        guard !header.attributes.hasReservedBits, !header.attributes.isControl,
            !header.attributes.isTransactional, !header.attributes.isLogAppendTime
        else { throw .forbiddenAttributes(header.attributes.rawValue) }
        guard header.attributes.codec != nil else {
            throw .unsupportedCodec(UInt8(header.attributes.rawValue & 7))
        }
        if header.producerID >= 0 {
            guard header.producerEpoch >= 0, header.baseSequence >= 0 else {
                throw .incompleteProducerState
            }
        }
        let actual = unsafe checksum(of: batch)
        guard actual == header.checksum else {
            throw .checksumMismatch(stated: header.checksum, actual: actual)
        }
        return header
    }

    /// Walks the records of a batch and checks that each is sound and that together they are what
    /// the header says.
    ///
    /// - Parameters:
    ///   - records: The records section, uncompressed.
    ///   - header: The batch's checked header.
    public static func checkRecords(
        _ records: UnsafeRawBufferPointer, of header: BatchHeader
    ) throws(BatchError) {
        // A record takes at least seven bytes, so a count that cannot fit is refused unread.
        guard Int(header.recordCount) <= records.count / 7 else {
            throw .recordCountMismatch(
                count: header.recordCount, lastOffsetDelta: header.lastOffsetDelta)
        }
        var cursor = unsafe RecordCursor(records)
        var maxTimestamp = Int64.min
        for index in 0..<header.recordCount {
            guard let record = try cursor.next() else {
                throw .malformedRecord(at: Int(index), .cutShort)
            }
            guard record.offsetDelta == index else {
                throw .malformedRecord(
                    at: Int(index), .offsetDelta(expected: index, actual: record.offsetDelta))
            }
            maxTimestamp = max(maxTimestamp, header.baseTimestamp.rawValue &+ record.timestampDelta)
        }
        guard cursor.remaining == 0 else { throw .trailingBytes(cursor.remaining) }
        guard maxTimestamp == header.maxTimestamp.rawValue else {
            throw .maxTimestampMismatch(
                stated: header.maxTimestamp.rawValue, actual: maxTimestamp)
        }
    }

    /// The checksum that a batch's content has.
    public static func checksum(of batch: UnsafeRawBufferPointer) -> UInt32 {
        unsafe CRC32C.checksum(
            UnsafeRawBufferPointer(rebasing: batch[BatchHeader.checksumStart...]))
    }

    /// The first record at or after a time, as its offset delta and timestamp; `nil` if all are
    /// older.
    ///
    /// - Parameter first: The offset delta of the first record that counts.
    public static func firstRecord(
        atOrAfter timestamp: Timestamp, in records: UnsafeRawBufferPointer, of header: BatchHeader,
        from first: Int32 = 0
    ) throws(BatchError) -> (offsetDelta: Int32, timestamp: Timestamp)? {
        if header.attributes.isLogAppendTime {
            guard header.maxTimestamp >= timestamp, first <= header.lastOffsetDelta else {
                return nil
            }
            return (first, header.maxTimestamp)
        }
        var cursor = unsafe RecordCursor(records)
        while let record = try cursor.next() {
            let time = Timestamp(
                rawValue: header.baseTimestamp.rawValue &+ record.timestampDelta)
            if time >= timestamp, record.offsetDelta >= first {
                return (record.offsetDelta, time)
            }
        }
        return nil
    }
}
