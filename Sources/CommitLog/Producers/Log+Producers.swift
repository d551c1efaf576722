// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Records

extension Log {
    /// The snapshot that a checkpoint relies on; `nil` where it relies on none.
    ///
    /// Shares its memory with the log's table, so that encoding it can be left to another thread.
    func producerSnapshot(for checkpoint: Checkpoint) -> ProducerSnapshot? {
        guard checkpoint.hasProducers else { return nil }
        return ProducerSnapshot(
            group: group, segment: checkpoint.segment, position: checkpoint.position,
            nextIndex: checkpoint.nextIndex, nextOffset: checkpoint.nextOffset,
            lastTerm: settings.commitRule == .byCaller ? lastTerm : nil, table: producers)
    }

    /// Puts a new snapshot in the place of the old one, which stays whole until then.
    ///
    /// A power cut may bring the old one back: it is as true, only further behind. So a disk without
    /// room for a new one is no reason to stop: checkpoints must go on, for only they let retention
    /// make room. What it costs is said in `docs/internals/formats.md`.
    static func write(
        _ snapshot: ProducerSnapshot, in directory: String, on fileSystem: any FileSystem
    ) throws(FileError) {
        do throws(FileError) {
            try replaceProducers(snapshot.encoded, in: directory, on: fileSystem)
        } catch {
            if error.reason != .noSpace { throw error }
        }
    }

    private static func replaceProducers(
        _ bytes: [UInt8], in directory: String, on fileSystem: any FileSystem
    ) throws(FileError) {
        let path = directory + "/" + ProducerSnapshot.newName
        if try fileSystem.status(of: path) != nil { try fileSystem.remove(path) }
        let file = try fileSystem.open(path, .create)
        try file.write(bytes, at: 0)
        try file.sync()
        try fileSystem.rename(path, to: directory + "/" + ProducerSnapshot.name)
        try fileSystem.syncDirectory(directory)
    }
}
