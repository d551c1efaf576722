// SPDX-License-Identifier: Apache-2.0

import Disk
import Glibc
import SimulatedDisk
import Synchronization

/// A disk in memory that stops answering: once it is stuck, a sync never returns.
final class StuckDisk: FileSystem {
    private let disk = SimulatedFileSystem(modelsPowerCuts: false)
    private let isStuck = Atomic(false)

    func getStuck() { isStuck.store(true, ordering: .releasing) }

    func waitIfStuck() {
        while isStuck.load(ordering: .acquiring) { pause() }
    }

    func createDirectory(_ path: String) throws(FileError) { try disk.createDirectory(path) }
    func list(_ directory: String) throws(FileError) -> [String] { try disk.list(directory) }
    func status(of path: String) throws(FileError) -> FileStatus? { try disk.status(of: path) }
    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        StuckFile(try disk.open(path, mode), on: self)
    }
    func remove(_ path: String) throws(FileError) { try disk.remove(path) }
    func removeDirectory(_ path: String) throws(FileError) { try disk.removeDirectory(path) }
    func rename(_ path: String, to newPath: String) throws(FileError) {
        try disk.rename(path, to: newPath)
    }
    func syncDirectory(_ path: String) throws(FileError) {
        waitIfStuck()
        try disk.syncDirectory(path)
    }
    func syncAll(at path: String) throws(FileError) {
        waitIfStuck()
        try disk.syncAll(at: path)
    }
    func space(at path: String) throws(FileError) -> DiskSpace { try disk.space(at: path) }
    func lock(_ path: String) throws(FileError) -> (any FileLock)? { try disk.lock(path) }
}

private final class StuckFile: File {
    private let file: any File
    private let disk: StuckDisk

    init(_ file: any File, on disk: StuckDisk) {
        self.file = file
        self.disk = disk
    }

    var path: String { file.path }
    func size() throws(FileError) -> UInt64 { try file.size() }
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at position: UInt64
    ) throws(FileError) -> Int {
        try file.read(into: buffer, at: position)
    }
    func readIfCached(
        into buffer: UnsafeMutableRawBufferPointer, at position: UInt64
    ) throws(FileError) -> Int? {
        try file.readIfCached(into: buffer, at: position)
    }
    func write(_ pieces: [UnsafeRawBufferPointer], at position: UInt64) throws(FileError) {
        try file.write(pieces, at: position)
    }
    func truncate(to size: UInt64) throws(FileError) { try file.truncate(to: size) }
    func sync() throws(FileError) {
        disk.waitIfStuck()
        try file.sync()
    }
}
