// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Disk
internal import Synchronization

/// A file system in memory with the manners of a real one, faults and power cuts included, all
/// drawn from a seed.
///
/// ```
///           write            sync
/// caller ─────────▶ content ──────▶ durable      a power cut leaves what is durable, and of the
///        ─────────▶ names   ──────▶ durable      rest any part, sector by sector, name by name
///          create      syncDirectory
/// ```
///
/// The same seed and the same calls give the same bytes and the same failures. Without faults it
/// is the disk of tests that need none: safe for several threads, in no more memory than its files
/// if power cuts are not modelled.
public final class SimulatedFileSystem: FileSystem {
    let state: Mutex<DiskState>

    /// An empty disk.
    ///
    /// - Parameters:
    ///   - seed: What every chance is drawn from.
    ///   - modelsPowerCuts: Whether to keep what ``crash()`` needs: a second copy of all content.
    public init(seed: UInt64 = 0, modelsPowerCuts: Bool = true) {
        state = Mutex(DiskState(seed: seed, modelsPowerCuts: modelsPowerCuts))
    }

    // MARK: The door

    public func createDirectory(_ path: String) throws(FileError) {
        try state.withLock { state throws(FileError) in
            // One that exists is no change.
            if state.find(path)?.isDirectory == true {
                try state.check(.createDirectory, path)
                return
            }
            try state.changeNames(.createDirectory, path) { state throws(FileError) in
                try state.makeDirectories(path)
            }
        }
    }

    public func list(_ directory: String) throws(FileError) -> [String] {
        try state.withLock { state throws(FileError) in
            try state.check(.list, directory)
            return try state.find(.list, directory, isDirectory: true).names.keys.sorted()
        }
    }

    public func status(of path: String) throws(FileError) -> FileStatus? {
        try state.withLock { state throws(FileError) in
            try state.check(.status, path)
            return state.find(path).map {
                FileStatus(
                    kind: $0.isDirectory ? .directory : .file, size: UInt64($0.content.count))
            }
        }
    }

    public func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        try SimulatedFile(path, mode, self)
    }

    public func remove(_ path: String) throws(FileError) {
        try state.withLock { state throws(FileError) in
            try state.changeNames(.remove, path) { state throws(FileError) in
                _ = try state.find(.remove, path, isDirectory: false)
                let (directory, name) = try state.parent(.remove, path)
                state.apply([(NameChange.Step(directory: directory.id, name: name), nil)])
            }
        }
    }

    public func removeDirectory(_ path: String) throws(FileError) {
        try state.withLock { state throws(FileError) in
            try state.changeNames(.remove, path) { state throws(FileError) in
                let inode = try state.find(.remove, path, isDirectory: true)
                guard inode.names.isEmpty else {
                    throw state.error(.remove, path, ErrorNumber.notEmpty)
                }
                let (directory, name) = try state.parent(.remove, path)
                state.apply([(NameChange.Step(directory: directory.id, name: name), nil)])
            }
        }
    }

    public func rename(_ path: String, to newPath: String) throws(FileError) {
        guard path != newPath else { return }
        try state.withLock { state throws(FileError) in
            try state.changeNames(.rename, path) { state throws(FileError) in
                guard let inode = state.find(path) else {
                    throw state.error(.rename, path, ErrorNumber.notFound)
                }
                let (from, name) = try state.parent(.rename, path)
                let (to, newName) = try state.parent(.rename, newPath)
                if let target = state.find(newPath) {
                    guard target.isDirectory == inode.isDirectory else {
                        let code =
                            target.isDirectory ? ErrorNumber.isDirectory : ErrorNumber.notDirectory
                        throw state.error(.rename, path, code)
                    }
                    guard target.names.isEmpty else {
                        throw state.error(.rename, path, ErrorNumber.notEmpty)
                    }
                }
                // The new name first, so that the file is never without one.
                state.apply([
                    (NameChange.Step(directory: to.id, name: newName), inode.id),
                    (NameChange.Step(directory: from.id, name: name), nil),
                ])
            }
        }
    }

    public func syncDirectory(_ path: String) throws(FileError) {
        try state.withLock { state throws(FileError) in
            try state.changeNames(.syncDirectory, path) { state throws(FileError) in
                let directory = try state.find(.syncDirectory, path, isDirectory: true)
                state.syncNames(of: directory)
            }
        }
    }

    public func syncAll(at path: String) throws(FileError) {
        try state.withLock { state throws(FileError) in try state.syncAll(path) }
    }

    public func space(at path: String) throws(FileError) -> DiskSpace {
        try state.withLock { state throws(FileError) in
            try state.check(.space, path)
            guard state.find(path) != nil else {
                throw state.error(.space, path, ErrorNumber.notFound)
            }
            let capacity = state.plan.capacity
            return DiskSpace(free: capacity - min(capacity, state.used), total: capacity)
        }
    }

    public func lock(_ path: String) throws(FileError) -> (any FileLock)? {
        if try status(of: path) == nil { _ = try open(path, .create) }
        let taken: (inode: Int, generation: Int)? = try state.withLock { state throws(FileError) in
            let inode = try state.find(.lock, path, isDirectory: false)
            guard state.locks.insert(inode.id).inserted else { return nil }
            return (inode.id, state.generation)
        }
        return taken.map { SimulatedLock(self, inode: $0.inode, generation: $0.generation) }
    }
}
