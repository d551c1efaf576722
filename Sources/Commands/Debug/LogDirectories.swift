// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Faults
internal import PosixDisk

/// The logs in a folder that a user named: a node's data directory, or one log.
struct LogDirectories {
    /// The logs' folders, sorted.
    let paths: [String]
    /// What the logs are called.
    let names: LogNames
    /// Keeps servers out while the logs are looked at; `nil` where there is nothing to lock.
    private let lock: (any FileLock)?

    /// Finds the logs and keeps servers out of them.
    init(_ path: String, on disk: PosixFileSystem) throws(Fault) {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        let names = try Self.list(path, disk)
        let isNode = names.contains("store.id")
        if isNode {
            let partitions = try Self.list(path + "/partitions", disk)
            // The log of consumer groups is made with the first group.
            paths =
                [path + "/meta"] + names.filter { $0 == "groups" }.map { "\(path)/\($0)" }
                + partitions.sorted().map { "\(path)/partitions/\($0)" }
        } else {
            paths = [path]
        }
        // A log stands in partitions/ of its node's folder, or is its meta.
        let owners = isNode ? [path] : [path + "/../..", path + "/.."]
        var found: (any FileLock)?
        var metadata: String?
        for owner in owners where try Self.list(owner, disk).contains("store.id") {
            found = try DataLock.take(owner, on: disk)
            metadata = owner + "/meta"
        }
        lock = found
        self.names = LogNames(metadata: metadata, on: disk)
    }

    private static func list(_ path: String, _ disk: PosixFileSystem) throws(Fault) -> [String] {
        do throws(FileError) {
            return try disk.list(path)
        } catch {
            throw Fault(error)
        }
    }
}
