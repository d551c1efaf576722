// SPDX-License-Identifier: Apache-2.0

import Disk
import Foundation
import SimulatedDisk
import Synchronization

/// A disk in memory of which each sync takes a few milliseconds, as real ones do, and is counted.
final class SlowDisk: FileSystem {
    private let base = SimulatedFileSystem()
    private let syncs = Mutex(0)

    var syncCount: Int { syncs.withLock { $0 } }

    private func takeTime() {
        syncs.withLock { $0 += 1 }
        usleep(3000)
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
        takeTime()
        try base.syncDirectory(path)
    }

    func syncAll(at path: String) throws(FileError) {
        takeTime()
        try base.syncAll(at: path)
    }

    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        SlowFile(base: try base.open(path, mode)) { [weak self] in self?.takeTime() }
    }
}

private final class SlowFile: File {
    private let base: any File
    private let takeTime: @Sendable () -> Void

    init(base: any File, takeTime: @escaping @Sendable () -> Void) {
        self.base = base
        self.takeTime = takeTime
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
        takeTime()
        try base.sync()
    }
}
