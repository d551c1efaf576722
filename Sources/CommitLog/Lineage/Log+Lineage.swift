// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
public import Records

extension Log {
    /// The term of the last entry, or of the last one that is gone; 0 before the first.
    public var lastTerm: Term { lineage.lastTerm }

    /// The first entry that is still there, or the next one.
    public var firstIndex: LogIndex { (closed.first?.header ?? active.header).baseIndex }

    /// The term of the entry before the first one; 0 if there was none, or none knows.
    public var startTerm: Term { lineage.term(at: firstIndex.previous) ?? .zero }

    /// The term of an entry; `nil` for one that is not there, or whose term is forgotten.
    public func term(at index: LogIndex) -> Term? {
        guard index >= firstIndex.previous, index <= lastIndex else { return nil }
        return index == .zero ? .zero : lineage.term(at: index)
    }

    /// The checksum of the lineage's bytes, by which a checkpoint names the file that holds them.
    ///
    /// Terms and members change seldom, so the bytes are kept until they do.
    func lineageChecksum() -> UInt32? {
        guard settings.commitRule == .byCaller else { return nil }
        if lineageFile?.lineage != lineage {
            let bytes = lineage.encoded
            lineageFile = LineageFile(
                lineage: lineage, bytes: bytes, checksum: CRC32C.checksum(bytes), isWritten: false)
        }
        return lineageFile?.checksum
    }

    /// The bytes of the file that a checkpoint relies on, if they are not in it already.
    func lineageToWrite(for checkpoint: Checkpoint) -> [UInt8]? {
        guard let checksum = checkpoint.lineageChecksum, var file = lineageFile, !file.isWritten
        else { return nil }
        precondition(file.checksum == checksum, "a checkpoint of another lineage")
        file.isWritten = true
        lineageFile = file
        var bytes = file.bytes
        bytes.appendBigEndian(checksum)
        return bytes
    }

    /// Puts a lineage in the place of the old one, which stays whole until then.
    ///
    /// A disk without room is no reason to stop: the checkpoint then finds a file that it does not
    /// know, and the next start reads the last segment instead.
    static func write(
        _ bytes: [UInt8], lineageIn directory: String, on fileSystem: any FileSystem
    ) throws(FileError) {
        do throws(FileError) {
            let path = directory + "/" + LineageRecovery.newName
            if try fileSystem.status(of: path) != nil { try fileSystem.remove(path) }
            let file = try fileSystem.open(path, .create)
            try file.write(bytes, at: 0)
            try file.sync()
            try fileSystem.rename(path, to: directory + "/" + LineageRecovery.name)
            try fileSystem.syncDirectory(directory)
        } catch {
            if error.reason != .noSpace { throw error }
        }
    }
}

/// The lineage that the file of that name holds, or will when the next checkpoint is there.
struct LineageFile {
    var lineage: Lineage
    var bytes: [UInt8]
    var checksum: UInt32
    var isWritten: Bool
}
