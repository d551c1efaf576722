// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Faults
internal import Records

/// How far a committed offset is behind the end of its partition, in records and in time.
struct Backlog: Sendable, Equatable {
    var logStartOffset: Offset
    var highWatermark: Offset
    /// Records that can be read and were not given to the group.
    var records: Int64
    /// Milliseconds since the first of them was made; `nil` if it cannot be read or has no time.
    var milliseconds: Int64?

    /// Looks at a partition: at its bounds, and at the one record that the group gets next.
    ///
    /// Records that were deleted are not waited for, so a group that committed an offset before the
    /// log's start is behind from the start on.
    static func measure(
        _ partition: Partition, from committed: Offset, now: Timestamp
    ) async throws(Fault) -> Backlog {
        let bounds = try partition.bounds
        let next = min(max(committed, bounds.lowerBound), bounds.upperBound)
        var backlog = Backlog(
            logStartOffset: bounds.lowerBound, highWatermark: bounds.upperBound,
            records: bounds.upperBound.rawValue - next.rawValue, milliseconds: 0)
        guard backlog.records > 0 else { return backlog }
        do throws(Fault) {
            let batches = try await partition.read(from: next, bytesMax: 1)
            let time = timestamp(at: next, in: batches, inflatedMax: partition.batchSizeMax)
            backlog.milliseconds = time.map { max(0, now.rawValue - $0.rawValue) }
        } catch {
            // Retention may have overtaken the look at the bounds, or the record is damaged: the
            // count still holds.
            backlog.milliseconds = nil
        }
        return backlog
    }

    /// The timestamp of the first record at or behind an offset.
    private static func timestamp(
        at offset: Offset, in batches: FetchedBatches, inflatedMax: Int
    ) -> Timestamp? {
        var found: Timestamp?
        batches.forEachBatch { bytes in
            guard found == nil else { return }
            let header = BatchHeader(reading: bytes)
            guard header.endOffset > offset else { return }
            let records = RecordBatch.records(of: bytes)
            do throws(BatchError) {
                if header.attributes.codec == CompressionCodec.none {
                    found = try timestamp(at: offset, records, header)
                } else {
                    let inflated = try BatchContent.inflate(
                        records, of: header, sizeMax: inflatedMax * BatchContent.inflationMax)
                    let result = inflated.withUnsafeBytes { bytes in
                        Result { () throws(BatchError) in
                            try timestamp(at: offset, bytes, header)
                        }
                    }
                    found = try result.get()
                }
            } catch {
                // A batch that cannot be opened here still says when its first record was made.
                found = header.baseTimestamp
            }
        }
        return found == Timestamp.none ? nil : found
    }

    private static func timestamp(
        at offset: Offset, _ records: UnsafeRawBufferPointer, _ header: BatchHeader
    ) throws(BatchError) -> Timestamp? {
        if header.attributes.isLogAppendTime { return header.maxTimestamp }
        let first = offset.rawValue - header.baseOffset.rawValue
        var cursor = RecordCursor(records)
        while let record = try cursor.next() {
            guard Int64(record.offsetDelta) >= first else { continue }
            return Timestamp(rawValue: header.baseTimestamp.rawValue &+ record.timestampDelta)
        }
        return nil
    }
}
