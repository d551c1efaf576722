// SPDX-License-Identifier: Apache-2.0

internal import Disk

/// A bug put in on purpose, to see that the simulator finds it.
public enum Sabotage: String, Sendable, CaseIterable {
    /// The driver acknowledges when a batch was written, not when it was synced.
    case acknowledgesAtWrite
    /// Syncs of files do nothing.
    case skipsSync
    /// Syncs of directories do nothing.
    case skipsDirectorySync
    /// A failed sync is tried again, and the second answer believed.
    case retriesSync
    /// Now and then one byte is written wrong.
    case writesWrongByte
    /// Now and then a write stops half way and says nothing.
    case writesShort
    /// Cutting a file does nothing.
    case skipsTruncation
    /// A start does not find out which idempotent producers there were.
    case forgetsProducers
    /// The driver acknowledges a batch that came twice before the first one is committed.
    case acknowledgesDuplicatesAtOnce
    /// The log remembers four batches of a producer, which has up to five under way.
    case remembersFourBatches
}

/// A disk that passes everything on, but for what it sabotages.
final class SabotagedFileSystem: FileSystem {
    private let base: any FileSystem
    private let sabotage: Sabotage

    init(_ base: any FileSystem, _ sabotage: Sabotage) {
        self.base = base
        self.sabotage = sabotage
    }

    func createDirectory(_ path: String) throws(FileError) { try base.createDirectory(path) }
    func list(_ directory: String) throws(FileError) -> [String] { try base.list(directory) }
    func status(of path: String) throws(FileError) -> FileStatus? { try base.status(of: path) }
    func remove(_ path: String) throws(FileError) { try base.remove(path) }
    func removeDirectory(_ path: String) throws(FileError) { try base.removeDirectory(path) }
    func rename(_ path: String, to newPath: String) throws(FileError) {
        try base.rename(path, to: newPath)
    }
    func syncAll(at path: String) throws(FileError) { try base.syncAll(at: path) }
    func space(at path: String) throws(FileError) -> DiskSpace { try base.space(at: path) }
    func lock(_ path: String) throws(FileError) -> (any FileLock)? { try base.lock(path) }

    func syncDirectory(_ path: String) throws(FileError) {
        if sabotage != .skipsDirectorySync { try base.syncDirectory(path) }
    }

    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        SabotagedFile(try base.open(path, mode), sabotage)
    }
}

private final class SabotagedFile: File {
    private let base: any File
    private let sabotage: Sabotage

    init(_ base: any File, _ sabotage: Sabotage) {
        self.base = base
        self.sabotage = sabotage
    }

    var path: String { base.path }
    func size() throws(FileError) -> UInt64 { try base.size() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64)
        throws(FileError) -> Int
    {
        try base.read(into: buffer, at: position)
    }

    func readIfCached(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64)
        throws(FileError) -> Int?
    {
        try base.readIfCached(into: buffer, at: position)
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at position: UInt64) throws(FileError) {
        // A place that comes up now and then, and the same each time.
        guard path.hasSuffix(".store"), position % 17 == 3 else {
            return try base.write(pieces, at: position)
        }
        var bytes = pieces.flatMap { Array($0) }
        switch sabotage {
        case .writesWrongByte: bytes[bytes.count / 2] ^= 0x10
        case .writesShort: bytes.removeLast(bytes.count / 2)
        default: break
        }
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(FileError) in try base.write([buffer], at: position) }
        }
        try result.get()
    }

    func truncate(to size: UInt64) throws(FileError) {
        if sabotage != .skipsTruncation { try base.truncate(to: size) }
    }

    func sync() throws(FileError) {
        switch sabotage {
        case .skipsSync: return
        case .retriesSync:
            do throws(FileError) { try base.sync() } catch { try base.sync() }
        default: try base.sync()
        }
    }
}
