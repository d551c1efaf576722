// SPDX-License-Identifier: Apache-2.0

import Disk
import Dispatch
import SimulatedDisk

/// A disk in memory on which some calls do not end until they are let go.
final class HeldDisk: FileSystem {
    private let base = SimulatedFileSystem(modelsPowerCuts: false)
    private let syncs = DispatchSemaphore(value: 1)
    private let looks = DispatchSemaphore(value: 1)
    private let lookedFor: String

    /// A disk that can hold back looks for one path, and syncs.
    init(lookedFor: String = "") { self.lookedFor = lookedFor }

    /// Lets no sync end until ``releaseSyncs()``.
    func holdSyncs() { syncs.wait() }
    /// Lets syncs end again.
    func releaseSyncs() { syncs.signal() }
    /// Lets no look for the path end until ``releaseLooks()``.
    func holdLooks() { looks.wait() }
    /// Lets looks end again.
    func releaseLooks() { looks.signal() }

    private func pass(_ gate: DispatchSemaphore) {
        gate.wait()
        gate.signal()
    }

    func createDirectory(_ path: String) throws(FileError) { try base.createDirectory(path) }
    func list(_ directory: String) throws(FileError) -> [String] { try base.list(directory) }
    func remove(_ path: String) throws(FileError) { try base.remove(path) }
    func removeDirectory(_ path: String) throws(FileError) { try base.removeDirectory(path) }
    func space(at path: String) throws(FileError) -> DiskSpace { try base.space(at: path) }
    func lock(_ path: String) throws(FileError) -> (any FileLock)? { try base.lock(path) }

    func status(of path: String) throws(FileError) -> FileStatus? {
        if path == lookedFor { pass(looks) }
        return try base.status(of: path)
    }

    func rename(_ path: String, to newPath: String) throws(FileError) {
        try base.rename(path, to: newPath)
    }

    func syncDirectory(_ path: String) throws(FileError) {
        pass(syncs)
        try base.syncDirectory(path)
    }

    func syncAll(at path: String) throws(FileError) {
        pass(syncs)
        try base.syncAll(at: path)
    }

    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        HeldFile(base: try base.open(path, mode)) { [self] in pass(syncs) }
    }
}

private final class HeldFile: File {
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
