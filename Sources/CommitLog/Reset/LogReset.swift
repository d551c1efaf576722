// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// Puts other files in the place of all files of a log, so that a crash leaves the old ones or the
/// new ones.
///
/// ```
/// reset.new/   store, lineage, checkpoint: written and synced
///    │ rename: from here on the new log counts
/// reset/       1. the old files are removed
///              2. the store moves up, then the others
///              3. the directory, empty, is removed
/// ```
///
/// Whatever step a crash came between, the next start goes on: as long as the new store lies in
/// `reset/` all other files are old ones; when it does not, none is.
enum LogReset {
    static let stagedName = "reset"
    static let unfinishedName = "reset.new"

    /// The files of a log that begins behind a snapshot.
    struct Content {
        var header: StoreHeader
        var lineage: Lineage
        var checkpointSequence: UInt64
    }

    /// Writes the new files aside and makes them count.
    ///
    /// - Throws: An error before which nothing was changed, unless the staged directory has its name.
    static func stage(
        _ content: Content, in directory: String, on fileSystem: any FileSystem
    ) throws(FileError) {
        let home = directory + "/" + unfinishedName
        try clear(home, on: fileSystem)
        try fileSystem.createDirectory(home)
        let header = content.header
        let head = FrameHeader.head(
            content.lineage, group: header.group, salt: header.salt,
            after: header.baseIndex.previous, nextOffset: header.baseOffset,
            durableIndex: header.baseIndex.previous)
        let active = try ActiveSegment.create(header, head: head, in: home, on: fileSystem)
        try active.store.sync()
        let bytes = content.lineage.encoded
        let checksum = CRC32C.checksum(bytes)
        let lineage = try fileSystem.open(home + "/" + LineageRecovery.name, .create)
        var sealed = bytes
        sealed.appendBigEndian(checksum)
        try lineage.write(sealed, at: 0)
        try lineage.sync()
        let checkpoint = checkpoint(of: content, checksum, position: active.size)
        let file = try fileSystem.open(home + "/" + SegmentName.checkpoint, .create)
        try file.write([UInt8](repeating: 0, count: Checkpoint.fileSize), at: 0)
        try Log.write(checkpoint, to: file)
        try fileSystem.syncDirectory(home)
        try fileSystem.rename(home, to: directory + "/" + stagedName)
    }

    static func checkpoint(
        of content: Content, _ lineageChecksum: UInt32, position: UInt64
    ) -> Checkpoint {
        let header = content.header
        return Checkpoint(
            sequence: content.checkpointSequence, group: header.group, isClean: false,
            lineageChecksum: lineageChecksum, term: content.lineage.lastTerm,
            logStartOffset: header.baseOffset, segment: header.baseOffset, position: position,
            nextIndex: header.baseIndex, nextOffset: header.baseOffset, maxTimestamp: .none)
    }

    /// Ends a reset that was begun, in whatever life of the log.
    static func finish(in directory: String, on fileSystem: any FileSystem) throws(FileError) {
        let unfinished = directory + "/" + unfinishedName
        if try fileSystem.status(of: unfinished)?.kind == .directory {
            try clear(unfinished, on: fileSystem)
            try fileSystem.syncDirectory(directory)
        }
        let staged = directory + "/" + stagedName
        guard try fileSystem.status(of: staged)?.kind == .directory else { return }
        // The name may be in nothing but the page cache yet.
        try fileSystem.syncDirectory(directory)
        let stores = try fileSystem.list(staged).filter {
            SegmentName.base(of: $0, suffix: SegmentName.storeSuffix) != nil
        }
        if let store = stores.first {
            for name in try fileSystem.list(directory) where isOfLog(name) {
                do throws(FileError) {
                    try fileSystem.remove(directory + "/" + name)
                } catch  where error.reason == .notFound {
                    // A sync of the old files that is under way has renamed it.
                }
            }
            try fileSystem.syncDirectory(directory)
            try move([store], from: staged, to: directory, on: fileSystem)
        }
        let rest = try fileSystem.list(staged)
        try move(rest, from: staged, to: directory, on: fileSystem)
        try fileSystem.removeDirectory(staged)
        try fileSystem.syncDirectory(directory)
    }

    private static func move(
        _ names: [String], from staged: String, to directory: String,
        on fileSystem: any FileSystem
    ) throws(FileError) {
        for name in names {
            try fileSystem.rename(staged + "/" + name, to: directory + "/" + name)
        }
        try fileSystem.syncDirectory(directory)
        try fileSystem.syncDirectory(staged)
    }

    /// Whether a file of this name belongs to a log.
    static func isOfLog(_ name: String) -> Bool {
        let suffixes = [
            SegmentName.storeSuffix, SegmentName.indexSuffix, SegmentName.timeIndexSuffix,
        ]
        let names = [
            SegmentName.checkpoint, ProducerSnapshot.name, ProducerSnapshot.newName,
            LineageRecovery.name, LineageRecovery.newName, SegmentName.rewritten,
            SegmentName.newCheckpoint,
        ]
        return names.contains(name)
            || suffixes.contains { SegmentName.base(of: name, suffix: $0) != nil }
    }

    /// Removes a directory and the files in it, if there is one.
    static func clear(_ path: String, on fileSystem: any FileSystem) throws(FileError) {
        guard try fileSystem.status(of: path)?.kind == .directory else { return }
        for name in try fileSystem.list(path) { try fileSystem.remove(path + "/" + name) }
        try fileSystem.removeDirectory(path)
    }
}
