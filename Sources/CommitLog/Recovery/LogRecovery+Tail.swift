// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Records

/// The part of the log that may not be on the disk.
extension LogRecovery {
    /// Puts stores whose end may not be on the disk into new files, synced under the old names.
    ///
    /// A sync that failed before this start may have left pages that look clean and never reached the
    /// disk. A sync alone would not write them (Rebello et al., "Can Applications Recover from fsync
    /// Failures?", ATC '20), nor does writing the same bytes in place: ext4 takes the blocks of such a
    /// page for written and leaves them marked as never written, so that they read as zeros after a
    /// power cut. A new file has new blocks. It holds the same bytes and takes the old one's name in one
    /// step, so a crash at any point leaves one or the other.
    ///
    /// An unclean start costs the writing of each store that has entries above the last durable one, from
    /// its first byte: the last segment as a rule, up to `segmentBytes` of it.
    ///
    /// - Returns: The new files.
    mutating func renewTail(
        after durable: LogIndex, before nextIndex: LogIndex, last: Int, end: UInt64
    ) throws(LogError) -> [any File] {
        var files: [any File] = []
        guard startSegment <= last, last < found.count else { return files }
        for number in startSegment...last {
            let header = found[number].store.header
            let isLast = number == last
            let limit = isLast ? end : found[number].end
            let next = isLast ? nextIndex : found[number + 1].store.header.baseIndex
            // A header is as durable as the first frame behind it.
            let isNew = header.baseIndex > durable
            guard isNew || next > durable.next || isLast else { continue }
            let from = isNew ? 0 : try unsyncedStart(number, after: durable, end: limit)
            guard from < limit else { continue }
            let source = found[number].store.file
            found[number].store.file = try onDisk { () throws(FileError) in
                try renew(source, named: SegmentName.store(header.baseOffset), end: limit)
            }
            files.append(found[number].store.file)
        }
        if !files.isEmpty {
            try onDisk { () throws(FileError) in try fileSystem.syncDirectory(directory) }
        }
        return files
    }

    /// Where the first frame that may not be on the disk begins, or the marks before it.
    private func unsyncedStart(
        _ number: Int, after durable: LogIndex, end: UInt64
    ) throws(LogError) -> UInt64 {
        let store = found[number].store
        let scanner = StoreScanner(
            store.file, group: survey.group, salt: store.header.salt,
            from: number == startSegment ? startPosition : UInt64(StoreHeader.size), end: end)
        return try onDisk { () throws(FileError) in
            var start = scanner.position
            while case .frame(let frame) = try scanner.next(checkingPayloads: false) {
                guard frame.kind.isEntry else { continue }
                guard frame.index <= durable else { break }
                start = scanner.position
            }
            return start
        }
    }

    /// Has a copy of a store's first bytes, which is on the disk, take its name.
    private func renew(
        _ source: any File, named name: String, end: UInt64
    ) throws(FileError) -> any File {
        let path = directory + "/" + SegmentName.rewritten
        if try fileSystem.status(of: path) != nil { try fileSystem.remove(path) }
        let copy = try fileSystem.open(path, .create)
        do throws(FileError) {
            _ = try Log.copy(0..<end, of: source, to: copy, at: 0)
            try copy.sync()
        } catch {
            // Others may need the room; what cannot be removed is removed at the next start.
            if error.reason == .noSpace { try fileSystem.remove(path) }
            throw error
        }
        let store = directory + "/" + name
        try fileSystem.rename(path, to: store)
        return try fileSystem.open(store, .readWrite)
    }
}
