// SPDX-License-Identifier: Apache-2.0

internal import Disk
public import Records

extension Log {
    /// Takes back all entries behind an index; durable when this returns.
    ///
    /// A crash on the way leaves a log with some of them. None of them may be committed.
    ///
    /// - Throws: ``LogError/failed(_:)``, after which the log takes no more calls.
    public func truncate(after index: LogIndex) throws(LogError) {
        requireCaller()
        try requireWritable()
        guard index < lastIndex else { return }
        precondition(index >= commitIndex, "entry \(index.next) is committed: \(commitIndex)")
        precondition(index.next >= firstIndex, "entry \(index.next) is gone")
        let cut = try place(behind: index)
        if vouchedIndex > index.next, let region = regions.first, region.first <= index {
            // A lower checkpoint would not say any more that these entries were there.
            throw .damaged(damage(of: region))
        }
        var hasProducers = false
        if !producers.isEmpty { hasProducers = try tailHasProducers(from: cut) }
        do throws(FileError) {
            try syncKept(cut)
        } catch {
            state = .failed(error)
            throw .failed(error)
        }
        if vouchedIndex > index.next { try writeLowerCheckpoint() }
        let builder: IndexBuilder
        do throws(FileError) {
            try removeSegments(behind: cut.number)
            try cut.segment.store.truncate(to: cut.position)
            try cut.segment.store.sync()
            builder = try makeBuilder(of: cut)
        } catch {
            state = .failed(error)
            throw .failed(error)
        }
        closed.removeLast(closed.count - min(cut.number, closed.count))
        forgetClosedSize()
        active = ActiveSegment(
            store: cut.segment.store, header: cut.segment.header, size: cut.position,
            builder: builder)
        nextIndex = index.next
        nextOffset = cut.offset
        regions.removeAll { $0.first > index }
        noteDamages()
        noteTruncation()
        do throws(LogError) {
            if lineage.truncate(after: index) { lineage = try recoverLineage() }
            if hasProducers { try recoverProducers() }
        } catch {
            if case .file(let error) = error { state = .failed(error) }
            throw error
        }
        term = lastTerm
        checkInvariants()
    }

    /// Where a log is cut.
    struct Cut {
        /// The segment that becomes the last one.
        var number: Int
        var segment: Segment
        /// Where it then ends.
        var position: UInt64
        /// The offset that the next record then gets.
        var offset: Offset
    }

    /// The place where the entry behind an index begins.
    private func place(behind index: LogIndex) throws(LogError) -> Cut {
        let reader = entryReader()
        let number = reader.segmentNumber(of: index.next)
        let segment = reader.segment(number)
        if let region = regions.first(where: { $0.first == index.next }) {
            return Cut(
                number: number, segment: segment, position: region.start, offset: region.offset)
        }
        guard let found = try reader.find(index.next), found.frame.index == index.next else {
            throw .damaged(
                Damage(
                    offsets: 0..<0, path: segment.store.path, position: segment.size,
                    reason: "entry \(index.next) is not found"))
        }
        return Cut(
            number: number, segment: segment, position: found.position,
            offset: found.frame.baseOffset)
    }

    /// Whether a batch of an idempotent producer is taken back.
    private func tailHasProducers(from cut: Cut) throws(LogError) -> Bool {
        let reader = entryReader()
        for number in cut.number...closed.count {
            var walk = EnvelopeWalk(
                reader.segment(number),
                from: number == cut.number ? cut.position : UInt64(StoreHeader.size))
            while let (_, header) = try walk.nextBatchHeader() {
                if header.isOfProducer { return true }
            }
        }
        return false
    }

    /// Makes all that stays durable, so that a checkpoint may vouch for it.
    private func syncKept(_ cut: Cut) throws(FileError) {
        let gone = (cut.number + 1..<max(closed.count, cut.number + 1)).map { closed[$0].store }
        for store in unsyncedStores where !gone.contains(where: { $0 === store }) {
            try store.sync()
        }
        try cut.segment.store.sync()
        // A sync that is under way may have it still to do.
        try fileSystem.syncDirectory(directory)
    }

    /// Has the log vouch for nothing that may ever be cut: for what lies before the segment that
    /// holds the first entry that is not committed.
    ///
    /// So one is enough, however often the log is cut while a sync with a higher one is under way: that
    /// one has another slot, and a lower sequence number.
    private func writeLowerCheckpoint() throws(LogError) {
        let file = try openCheckpointFile()
        let reader = entryReader()
        let header = reader.segment(reader.segmentNumber(of: commitIndex.next)).header
        checkpointSequence += 1
        let checkpoint = Checkpoint(
            sequence: checkpointSequence, group: group, isClean: false,
            hasProducers: !producers.isEmpty || lastCheckpoint?.hasProducers ?? false, term: term,
            logStartOffset: logStartOffset, segment: header.baseOffset,
            position: UInt64(StoreHeader.size), nextIndex: header.baseIndex,
            nextOffset: header.baseOffset, maxTimestamp: .none)
        do throws(FileError) {
            lowerCheckpointCount += 1
            try file.write(
                checkpoint.encoded, at: Checkpoint.lowerSlotPosition(lowerCheckpointCount))
            try file.sync()
        } catch {
            state = .failed(error)
            throw .failed(error)
        }
        lastCheckpoint = checkpoint
        vouchedIndex = checkpoint.nextIndex
        durableLogStart = max(durableLogStart, checkpoint.logStartOffset)
        checkpointIsDue = true
    }

    /// Removes the segments behind one, the newest first and each durably: a later one must not be
    /// there without those before it, or it would look as if they had been lost.
    private func removeSegments(behind number: Int) throws(FileError) {
        guard number < closed.count else { return }
        let bases = closed[(number + 1)...].map(\.baseOffset) + [active.baseOffset]
        for base in bases.reversed() {
            for name in [SegmentName.index(base), SegmentName.timeIndex(base)] {
                do throws(FileError) {
                    try fileSystem.remove(directory + "/" + name)
                } catch  where error.reason == .notFound {
                    // Index files need not be there.
                }
            }
            try fileSystem.remove(directory + "/" + SegmentName.store(base))
            try fileSystem.syncDirectory(directory)
        }
    }

    /// The index of what is left of the last segment.
    private func makeBuilder(of cut: Cut) throws(FileError) -> IndexBuilder {
        var builder: IndexBuilder
        if cut.number == closed.count {
            builder = active.builder
            builder.cut(to: cut.position)
        } else {
            builder = try IndexBuilder.load(
                header: cut.segment.header, of: cut.segment.store, end: cut.position,
                in: directory, on: fileSystem)
            builder.cut(to: cut.position)
        }
        try builder.catchUp(
            with: cut.segment.store, header: cut.segment.header, end: cut.position,
            interval: settings.indexInterval)
        return builder
    }

    /// What holds of a log that was cut: all of it was synced.
    func noteTruncation() {
        truncationCount += 1
        tail.truncate(after: lastIndex)
        syncedIndex = lastIndex
        syncedOffset = nextOffset
        statedDurableIndex = min(statedDurableIndex, syncedIndex)
        unsyncedStores = []
        directoryIsUnsynced = false
        markIsUnsynced = false
    }

    /// All segments, the active one last.
    var segments: [Segment] {
        closed + [active.view(in: directory, on: fileSystem, isClosed: false)]
    }

    func recoverLineage() throws(LogError) -> Lineage {
        try LineageRecovery(
            directory: directory, fileSystem: fileSystem, segments: segments
        ).run()
    }

    func recoverProducers() throws(LogError) {
        producers = try ProducerRecovery(
            directory: directory, group: group, fileSystem: fileSystem, segments: segments,
            nextIndex: nextIndex, checkpoint: lastCheckpoint, lineage: lineage,
            limits: settings.producerLimits, now: clock
        ).run()
    }
}
