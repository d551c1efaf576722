// SPDX-License-Identifier: Apache-2.0

internal import Disk
public import Records

extension LogSnapshot {
    /// The record with the highest timestamp, the first of them by offset; `nil` without records.
    ///
    /// Blocks on the disk. Envelopes say where the highest timestamp is, so one batch is opened; a
    /// second one only where the log begins inside of a batch that has it.
    ///
    /// - Parameter inflatedSizeMax: The most bytes that a compressed batch may open to.
    public func recordWithMaxTimestamp(
        inflatedSizeMax: Int
    ) throws(LogError) -> (offset: Offset, timestamp: Timestamp)? {
        guard let candidate = try batchWithMaxTimestamp(from: logStartOffset) else { return nil }
        let record = try maxRecord(of: candidate, inflatedSizeMax)
        guard candidate.frame.baseOffset < logStartOffset,
            record.map({ $0.timestamp < candidate.frame.maxTimestamp }) ?? true
        else { return record }
        // What made this batch the highest lies before the log's first record.
        guard let other = try batchWithMaxTimestamp(from: candidate.frame.endOffset) else {
            return record
        }
        if let record, record.timestamp >= other.frame.maxTimestamp { return record }
        return try maxRecord(of: other, inflatedSizeMax)
    }

    /// A batch that was found, and where.
    private struct Candidate {
        var frame: FrameHeader
        /// Where the payload begins.
        var position: UInt64
        var segment: Segment
    }

    /// The first batch with the highest timestamp of all that end behind an offset.
    private func batchWithMaxTimestamp(from start: Offset) throws(LogError) -> Candidate? {
        guard start < highWatermark else { return nil }
        let first = segmentNumber(of: start)
        let numbers = (first..<segmentCount).sorted { left, right in
            let (leftTime, rightTime) = (segment(left).maxTimestamp, segment(right).maxTimestamp)
            return leftTime == rightTime ? left < right : leftTime > rightTime
        }
        var best: Candidate?
        var bestNumber = 0
        for number in numbers {
            let segment = segment(number)
            if let best {
                // From here on no segment has a higher one.
                guard segment.maxTimestamp >= best.frame.maxTimestamp else { break }
                if segment.maxTimestamp == best.frame.maxTimestamp, number > bestNumber { continue }
            }
            guard let candidate = try batchWithMaxTimestamp(in: segment, from: start) else {
                continue
            }
            if let best, candidate.frame.maxTimestamp < best.frame.maxTimestamp { continue }
            if let best, candidate.frame.maxTimestamp == best.frame.maxTimestamp,
                number > bestNumber
            {
                continue
            }
            best = candidate
            bestNumber = number
        }
        return best
    }

    /// The same in one segment: by its index of times, or, where the segment's highest timestamp
    /// lies outside of what can be read, by all envelopes.
    private func batchWithMaxTimestamp(
        in segment: Segment, from start: Offset
    ) throws(LogError) -> Candidate? {
        let place = try onDisk { () throws(FileError) in
            try segment.place(of: segment.maxTimestamp)
        }
        let found = try highest(in: segment, from: place.position, start)
        if let found, found.frame.maxTimestamp == segment.maxTimestamp { return found }
        return try highest(in: segment, from: UInt64(StoreHeader.size), start)
    }

    /// The first batch with the highest timestamp from a position on; looks no further than the
    /// first that has the segment's highest.
    private func highest(
        in segment: Segment, from position: UInt64, _ start: Offset
    ) throws(LogError) -> Candidate? {
        var walk = EnvelopeWalk(segment, from: position)
        var best: Candidate?
        while let frame = try walk.nextBatch(), frame.endOffset <= highWatermark {
            guard frame.endOffset > start else { continue }
            if let best, best.frame.maxTimestamp >= frame.maxTimestamp { continue }
            best = Candidate(
                frame: frame, position: walk.position - UInt64(frame.payloadLength),
                segment: segment)
            if frame.maxTimestamp >= segment.maxTimestamp { break }
        }
        return best
    }

    /// The first record with the highest timestamp of a batch's records that are still there.
    private func maxRecord(
        of candidate: Candidate, _ inflatedSizeMax: Int
    ) throws(LogError) -> (offset: Offset, timestamp: Timestamp)? {
        let frame = candidate.frame
        let first = Int32(clamping: max(0, logStartOffset.distance(from: frame.baseOffset)))
        let found = try unsafe withRecords(
            of: frame, at: candidate.position, in: candidate.segment, inflatedSizeMax
        ) { records, header throws(BatchError) -> (offsetDelta: Int32, timestamp: Timestamp)? in
            guard !header.attributes.isLogAppendTime else { return (first, header.maxTimestamp) }
            var best: (offsetDelta: Int32, timestamp: Timestamp)?
            var cursor = unsafe RecordCursor(records)
            while let record = try cursor.next() {
                let time = Timestamp(
                    rawValue: header.baseTimestamp.rawValue &+ record.timestampDelta)
                guard record.offsetDelta >= first, best.map({ $0.timestamp < time }) ?? true else {
                    continue
                }
                best = (record.offsetDelta, time)
            }
            return best
        }
        return found.map { (frame.baseOffset.advanced(by: Int($0.offsetDelta)), $0.timestamp) }
    }
}
