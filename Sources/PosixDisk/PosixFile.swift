// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Glibc

/// What the files of one file system share.
struct DescriptorOwner: Sendable {
    let budget: DescriptorBudget
    let names = Namespace()

    /// Takes a descriptor for a call, opening its file if need be.
    func enter(_ descriptor: Descriptor) throws(FileError) -> Int32 {
        if let number = descriptor.enter() { return number }
        do throws(FileError) {
            return try open(descriptor)
        } catch {
            // Whoever takes the file's name away opens it before, perhaps just now.
            if let number = descriptor.enter() { return number }
            guard error.reason == .descriptors else { throw error }
        }
        budget.makeRoom()
        return try open(descriptor)
    }

    private func open(_ descriptor: Descriptor) throws(FileError) -> Int32 {
        let opened = try names.open(descriptor)
        let (number, spare) = descriptor.install(opened.number, opened.identity)
        if let spare { SystemCall.close(spare) }
        budget.place(descriptor)
        return number
    }

    /// Makes a call with an open descriptor.
    func using<Result>(
        _ descriptor: Descriptor, _ call: (Int32) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        let number = try enter(descriptor)
        defer { descriptor.leave() }
        return try call(number)
    }

    /// Makes a call that changes the file, which keeps its descriptor until the next sync.
    func writing(
        _ descriptor: Descriptor, _ call: (Int32) throws(FileError) -> Void
    ) throws(FileError) {
        try using(descriptor) { number throws(FileError) in
            if descriptor.countWrite() { budget.place(descriptor) }
            defer { _ = descriptor.countWrite() }
            try call(number)
        }
    }
}

/// A file of ``PosixFileSystem``.
final class PosixFile: File {
    private let descriptor: Descriptor
    private let owner: DescriptorOwner

    var path: String { descriptor.path }

    /// Opens a file.
    init(_ path: String, _ mode: OpenMode, _ owner: DescriptorOwner) throws(FileError) {
        self.owner = owner
        descriptor = owner.names.makeDescriptor(path, mode)
        // A failure ends in `deinit` too, which forgets the descriptor.
        _ = try owner.enter(descriptor)
        descriptor.leave()
    }

    deinit {
        owner.names.forget(descriptor)
        owner.budget.discard(descriptor)
    }

    func size() throws(FileError) -> UInt64 {
        try owner.using(descriptor) { number throws(FileError) in
            try SystemCall.facts(of: number, .status, path).size
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64)
        throws(FileError) -> Int
    {
        try owner.using(descriptor) { number throws(FileError) in
            try SystemCall.read(number, into: buffer, at: position, path)
        }
    }

    func readIfCached(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64)
        throws(FileError) -> Int?
    {
        // Opening the file may have to ask the device, so a closed descriptor is a "would wait".
        guard let number = descriptor.enter() else { return nil }
        defer { descriptor.leave() }
        return try SystemCall.readCached(number, into: buffer, at: position, path)
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at position: UInt64) throws(FileError) {
        try owner.writing(descriptor) { number throws(FileError) in
            try SystemCall.write(number, pieces, at: position, path)
        }
    }

    func truncate(to size: UInt64) throws(FileError) {
        try owner.writing(descriptor) { number throws(FileError) in
            let length = try SystemCall.fileOffset(size, plus: 0, .truncate, path)
            _ = try SystemCall.retrying(.truncate, path) { ftruncate(number, length) }
        }
    }

    func sync() throws(FileError) {
        let writes = try descriptor.beginSync()
        do {
            try owner.using(descriptor) { number throws(FileError) in
                _ = try SystemCall.retrying(.sync, path) { fdatasync(number) }
            }
        } catch {
            // The system may now hold the lost pages for clean: no later success means anything.
            descriptor.failSync(error)
            owner.budget.place(descriptor)
            throw error
        }
        descriptor.completeSync(writes)
        owner.budget.place(descriptor)
    }
}
