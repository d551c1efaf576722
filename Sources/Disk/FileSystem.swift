// SPDX-License-Identifier: Apache-2.0

/// The door to files: everything that Cordwood asks of a disk.
///
/// `PosixDisk` stands behind it in production and `SimulatedDisk`, with its seeded faults, in
/// tests. Calls block; they are made on I/O threads. Paths are absolute or relative to the process,
/// with `/` between their parts. Implementations are safe to call from several threads.
public protocol FileSystem: Sendable {
    /// Makes a directory and those above it; one that exists is left as it is.
    func createDirectory(_ path: String) throws(FileError)

    /// The names in a directory, sorted, without `.` and `..`.
    func list(_ directory: String) throws(FileError) -> [String]

    /// What stands at a path, or `nil` if nothing does.
    func status(of path: String) throws(FileError) -> FileStatus?

    /// Opens a file for reading and, unless `mode` says otherwise, writing.
    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File

    /// Removes a file. Those who have it open can still read it.
    func remove(_ path: String) throws(FileError)

    /// Removes an empty directory.
    func removeDirectory(_ path: String) throws(FileError)

    /// Gives a file or directory a new name, in place of what has that name now.
    ///
    /// Atomic for readers; durable once the directory that holds it is synced.
    func rename(_ path: String, to newPath: String) throws(FileError)

    /// Makes creations, removals and renames in a directory durable.
    func syncDirectory(_ path: String) throws(FileError)

    /// Makes everything written to the file system that holds `path` durable, in one call.
    func syncAll(at path: String) throws(FileError)

    /// How much room there is where `path` lies.
    func space(at path: String) throws(FileError) -> DiskSpace

    /// Takes an exclusive lock that ends with the process, or `nil` if another process has it.
    func lock(_ path: String) throws(FileError) -> (any FileLock)?
}

/// An open file.
///
/// Safe to use from several threads: reads may run beside reads and beside a write elsewhere in the
/// file. One owner writes.
public protocol File: AnyObject, Sendable {
    /// The path that the file was opened with.
    var path: String { get }

    /// The file's length in bytes.
    func size() throws(FileError) -> UInt64

    /// Reads at `position` until the buffer is full or the file ends; the number of bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64)
        throws(FileError) -> Int

    /// Reads like ``read(into:at:)`` if that needs no disk access; `nil` where it would wait.
    func readIfCached(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64)
        throws(FileError) -> Int?

    /// Writes the pieces one behind the other from `position` on.
    ///
    /// On an error any part of them may be in the file.
    func write(_ pieces: [UnsafeRawBufferPointer], at position: UInt64) throws(FileError)

    /// Sets the file's length, cutting or filling with zeros.
    func truncate(to size: UInt64) throws(FileError)

    /// Makes all that was written to the file durable, its length included (`fdatasync`).
    ///
    /// After an error nothing written since the last success may be taken as durable, even if a
    /// later call succeeds.
    func sync() throws(FileError)
}

/// A lock on a path, held for as long as this object lives.
public protocol FileLock: AnyObject, Sendable {}

/// How to open a file.
public enum OpenMode: Sendable, Equatable {
    /// An existing file, for reading only.
    case read
    /// An existing file, for reading and writing.
    case readWrite
    /// A new file, for reading and writing; one that exists is an error.
    case create
}

/// What stands at a path.
public struct FileStatus: Sendable, Equatable {
    /// The kinds that Cordwood tells apart.
    public enum Kind: Sendable, Equatable {
        case file
        case directory
        /// A symbolic link, device, socket: never followed, never read.
        case other
    }

    /// What it is.
    public var kind: Kind
    /// The length in bytes; 0 for what is not a file.
    public var size: UInt64

    /// A status with these values.
    public init(kind: Kind, size: UInt64) {
        self.kind = kind
        self.size = size
    }
}

/// Room on a file system, in bytes.
public struct DiskSpace: Sendable, Equatable {
    /// What an ordinary user may still write.
    public var free: UInt64
    /// The size of the file system.
    public var total: UInt64

    /// Room with these values.
    public init(free: UInt64, total: UInt64) {
        self.free = free
        self.total = total
    }
}
