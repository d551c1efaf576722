// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
public import Records

/// What a replica's log can do beyond any log: its owner decides the term, what is committed, and
/// what is taken back. All of it is for ``LogSettings/CommitRule/byCaller``.
extension Log {
    /// Has what is appended here belong to a term: this replica leads it.
    public func beginTerm(_ term: Term) {
        requireCaller()
        precondition(term >= lastTerm && term <= .max, "term \(term) behind \(lastTerm)")
        self.term = term
    }

    func requireCaller() {
        precondition(settings.commitRule == .byCaller, "a log that commits by itself")
    }

    /// Appends an entry of the group's own: a no-op, or a change of members.
    ///
    /// It takes an index and no offset. Failures as of ``append(_:now:)``.
    public func appendControl(
        _ kind: FrameHeader.Kind, payload: [UInt8], now: Timestamp
    ) throws(LogError) -> LogIndex {
        requireCaller()
        try append(
            replicated: [LogEntry(kind, term: term, baseOffset: nextOffset, payload: payload)],
            now: now)
        return lastIndex
    }

    /// Appends a leader's entries: all of them, or none if this throws.
    ///
    /// They were checked before (``LogEntry/check()``) and follow the log's last entry. Their batches
    /// are taken note of for their producers' sake and not judged: their leader did that. Failures as
    /// of ``append(_:now:)``.
    public func append(replicated entries: ArraySlice<LogEntry>, now: Timestamp) throws(LogError) {
        requireCaller()
        try requireWritable()
        guard let first = entries.first else { return }
        precondition(
            first.baseOffset == nextOffset, "offset \(first.baseOffset) at \(nextOffset)")
        var last = lastTerm
        for entry in entries {
            precondition(
                entry.term >= last && entry.term > .zero, "term \(entry.term) behind \(last)")
            last = entry.term
        }
        clock = max(clock, now)
        // All of them go to one segment, so that one write is all there is to fail.
        let length = entries.reduce(UInt64(0)) { $0 + UInt64($1.size) }
        if nextOffset > active.baseOffset, regions.isEmpty,
            active.size + length > UInt64(settings.segmentSizeMax) || segmentIsOld(now)
        {
            try roll(now: now)
        }
        producers.expire(now: now)
        var run = FrameBatch(log: self)
        run.add(entries)
        for entry in entries where entry.kind == .batch {
            let header = unsafe BatchHeader(reading: entry.payload.bytes)
            guard header.isOfProducer else { continue }
            producers.note(header, at: entry.baseOffset, now: now)
        }
        try write(run)
        var index = LogIndex(nextIndex.rawValue - UInt64(entries.count))
        for entry in entries {
            if entry.kind == .configuration {
                lineage.noteConfiguration(entry.payload.array, at: index)
            }
            index = index.next
        }
        term = max(term, lastTerm)
    }

    /// Shows all records up to an entry: it is committed.
    ///
    /// Does nothing if it was already, or if the log has failed.
    public func commit(upTo index: LogIndex) {
        requireCaller()
        precondition(index <= lastIndex, "entry \(index) is not in the log")
        guard index > commitIndex, state == .open else { return }
        let end: Offset
        if let known = tail.endOffset(at: index) {
            end = known
        } else {
            do throws(LogError) {
                end = try endOffset(at: index)
            } catch {
                // What cannot be read cannot be shown; the next commit asks again.
                return
            }
        }
        commitIndex = index
        tail.removeThrough(index)
        highWatermark = max(highWatermark, end)
        // Segments may have waited for their last entry to be committed.
        if let first = closed.first, first.baseOffset < logStartOffset { collectRemovable() }
    }

    /// The offset behind an entry, found on the disk if it is an old one.
    func endOffset(at index: LogIndex) throws(LogError) -> Offset {
        try entryReader().endOffset(at: index, nextOffset: nextOffset)
    }

    /// What reads the entries that are there now.
    public func entryReader() -> EntryReader { EntryReader(log: self) }

    /// Checks what must hold of a replica's log between any two calls.
    func checkReplicaInvariants() {
        lineage.checkInvariants(nextIndex: nextIndex, nextOffset: nextOffset)
        precondition(commitIndex <= lastIndex, "committed beyond the end")
        precondition(commitIndex >= firstIndex.previous, "the log begins behind what is committed")
        precondition(lastTerm <= term, "term \(lastTerm) of the last entry above \(term)")
        precondition(tail.nextIndex == nextIndex, "the tail ends at \(tail.nextIndex)")
        precondition(
            tail.count == 0 || tail.endOffset(at: lastIndex) == nextOffset,
            "the tail ends at another offset than the log")
        precondition(vouchedIndex <= nextIndex, "a checkpoint vouches for what is not there")
        var expected: LogIndex?
        for header in closed.map(\.header) + [active.header] {
            precondition(expected.map { $0 < header.baseIndex } ?? true, "segments ascend")
            expected = header.baseIndex
        }
        precondition(active.header.baseIndex <= nextIndex, "the active segment begins behind")
    }
}
