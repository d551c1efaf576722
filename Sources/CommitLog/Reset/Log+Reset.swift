// SPDX-License-Identifier: Apache-2.0

internal import Disk
public import Records

extension Log {
    /// Forgets all entries and begins behind a snapshot; durable when this returns.
    ///
    /// A crash on the way leaves the old log or the new one. Readers keep what they have in hand.
    ///
    /// - Parameters:
    ///   - index: The last entry that the snapshot covers; not below what is committed.
    ///   - term: Its term.
    ///   - offset: The offset of the next record; not below the high watermark.
    ///   - configuration: The members as of the snapshot, in the words of the group.
    /// - Throws: ``LogError/diskFull(_:)`` if nothing was changed, ``LogError/failed(_:)`` otherwise.
    public func reset(
        after index: LogIndex, term: Term, offset: Offset, configuration: [UInt8], now: Timestamp
    ) throws(LogError) {
        requireCaller()
        // What cannot be read is given up as well.
        if state != .readOnly { try requireWritable() }
        precondition(index >= commitIndex, "entries up to \(commitIndex) are committed")
        precondition(offset >= highWatermark, "records up to \(highWatermark) are committed")
        let content = LogReset.Content(
            header: StoreHeader(
                group: group, salt: salts.next(), baseOffset: offset, baseIndex: index.next,
                previous: nil, created: now),
            lineage: Lineage(
                after: index, term: term, offset: offset, configuration: configuration),
            checkpointSequence: checkpointSequence + 1)
        do throws(FileError) {
            try LogReset.stage(content, in: directory, on: fileSystem)
        } catch {
            try undoStage(error)
        }
        do throws(FileError) {
            try LogReset.finish(in: directory, on: fileSystem)
            try begin(content, now: now)
        } catch {
            state = .failed(error)
            throw .failed(error)
        }
        checkInvariants()
    }

    /// Removes what was staged, so that a later attempt has room for it.
    private func undoStage(_ error: FileError) throws(LogError) -> Never {
        guard error.reason == .noSpace else {
            state = .failed(error)
            throw .failed(error)
        }
        do throws(FileError) {
            try LogReset.clear(directory + "/" + LogReset.unfinishedName, on: fileSystem)
        } catch {
            state = .failed(error)
            throw .failed(error)
        }
        throw .diskFull(error)
    }

    /// Goes on with the files of a reset.
    private func begin(_ content: LogReset.Content, now: Timestamp) throws(FileError) {
        let header = content.header
        let store = try fileSystem.open(
            directory + "/" + SegmentName.store(header.baseOffset), .readWrite)
        active = ActiveSegment(
            store: store, header: header, size: try store.size(),
            builder: IndexBuilder(baseOffset: header.baseOffset, baseIndex: header.baseIndex))
        closed = []
        removable = []
        regions = []
        damages = []
        state = .open
        forgetClosedSize()
        lineage = content.lineage
        lineageFile = nil
        let checksum = lineageChecksum()
        lineageFile?.isWritten = true
        checkpointFile = nil
        checkpointSequence = content.checkpointSequence
        checkpointIsDue = false
        bytesSinceCheckpoint = 0
        lastCheckpoint = LogReset.checkpoint(of: content, checksum ?? 0, position: active.size)
        vouchedIndex = header.baseIndex
        nextIndex = header.baseIndex
        nextOffset = header.baseOffset
        commitIndex = lastIndex
        highWatermark = header.baseOffset
        logStartOffset = header.baseOffset
        durableLogStart = header.baseOffset
        tail = UncommittedTail(firstIndex: nextIndex)
        producers = ProducerTable(limits: settings.producerLimits)
        term = lineage.lastTerm
        clock = max(clock, now)
        noteTruncation()
        resetAt = truncationCount
    }
}
