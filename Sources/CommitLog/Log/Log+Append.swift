// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
public import Records

extension Log {
    /// What became of a batch.
    public enum AppendOutcome: Sendable, Equatable {
        /// It is in the log, its first record at this offset.
        case appended(Offset)
        /// It was in the log already, its first record at this offset.
        ///
        /// It may not be committed yet.
        case duplicate(Offset)
        /// It is not in the log, and never will be.
        case refused(ProducerError)
    }

    /// What an append did.
    public struct AppendResult: Sendable {
        /// What became of the batches, in their order; fewer than there were if there is a failure.
        public var outcomes: [AppendOutcome]
        /// Why there is no outcome of the others.
        ///
        /// Nothing of them is in the log.
        public var failure: LogError?
    }

    /// Appends batches, one frame each and in order.
    ///
    /// Offsets and the leader epoch are stamped into the batches in place. The batches were checked
    /// before (``RecordBatch/checkHeader(_:sizeMax:)``); this does not look at them again. They are
    /// written when this returns, and committed when ``highWatermark`` passes them.
    ///
    /// A batch of an idempotent producer is judged first, by those before it too: one that is in the
    /// log already is not appended again, one that leaves a gap is refused (KIP-98).
    ///
    /// A failure is ``LogError/diskFull(_:)``, after which the rest can be tried again, or
    /// ``LogError/failed(_:)``, after which the log takes no more.
    public func append(_ batches: [BatchBuffer], now: Timestamp) -> AppendResult {
        var result = AppendResult(outcomes: [], failure: nil)
        result.outcomes.reserveCapacity(batches.count)
        var settled = 0
        do throws(LogError) {
            try append(batches, now: now, &result.outcomes, settled: &settled)
        } catch {
            result.failure = error
            result.outcomes.removeLast(result.outcomes.count - settled)
        }
        if settings.commitRule == .whenWritten, state == .open { highWatermark = nextOffset }
        return result
    }

    private func append(
        _ batches: [BatchBuffer], now: Timestamp, _ outcomes: inout [AppendOutcome],
        settled: inout Int
    ) throws(LogError) {
        try requireWritable()
        guard !batches.isEmpty else { return }
        if settings.commitRule == .whenWritten, !termIsDurable { try makeTermDurable() }
        if settings.commitRule == .byCaller {
            precondition(term > .zero, "nobody leads yet")
            clock = max(clock, now)
        }
        producers.expire(now: now)
        var run = FrameBatch(log: self)
        for batch in batches {
            let header = unsafe BatchHeader(reading: batch.bytes)
            if header.producerID >= 0 {
                switch producers.judge(header) {
                case .new: break
                case .duplicate(let offset):
                    outcomes.append(.duplicate(offset))
                    continue
                case .refused(let error):
                    outcomes.append(.refused(error))
                    continue
                }
            }
            let length = UInt64(FrameHeader.size + batch.count)
            let size = active.size + run.byteCount
            if run.nextOffset > active.baseOffset, regions.isEmpty,
                size + length > UInt64(settings.segmentSizeMax) || segmentIsOld(now)
            {
                try write(run)
                settled = outcomes.count
                try roll(now: now)
                run = FrameBatch(log: self)
            }
            outcomes.append(.appended(run.nextOffset))
            // At once, so that those behind it in the same run are judged by it.
            if header.producerID >= 0 { producers.note(header, at: run.nextOffset, now: now) }
            run.add(batch, header)
        }
        try write(run)
        settled = outcomes.count
    }

    /// Writes a mark if the last frames do not yet say that they are durable.
    ///
    /// Called when a log has gone idle: from then on damage of its last frames can be told from a
    /// torn tail.
    public func markIdle() throws(LogError) {
        guard state == .open, syncedIndex == lastIndex, statedDurableIndex < syncedIndex,
            !active.isEmpty
        else { return }
        let mark = FrameHeader(
            kind: .mark, payloadLength: 0, recordCount: 0, group: group, salt: active.header.salt,
            index: lastIndex, term: settings.commitRule == .byCaller ? lineage.lastTerm : term,
            baseOffset: nextOffset, maxTimestamp: .none, durableIndex: syncedIndex,
            payloadChecksum: 0)
        var bytes = [UInt8](repeating: 0, count: FrameHeader.size)
        unsafe bytes.withUnsafeMutableBytes { unsafe mark.write(to: $0) }
        let position = active.size
        do throws(FileError) {
            try active.store.write(bytes, at: position)
        } catch {
            try undoWrite(error)
        }
        active.size += UInt64(FrameHeader.size)
        statedDurableIndex = syncedIndex
        markIsUnsynced = true
    }

    /// Writes frames behind the active segment's last one and takes note of them.
    func write(_ run: FrameBatch) throws(LogError) {
        guard run.byteCount > 0 else { return }
        do throws(FileError) {
            try unsafe active.store.write(run.pieces, at: active.size)
        } catch {
            producers.undo()
            try undoWrite(error)
        }
        producers.commit()
        let isReplicated = settings.commitRule == .byCaller
        for header in run.headers {
            active.builder.note(header, at: active.size, interval: settings.indexInterval)
            active.size += UInt64(header.frameLength)
            if isReplicated {
                lineage.note(
                    term: header.term, index: header.index, offset: header.baseOffset)
                tail.append(endOffset: header.endOffset)
            }
        }
        precondition(
            run.nextIndex > nextIndex && run.nextOffset >= nextOffset,
            "indexes and offsets ascend: \(nextIndex), \(nextOffset)")
        nextOffset = run.nextOffset
        nextIndex = run.nextIndex
        statedDurableIndex = syncedIndex
        bytesSinceCheckpoint += run.byteCount
    }

    /// Takes a write that failed half way out of the file, so that it cannot come back as records.
    ///
    /// - Throws: Always: that the disk is full and the log as it was, or that it has failed.
    func undoWrite(_ error: FileError) throws(LogError) -> Never {
        do throws(FileError) {
            try active.store.truncate(to: active.size)
            // A caller who is told that the disk is full tries again elsewhere or later: what was
            // cut must not be back after a power cut.
            if error.reason == .noSpace { try active.store.sync() }
        } catch let second {
            state = .failed(second)
            throw .failed(second)
        }
        guard error.reason == .noSpace else {
            state = .failed(error)
            throw .failed(error)
        }
        throw .diskFull(error)
    }

    // MARK: Rolling

    func segmentIsOld(_ now: Timestamp) -> Bool {
        let created = active.header.created.rawValue
        return created >= 0 && now.rawValue &- created >= settings.segmentAgeMax
    }

    /// Closes the active segment if it has records and is older than the settings allow.
    public func rollIfOld(now: Timestamp) throws(LogError) {
        guard state == .open, nextOffset > active.baseOffset, regions.isEmpty, segmentIsOld(now)
        else { return }
        try roll(now: now)
    }

    /// Closes the active segment and begins the next one, which vouches for it.
    func roll(now: Timestamp) throws(LogError) {
        // Segments are named by their first offset: without records there is no new name.
        precondition(nextOffset > active.baseOffset, "a segment without records is not closed")
        let header = StoreHeader(
            group: group, salt: salts.next(), baseOffset: nextOffset, baseIndex: nextIndex,
            previous: StoreHeader.Previous(
                baseOffset: active.baseOffset, size: active.size,
                maxTimestamp: active.builder.maxTimestampOrNone),
            created: now)
        let next: ActiveSegment
        do throws(FileError) {
            try active.builder.save(in: directory, of: active.header.salt, on: fileSystem)
            next = try ActiveSegment.create(
                header, head: headFrame(salt: header.salt), in: directory, on: fileSystem)
        } catch {
            // Nothing was begun that recovery does not know how to drop.
            if error.reason == .noSpace { throw .diskFull(error) }
            state = .failed(error)
            throw .failed(error)
        }
        if syncedIndex < lastIndex || !unsyncedStores.isEmpty || markIsUnsynced {
            unsyncedStores.append(active.store)
            markIsUnsynced = false
        }
        closed.append(active.view(in: directory, on: fileSystem, isClosed: true))
        active = next
        directoryIsUnsynced = true
    }

    /// The first frame of a new segment; none if nobody but this log decides what is committed.
    private func headFrame(salt: UInt64) -> [UInt8] {
        guard settings.commitRule == .byCaller else { return [] }
        return FrameHeader.head(
            lineage, group: group, salt: salt, after: lastIndex, nextOffset: nextOffset,
            durableIndex: syncedIndex)
    }
}

extension FrameHeader {
    /// The bytes of a segment's first frame.
    static func head(
        _ lineage: Lineage, group: UInt64, salt: UInt64, after index: LogIndex,
        nextOffset: Offset, durableIndex: LogIndex
    ) -> [UInt8] {
        let payload = lineage.encoded
        let frame = FrameHeader(
            kind: .head, payloadLength: payload.count, recordCount: 0, group: group, salt: salt,
            index: index, term: lineage.lastTerm, baseOffset: nextOffset, maxTimestamp: .none,
            durableIndex: durableIndex, payloadChecksum: CRC32C.checksum(payload))
        var bytes = [UInt8](repeating: 0, count: Self.size)
        unsafe bytes.withUnsafeMutableBytes { unsafe frame.write(to: $0) }
        return bytes + payload
    }
}
