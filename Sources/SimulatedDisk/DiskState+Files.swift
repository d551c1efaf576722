// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk

/// What an open file's calls do.
extension DiskState {
    /// The file behind an open object, unless a crash came between.
    func file(
        _ operation: FileError.Operation, _ file: SimulatedFile
    ) throws(FileError) -> Inode {
        try check(operation, file.path)
        guard file.generation == generation, let inode = inodes[file.inode] else {
            throw error(operation, file.path, ErrorNumber.cancelled)
        }
        return inode
    }

    /// Opens or makes a file; its number.
    mutating func open(_ path: String, _ mode: OpenMode) throws(FileError) -> Int {
        guard mode == .create else {
            try check(.open, path)
            let inode = try find(.open, path, isDirectory: false)
            inode.opens += 1
            return inode.id
        }
        var opened = 0
        try changeNames(.open, path) { state throws(FileError) in
            let (directory, name) = try state.parent(.open, path)
            guard directory.names[name] == nil else {
                throw state.error(.open, path, ErrorNumber.exists)
            }
            let inode = state.makeInode(isDirectory: false)
            inode.opens += 1
            opened = inode.id
            state.apply([(NameChange.Step(directory: directory.id, name: name), inode.id)])
        }
        return opened
    }

    mutating func close(_ file: SimulatedFile) {
        guard file.generation == generation, let inode = inodes[file.inode] else { return }
        inode.opens -= 1
        release(inode)
    }

    mutating func read(
        _ file: SimulatedFile, into buffer: UnsafeMutableRawBufferPointer, at position: UInt64
    ) throws(FileError) -> Int {
        let inode = try self.file(.read, file)
        if strikes(.read, file.path) { throw error(.read, file.path, ErrorNumber.inputOutput) }
        guard position < UInt64(inode.content.count) else { return 0 }
        let start = Int(position)
        let count = min(buffer.count, inode.content.count - start)
        inode.content.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)]))
        }
        return count
    }

    mutating func write(
        _ file: SimulatedFile, _ pieces: [UnsafeRawBufferPointer], at position: UInt64
    ) throws(FileError) {
        let inode = try self.file(.write, file)
        guard file.mode != .read else { throw error(.write, file.path, ErrorNumber.badDescriptor) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        for piece in pieces { bytes.append(contentsOf: piece) }
        let stops = try begin(.write, file.path, position: position, size: bytes.count)
        if modelsPowerCuts { effects.note(checksum: CRC32C.checksum(bytes)) }
        var code: Int32?
        if stops {
            code = ErrorNumber.cancelled
        } else if strikes(.write, file.path) {
            code = ErrorNumber.inputOutput
        }
        if code != nil {
            bytes.removeSubrange(Int.random(in: 0...bytes.count, using: &generator)...)
        }
        let start = Int(position)
        let room = Int(clamping: plan.capacity - min(plan.capacity, used))
        if start + bytes.count - inode.content.count > room {
            bytes.removeSubrange(min(bytes.count, max(0, inode.content.count + room - start))...)
            code = code ?? ErrorNumber.noSpace
        }
        change(inode, .write(position: start, bytes: bytes), isEmpty: bytes.isEmpty)
        if let code { throw error(.write, file.path, code) }
    }

    mutating func truncate(_ file: SimulatedFile, to size: UInt64) throws(FileError) {
        let inode = try self.file(.truncate, file)
        guard file.mode != .read else {
            throw error(.truncate, file.path, ErrorNumber.badDescriptor)
        }
        let stops = try begin(.truncate, file.path, position: size)
        if stops, Bool.random(using: &generator) {
            throw error(.truncate, file.path, ErrorNumber.cancelled)
        }
        if strikes(.write, file.path) { throw error(.truncate, file.path, ErrorNumber.inputOutput) }
        let length = UInt64(inode.content.count)
        if size > length, size - length > plan.capacity - min(plan.capacity, used) {
            throw error(.truncate, file.path, ErrorNumber.noSpace)
        }
        change(inode, .truncate(size: Int(size)), isEmpty: size == length)
        if stops { throw error(.truncate, file.path, ErrorNumber.cancelled) }
    }

    private mutating func change(_ inode: Inode, _ change: Inode.Change, isEmpty: Bool) {
        guard !isEmpty else { return }
        let before = inode.content.count
        inode.change(change)
        used += UInt64(inode.content.count)
        used -= UInt64(before)
        if modelsPowerCuts { inode.unsynced.append(change) }
    }

    private func failSync(of inode: Inode) {
        guard plan.failedSyncDropsWrites else { return }
        inode.dropUnsynced(poisoning: plan.failedSyncPoisonsRange)
    }

    mutating func sync(_ file: SimulatedFile) throws(FileError) {
        let inode = try self.file(.sync, file)
        let stops = try begin(.sync, file.path)
        if strikes(.sync, file.path) {
            failSync(of: inode)
            throw error(.sync, file.path, ErrorNumber.inputOutput)
        }
        // What a sync that never returned has done is for the power cut to choose.
        if !stops || Bool.random(using: &generator) { makeDurable(inode) }
        if stops { throw error(.sync, file.path, ErrorNumber.cancelled) }
    }

    mutating func syncAll(_ path: String) throws(FileError) {
        let stops = try begin(.syncAll, path)
        guard find(path) != nil else { throw error(.syncAll, path, ErrorNumber.notFound) }
        let files = inodes.keys.sorted().compactMap { inodes[$0] }
        if strikes(.sync, path) {
            for file in files { failSync(of: file) }
            throw error(.syncAll, path, ErrorNumber.inputOutput)
        }
        if !stops || Bool.random(using: &generator) {
            for file in files { makeDurable(file) }
            for change in unsyncedNames { makeDurable(change) }
            unsyncedNames = []
        }
        if stops { throw error(.syncAll, path, ErrorNumber.cancelled) }
    }
}
