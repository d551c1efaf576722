// SPDX-License-Identifier: Apache-2.0

public import Disk
public import Records

extension Log {
    /// Makes all records before an offset unreadable; whole segments of them are removed.
    ///
    /// The new log start offset counts at once, and is durable after the next sync.
    ///
    /// - Throws: ``LogError/offsetOutOfRange(_:valid:)`` beyond the high watermark.
    public func deleteRecords(before offset: Offset) throws(LogError) {
        try requireWritable()
        guard offset <= highWatermark, offset >= .zero else {
            throw .offsetOutOfRange(
                offset, valid: logStartOffset.rawValue..<highWatermark.rawValue)
        }
        moveLogStart(to: offset)
    }

    /// Moves the log start offset past the segments that the settings no longer keep.
    ///
    /// Closed segments only: `rollIfOld(now:)` closes those that are idle.
    ///
    /// - Parameter first: An entry that somebody still needs, with those behind it.
    public func applyRetention(now: Timestamp, keepingFrom first: LogIndex? = nil) {
        guard state == .open, regions.isEmpty else { return }
        var start = logStartOffset
        var kept = size
        for (number, segment) in closed.enumerated() {
            let end = number + 1 < closed.count ? closed[number + 1].baseOffset : active.baseOffset
            guard end <= highWatermark, isCommitted(number) else { break }
            if let first, nextBaseIndex(number) > first { break }
            var isExpired = false
            if let age = settings.retentionAge {
                isExpired = segment.maxTimestamp.rawValue < now.rawValue &- age
            }
            if let limit = settings.retentionSize, kept >= segment.size + limit {
                isExpired = true
            }
            guard isExpired else { break }
            kept -= segment.size
            start = end
        }
        moveLogStart(to: start)
    }

    private func moveLogStart(to offset: Offset) {
        guard offset > logStartOffset else { return }
        precondition(offset <= highWatermark, "log start beyond the high watermark")
        logStartOffset = offset
        checkpointIsDue = true
        collectRemovable()
    }

    /// Takes the segments that end at or before the log start offset out of the log.
    func collectRemovable() {
        // As long as entries are damaged, the last checkpoint and what it points to have to stay.
        guard regions.isEmpty else { return }
        var count = 0
        while count < closed.count {
            let end = count + 1 < closed.count ? closed[count + 1].baseOffset : active.baseOffset
            guard end <= logStartOffset, isCommitted(count) else { break }
            removable.append(RemovableSegment(segment: closed[count], end: end))
            count += 1
        }
        closed.removeFirst(count)
    }

    /// Whether all entries of a closed segment are committed, those without records included.
    private func isCommitted(_ number: Int) -> Bool {
        guard settings.commitRule == .byCaller else { return true }
        return nextBaseIndex(number) <= commitIndex.next
    }

    /// The first entry behind a closed segment.
    private func nextBaseIndex(_ number: Int) -> LogIndex {
        (number + 1 < closed.count ? closed[number + 1].header : active.header).baseIndex
    }

    /// Takes segments out of the log whose successor is gone: their removal was not finished.
    func dropBelowHoles() {
        guard settings.commitRule == .byCaller else { return }
        for number in closed.indices.reversed() {
            let next = number + 1 < closed.count ? closed[number + 1].header : active.header
            guard next.baseOffset <= logStartOffset,
                next.previous.map({ $0.baseOffset != closed[number].baseOffset }) ?? true
            else { continue }
            for segment in closed[...number] {
                removable.append(RemovableSegment(segment: segment, end: next.baseOffset))
            }
            closed.removeFirst(number + 1)
            return
        }
    }

    /// The files of removed segments, once it is durable that the log begins behind them.
    ///
    /// To be run on any thread: removing a large file takes the disk some time.
    public func takeRemoval() -> SegmentRemoval? {
        let ready = removable.prefix { $0.end <= durableLogStart }
        guard state == .open, !ready.isEmpty else { return nil }
        removable.removeFirst(ready.count)
        return SegmentRemoval(
            directory: directory, fileSystem: fileSystem,
            bases: ready.map { $0.segment.baseOffset })
    }
}

/// A segment below the log start offset.
struct RemovableSegment {
    var segment: Segment
    /// The offset behind its last record.
    var end: Offset
}

/// Files to be removed.
///
/// Readers that have them open go on reading them.
public struct SegmentRemoval: Sendable {
    let directory: String
    let fileSystem: any FileSystem
    let bases: [Offset]

    /// The number of segments.
    public var segmentCount: Int { bases.count }

    /// Removes the files.
    ///
    /// What a crash leaves is removed when the log is opened.
    public func run() -> Result<Void, FileError> {
        do throws(FileError) {
            for base in bases {
                for name in [
                    SegmentName.index(base), SegmentName.timeIndex(base), SegmentName.store(base),
                ] {
                    do throws(FileError) {
                        try fileSystem.remove(directory + "/" + name)
                    } catch  where error.reason == .notFound {
                        // Index files need not be there.
                    }
                }
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}
