// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Synchronization

/// A file of ``SimulatedFileSystem``; dead after the next crash.
final class SimulatedFile: File {
    let path: String
    let inode: Int
    let mode: OpenMode
    let generation: Int
    private let system: SimulatedFileSystem

    init(_ path: String, _ mode: OpenMode, _ system: SimulatedFileSystem) throws(FileError) {
        self.path = path
        self.mode = mode
        self.system = system
        (inode, generation) = try system.state.withLock { state throws(FileError) in
            (try state.open(path, mode), state.generation)
        }
    }

    deinit {
        system.state.withLock { $0.close(self) }
    }

    func size() throws(FileError) -> UInt64 {
        try system.state.withLock { state throws(FileError) in
            UInt64(try state.file(.status, self).content.count)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64)
        throws(FileError) -> Int
    {
        try system.state.withLock { state throws(FileError) in
            try state.read(self, into: buffer, at: position)
        }
    }

    func readIfCached(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64)
        throws(FileError) -> Int?
    {
        try system.state.withLock { state throws(FileError) in
            if state.strikes(.cacheMiss, path) { return nil }
            return try state.read(self, into: buffer, at: position)
        }
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at position: UInt64) throws(FileError) {
        try system.state.withLock { state throws(FileError) in
            try state.write(self, pieces, at: position)
        }
    }

    func truncate(to size: UInt64) throws(FileError) {
        try system.state.withLock { state throws(FileError) in
            try state.truncate(self, to: size)
        }
    }

    func sync() throws(FileError) {
        try system.state.withLock { state throws(FileError) in try state.sync(self) }
    }
}

/// A lock of ``SimulatedFileSystem``; void after the next crash.
final class SimulatedLock: FileLock {
    private let system: SimulatedFileSystem
    private let inode: Int
    private let generation: Int

    init(_ system: SimulatedFileSystem, inode: Int, generation: Int) {
        self.system = system
        self.inode = inode
        self.generation = generation
    }

    deinit {
        system.state.withLock { state in
            if state.generation == generation { state.locks.remove(inode) }
        }
    }
}
