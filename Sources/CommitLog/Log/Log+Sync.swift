// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Disk
internal import Records

/// The syncing of a log up to one point, to be run by any thread while the log goes on.
///
/// Stores first, then the directory that names them, then, if one is due, the checkpoint that
/// vouches for them: so nothing is ever vouched for that is not on the disk.
public struct SyncTicket: Sendable {
    let stores: [any File]
    let directory: String?
    let fileSystem: any FileSystem
    let checkpoint: Checkpoint?
    let checkpointFile: (any File)?
    /// The producers as of the checkpoint; written before it.
    let producers: ProducerSnapshot?
    let home: String
    let index: LogIndex
    let offset: Offset
    let closedStoreCount: Int
    /// How often entries had been taken back when the sync was begun.
    public let truncationCount: UInt64
    /// The lineage as of the checkpoint, if the file holds another one; written before it.
    let lineage: [UInt8]?

    /// The number of files to sync.
    public var fileCount: Int { stores.count }

    /// Syncs, and says how that went.
    ///
    /// Blocks for as long as the disk takes.
    public func run() -> Result<Void, FileError> {
        do throws(FileError) {
            for store in stores { try store.sync() }
            if let directory { try fileSystem.syncDirectory(directory) }
            if let producers { try Log.write(producers, in: home, on: fileSystem) }
            if let lineage { try Log.write(lineage, lineageIn: home, on: fileSystem) }
            if let checkpoint, let checkpointFile {
                try Log.write(checkpoint, to: checkpointFile)
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}

extension Log {
    /// Whether a sync would make something durable that is not.
    public var needsSync: Bool {
        state == .open
            && (syncedIndex < lastIndex || !unsyncedStores.isEmpty || directoryIsUnsynced
                || checkpointIsDue)
    }

    /// Whether closed segments wait for a sync, or so much was written that a checkpoint is due.
    public var needsBackgroundSync: Bool {
        state == .open
            && (!unsyncedStores.isEmpty || checkpointIsDue
                || bytesSinceCheckpoint >= max(settings.checkpointInterval, 1 << 20) * 2)
    }

    /// Begins to make everything written so far durable; `nil` if it is, or if a sync is running.
    ///
    /// The ticket is run, on whatever thread, and handed to ``endSync(_:_:)``.
    public func beginSync() throws(LogError) -> SyncTicket? {
        guard needsSync, !ticketIsOut else { return nil }
        // Before the sync's own checkpoint, which a later one for the term would take the place of.
        if settings.commitRule == .whenWritten, !termIsDurable { try makeTermDurable() }
        var checkpoint: Checkpoint?
        // Nothing vouches for the last segment but a checkpoint that names it: without one, a store
        // that went missing would look like one that had never been.
        let isNew =
            !active.isEmpty && lastCheckpoint?.segment != active.baseOffset && regions.isEmpty
        if checkpointIsDue || isNew || bytesSinceCheckpoint >= settings.checkpointInterval {
            checkpoint = try prepareCheckpoint(isClean: false)
        }
        ticketIsOut = true
        let ticket = SyncTicket(
            stores: unsyncedStores + [active.store],
            directory: directoryIsUnsynced ? directory : nil, fileSystem: fileSystem,
            checkpoint: checkpoint, checkpointFile: checkpointFile,
            producers: regions.isEmpty ? checkpoint.flatMap(producerSnapshot) : nil,
            home: directory, index: lastIndex,
            offset: nextOffset, closedStoreCount: unsyncedStores.count,
            truncationCount: truncationCount,
            lineage: regions.isEmpty ? checkpoint.flatMap { lineageToWrite(for: $0) } : nil)
        directoryIsUnsynced = false
        markIsUnsynced = false
        return ticket
    }

    /// Takes note of how a sync went: what it covered is committed, or the log has failed.
    public func endSync(_ ticket: SyncTicket, _ result: Result<Void, FileError>) {
        precondition(ticketIsOut, "no sync was begun")
        ticketIsOut = false
        // A log that has failed or was closed in between commits nothing more.
        guard state == .open else { return }
        switch result {
        case .failure(let error):
            // The files of before a reset are gone, and some under the hands of the sync.
            if ticket.truncationCount >= resetAt { state = .failed(error) }
        case .success:
            guard ticket.truncationCount == truncationCount else {
                // Whatever of it was kept was synced when the log was cut.
                if ticket.checkpoint != nil { checkpointIsDue = true }
                return
            }
            precondition(ticket.index >= syncedIndex, "a sync that went backwards")
            syncedIndex = ticket.index
            syncedOffset = ticket.offset
            unsyncedStores.removeFirst(ticket.closedStoreCount)
            if let checkpoint = ticket.checkpoint {
                termIsDurable = true
                lastCheckpoint = checkpoint
                if checkpoint.sequence == checkpointSequence {
                    durableLogStart = max(durableLogStart, checkpoint.logStartOffset)
                } else {
                    // One that was made for the term meanwhile is newer, and says less.
                    checkpointIsDue = true
                }
            }
            if settings.commitRule == .whenSynced {
                highWatermark = max(highWatermark, ticket.offset)
            }
        }
    }

    /// Syncs everything, here and now.
    public func sync() throws(LogError) {
        try requireWritable()
        try syncNow()
    }

    func syncNow() throws(LogError) {
        guard let ticket = try beginSync() else { return }
        endSync(ticket, ticket.run())
        if case .failed(let error) = state { throw .failed(error) }
    }

    /// Syncs everything, notes that the log was closed in order and takes no more calls but reads
    /// of the snapshots that were handed out.
    public func close() throws(LogError) {
        guard state == .open else {
            state = .closed
            return
        }
        precondition(!ticketIsOut, "closed during a sync")
        try sync()
        try syncMark()
        let checkpoint = try prepareCheckpoint(isClean: true)
        state = .closed
        guard let checkpointFile else { return }
        try onDisk { () throws(FileError) in
            if regions.isEmpty, let producers = producerSnapshot(for: checkpoint) {
                try Self.write(producers, in: directory, on: fileSystem)
            }
            if regions.isEmpty, let lineage = lineageToWrite(for: checkpoint) {
                try Self.write(lineage, lineageIn: directory, on: fileSystem)
            }
            try Self.write(checkpoint, to: checkpointFile)
        }
    }

    /// Syncs a mark that stands behind the last synced frame, for a checkpoint to vouch for it.
    private func syncMark() throws(LogError) {
        guard markIsUnsynced else { return }
        do throws(FileError) {
            try active.store.sync()
        } catch {
            state = .failed(error)
            throw .failed(error)
        }
        markIsUnsynced = false
    }

    /// Makes this life's term durable before any frame of it can be seen.
    ///
    /// The checkpoint says of the log what the last one said, since nothing was synced since; it
    /// goes to the slot that a sync under way does not write.
    func makeTermDurable() throws(LogError) {
        let file = try openCheckpointFile()
        checkpointSequence += 1
        var checkpoint =
            lastCheckpoint
            ?? Checkpoint(
                sequence: 0, group: group, isClean: false, term: term, logStartOffset: .zero,
                segment: .zero, position: UInt64(StoreHeader.size), nextIndex: LogIndex(1),
                nextOffset: .zero, maxTimestamp: .none)
        checkpoint.sequence = checkpointSequence
        checkpoint.isClean = false
        checkpoint.term = term
        checkpoint.logStartOffset = max(durableLogStart, checkpoint.logStartOffset)
        do throws(FileError) {
            try Self.write(checkpoint, to: file)
        } catch {
            state = .failed(error)
            throw .failed(error)
        }
        termIsDurable = true
    }

    static func write(_ checkpoint: Checkpoint, to file: any File) throws(FileError) {
        try file.write(checkpoint.encoded, at: Checkpoint.slotPosition(checkpoint.sequence))
        try file.sync()
    }

    private var roomForCheckpoints: Int {
        settings.commitRule == .byCaller ? Checkpoint.fileSize : Checkpoint.shortFileSize
    }

    /// The file of the checkpoints, made with room for both slots so that they never lack it.
    func openCheckpointFile() throws(LogError) -> any File {
        if let checkpointFile { return checkpointFile }
        let path = directory + "/" + SegmentName.checkpoint
        do throws(FileError) {
            let file: any File
            if try fileSystem.status(of: path) == nil {
                file = try makeCheckpointFile(path, [])
                try fileSystem.syncDirectory(directory)
            } else {
                file = try oldCheckpointFile(path)
            }
            checkpointFile = file
            return file
        } catch {
            if error.reason == .noSpace { throw .diskFull(error) }
            state = .failed(error)
            throw .failed(error)
        }
    }

    private func makeCheckpointFile(
        _ path: String, _ slots: [UInt8]
    ) throws(FileError) -> any File {
        let file = try fileSystem.open(path, .create)
        let rest = [UInt8](repeating: 0, count: max(0, roomForCheckpoints - slots.count))
        try file.write(slots + rest, at: 0)
        try file.sync()
        return file
    }

    /// The file that there is, in a new one unless the log was closed in order: the first sync of the
    /// old one may have failed, and then none brings it to the disk.
    private func oldCheckpointFile(_ path: String) throws(FileError) -> any File {
        let old = try fileSystem.open(path, .readWrite)
        let size = try old.size()
        if directoryIsUnsynced {
            let newPath = directory + "/" + SegmentName.newCheckpoint
            if try fileSystem.status(of: newPath) != nil { try fileSystem.remove(newPath) }
            do throws(FileError) {
                let count = min(Int(clamping: size), Checkpoint.fileSize)
                _ = try makeCheckpointFile(newPath, try old.bytes(at: 0, count: count))
                try fileSystem.rename(newPath, to: path)
                try fileSystem.syncDirectory(directory)
                return try fileSystem.open(path, .readWrite)
            } catch  where error.reason == .noSpace {
                // A full disk stops no log that has room for its checkpoints; one that is lost costs
                // a longer scan.
                if try fileSystem.status(of: newPath) != nil { try fileSystem.remove(newPath) }
                try fileSystem.syncDirectory(directory)
            }
        }
        if size < UInt64(roomForCheckpoints) {
            let room = [UInt8](repeating: 0, count: roomForCheckpoints - Int(size))
            try old.write(room, at: size)
            try old.sync()
        }
        return old
    }

    /// The checkpoint that the log would have if everything were synced, which the caller sees to.
    private func prepareCheckpoint(isClean: Bool) throws(LogError) -> Checkpoint {
        _ = try openCheckpointFile()
        do throws(FileError) {
            try active.builder.save(in: directory, of: active.header.salt, on: fileSystem)
        } catch  where error.reason == .noSpace {
            // An index can wait for room: a later save writes what this one could not.
        } catch {
            state = .failed(error)
            throw .failed(error)
        }
        checkpointSequence += 1
        checkpointIsDue = false
        bytesSinceCheckpoint = 0
        guard regions.isEmpty else { return heldCheckpoint() }
        vouchedIndex = max(vouchedIndex, nextIndex)
        return Checkpoint(
            sequence: checkpointSequence, group: group, isClean: isClean,
            hasProducers: !producers.isEmpty, lineageChecksum: lineageChecksum(), term: term,
            logStartOffset: logStartOffset, segment: active.baseOffset, position: active.size,
            nextIndex: nextIndex, nextOffset: nextOffset,
            maxTimestamp: active.builder.maxTimestampOrNone)
    }
}
