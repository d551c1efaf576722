// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Records

extension Log {
    /// The file that a checkpoint relies on, for the log's directory; `nil` where it relies on none.
    func producersFile(for checkpoint: Checkpoint) -> (path: String, bytes: [UInt8])? {
        guard checkpoint.hasProducers else { return nil }
        let snapshot = ProducerSnapshot(
            group: group, segment: checkpoint.segment, position: checkpoint.position,
            nextIndex: checkpoint.nextIndex, nextOffset: checkpoint.nextOffset, table: producers)
        return (directory, snapshot.encoded)
    }

    /// Puts a new snapshot in the place of the old one, which stays whole until then.
    ///
    /// A power cut may bring the old one back: it is as true, only further behind. So a disk without
    /// room for a new one does no harm either, and is no reason to stop.
    static func writeProducers(
        _ bytes: [UInt8], in directory: String, on fileSystem: any FileSystem
    ) throws(FileError) {
        do throws(FileError) {
            try replaceProducers(bytes, in: directory, on: fileSystem)
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
