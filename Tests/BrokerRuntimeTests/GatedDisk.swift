// SPDX-License-Identifier: Apache-2.0

import Disk
import Dispatch
import SimulatedDisk
import Synchronization

/// A disk in memory that counts its syncs, and holds them up until it is told not to.
final class GatedDisk: FileSystem {
    private let base = SimulatedFileSystem()
    private let syncs = Mutex(0)
    private let gate = DispatchSemaphore(value: 1)

    var syncCount: Int { syncs.withLock { $0 } }

    /// Lets no sync end until ``release()``.
    func hold() { gate.wait() }

    /// Lets all go on.
    func release() { gate.signal() }

    private func pass() {
        syncs.withLock { $0 += 1 }
        gate.wait()
        gate.signal()
    }

    func createDirectory(_ path: String) throws(FileError) { try base.createDirectory(path) }
    func list(_ directory: String) throws(FileError) -> [String] { try base.list(directory) }
    func status(of path: String) throws(FileError) -> FileStatus? { try base.status(of: path) }
    func remove(_ path: String) throws(FileError) { try base.remove(path) }
    func removeDirectory(_ path: String) throws(FileError) { try base.removeDirectory(path) }
    func space(at path: String) throws(FileError) -> DiskSpace { try base.space(at: path) }
    func lock(_ path: String) throws(FileError) -> (any FileLock)? { try base.lock(path) }

    func rename(_ path: String, to newPath: String) throws(FileError) {
        try base.rename(path, to: newPath)
    }

    func syncDirectory(_ path: String) throws(FileError) {
        pass()
        try base.syncDirectory(path)
    }

    func syncAll(at path: String) throws(FileError) {
        pass()
        try base.syncAll(at: path)
    }

    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        GatedFile(base: try base.open(path, mode)) { [weak self] in self?.pass() }
    }
}

private final class GatedFile: File {
    private let base: any File
    private let pass: @Sendable () -> Void

    init(base: any File, pass: @escaping @Sendable () -> Void) {
        self.base = base
        self.pass = pass
    }

    var path: String { base.path }
    func size() throws(FileError) -> UInt64 { try base.size() }
    func truncate(to size: UInt64) throws(FileError) { try base.truncate(to: size) }

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
        try base.write(pieces, at: position)
    }

    func sync() throws(FileError) {
        pass()
        try base.sync()
    }
}
