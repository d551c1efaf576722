// SPDX-License-Identifier: Apache-2.0

internal import Disk
public import Records

/// Which terms a log's records were appended under.
///
/// Terms never fall along a log, so where one ends is found by halving: a few reads a step, over the
/// segments first, then over the entries of one segment's index.
extension LogSnapshot {
    /// The term of the batch that holds an offset; `nil` where no sound one does.
    ///
    /// Blocks on the disk.
    public func term(at offset: Offset) throws(LogError) -> Term? {
        guard offset >= logStartOffset, offset < highWatermark else { return nil }
        let segment = segment(segmentNumber(of: offset))
        let place = try onDisk { () throws(FileError) in
            try segment.place(of: max(offset, segment.baseOffset))
        }
        var walk = EnvelopeWalk(segment, from: place.position)
        while let frame = try walk.nextBatch(), frame.baseOffset <= offset {
            if frame.endOffset > offset { return frame.term }
        }
        return nil
    }

    /// Where the records of all terms up to one end.
    ///
    /// Blocks on the disk.
    ///
    /// - Returns: The highest term up to `term` that the log has records of, and the first offset
    ///   of the terms after it, or the high watermark. Where all records have higher terms, or
    ///   there are none, `term` itself and the first offset.
    public func endOffset(ofTerm term: Term) throws(LogError) -> (term: Term, offset: Offset) {
        // Segments that begin with a higher term cannot hold the end, but the one before may.
        var low = 0
        var high = segmentCount
        while low < high {
            let middle = (low + high) / 2
            if let first = try firstTerm(from: middle), first <= term {
                low = middle + 1
            } else {
                high = middle
            }
        }
        // The last one may hold nothing that is committed.
        while low > 0 {
            if let found = try end(of: term, in: segment(low - 1)) {
                return (found.term, max(logStartOffset, min(found.offset, highWatermark)))
            }
            low -= 1
        }
        return (term, logStartOffset)
    }

    /// The term of the first batch in a segment or, where it has none, in those behind it.
    private func firstTerm(from number: Int) throws(LogError) -> Term? {
        for number in number..<segmentCount {
            var walk = EnvelopeWalk(segment(number), from: UInt64(StoreHeader.size))
            if let first = try walk.nextBatch() { return first.term }
        }
        return nil
    }

    /// The last term up to `term` in a segment that begins with such a one, and where it ends.
    private func end(
        of term: Term, in segment: Segment
    ) throws(LogError) -> (term: Term, offset: Offset)? {
        // The first offset whose place, the index's entry before it, has a higher term.
        var low = segment.baseOffset.rawValue
        var high = max(low, min(endOfRecords(in: segment), highWatermark).rawValue)
        while low < high {
            let middle = low + (high - low) / 2
            var walk = try walk(of: Offset(middle), in: segment)
            if let frame = try walk.nextBatch(), frame.term <= term {
                low = middle + 1
            } else {
                high = middle
            }
        }
        var walk = try walk(of: Offset(max(segment.baseOffset.rawValue, low - 1)), in: segment)
        var found: (term: Term, offset: Offset)?
        while let frame = try walk.nextBatch() {
            guard frame.baseOffset < highWatermark else { break }
            guard frame.term <= term else {
                // Damage may lie between: whoever has read it was of the lower term.
                found?.offset = frame.baseOffset
                return found
            }
            found = (frame.term, frame.endOffset)
        }
        // All of the segment: what follows, damaged or not, is of the next one.
        found?.offset = min(endOfRecords(in: segment), highWatermark)
        return found
    }

    private func walk(of offset: Offset, in segment: Segment) throws(LogError) -> EnvelopeWalk {
        let place = try onDisk { () throws(FileError) in try segment.place(of: offset) }
        return EnvelopeWalk(segment, from: place.position)
    }

    /// The first offset behind a segment.
    private func endOfRecords(in segment: Segment) -> Offset {
        let number = segmentNumber(of: segment.baseOffset)
        return number + 1 < segmentCount ? self.segment(number + 1).baseOffset : highWatermark
    }
}
