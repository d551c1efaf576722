// SPDX-License-Identifier: Apache-2.0

public import Disk
internal import Glibc
internal import Synchronization

/// The file system of the machine: the only system calls on files in Cordwood.
///
/// ```
/// PosixFile ──── Descriptor ──┬── DescriptorBudget   closes idle ones, at a limit
///                             └── Namespace          follows renames, survives removals
/// ```
///
/// Descriptors come and go under a budget, so that any number of files may be open as objects.
/// Links are never followed at the end of a path, and no descriptor is passed on to a child process.
public final class PosixFileSystem: FileSystem {
    private let owner: DescriptorOwner
    /// One open directory for each device that was synced as a whole.
    ///
    /// The system reports a failed write once to each that was open when it happened, so these stay
    /// open.
    private let devices = Mutex<[UInt64: Int32]>([:])

    /// A file system with a budget of descriptors.
    ///
    /// - Parameter descriptorLimit: How many files may be held open at once, 1 or more; 0 for a
    ///   half of what the process may open, at most 4,096.
    public init(descriptorLimit: Int = 0) {
        precondition(descriptorLimit >= 0, "a limit of \(descriptorLimit) descriptors")
        let limit = descriptorLimit > 0 ? descriptorLimit : Self.defaultLimit()
        owner = DescriptorOwner(budget: DescriptorBudget(limit: limit))
    }

    deinit {
        devices.withLock { for number in $0.values { SystemCall.close(number) } }
    }

    /// How many files have a descriptor now.
    public var openDescriptors: Int { owner.budget.openCount }

    private static func defaultLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 512
        }
        return Int(clamping: min(4096, max(16, limit.rlim_cur / 2)))
    }

    public func createDirectory(_ path: String) throws(FileError) {
        if mkdir(path, 0o750) == 0 { return }
        let code = errno
        switch code {
        case EEXIST:
            guard try status(of: path)?.kind == .directory else {
                throw SystemCall.error(.createDirectory, path, code: EEXIST)
            }
        case ENOENT:
            let trimmed = path.last == "/" ? path.dropLast() : path[...]
            guard let slash = trimmed.lastIndex(of: "/"), slash > trimmed.startIndex else {
                throw SystemCall.error(.createDirectory, path, code: code)
            }
            try createDirectory(String(trimmed[..<slash]))
            guard mkdir(path, 0o750) == 0 || errno == EEXIST else {
                throw SystemCall.error(.createDirectory, path)
            }
        default: throw SystemCall.error(.createDirectory, path, code: code)
        }
    }

    public func list(_ directory: String) throws(FileError) -> [String] {
        guard let stream = opendir(directory) else { throw SystemCall.error(.list, directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw SystemCall.error(.list, directory) }
        return names.sorted()
    }

    public func status(of path: String) throws(FileError) -> FileStatus? {
        var facts = stat()
        guard lstat(path, &facts) == 0 else {
            let code = errno
            // A path through something that is no directory leads nowhere either.
            if code == ENOENT || code == ENOTDIR { return nil }
            throw SystemCall.error(.status, path, code: code)
        }
        let seen = FileFacts(facts)
        return FileStatus(kind: seen.kind, size: seen.kind == .file ? seen.size : 0)
    }

    public func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        try PosixFile(path, mode, owner)
    }

    public func remove(_ path: String) throws(FileError) {
        try keepingOpenFiles(of: path) { () throws(FileError) in
            guard unlink(path) == 0 else { throw SystemCall.error(.remove, path) }
        }
    }

    public func removeDirectory(_ path: String) throws(FileError) {
        guard rmdir(path) == 0 else { throw SystemCall.error(.remove, path) }
    }

    public func rename(_ path: String, to newPath: String) throws(FileError) {
        guard path != newPath else { return }
        let names = owner.names
        try keepingOpenFiles(of: newPath) { () throws(FileError) in
            try names.rename(path, to: newPath) { () throws(FileError) in
                guard Glibc.rename(path, newPath) == 0 else {
                    throw SystemCall.error(.rename, path)
                }
            }
        }
    }

    /// Takes a name away from whatever has it, so that those who have it open can go on reading:
    /// their descriptors are opened before and stay open until the files are closed.
    private func keepingOpenFiles(
        of path: String, _ call: () throws(FileError) -> Void
    ) throws(FileError) {
        let files = owner.names.beginVanishing(path)
        do {
            for file in files {
                try owner.using(file) { _ throws(FileError) in }
                owner.budget.place(file)
            }
            try call()
        } catch {
            owner.names.endVanishing(path, files, isGone: false)
            for file in files { owner.budget.place(file) }
            throw error
        }
        owner.names.endVanishing(path, files, isGone: true)
    }

    public func syncDirectory(_ path: String) throws(FileError) {
        let number = try SystemCall.retrying(.syncDirectory, path) {
            Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        defer { SystemCall.close(number) }
        _ = try SystemCall.retrying(.syncDirectory, path) { fsync(number) }
    }

    public func syncAll(at path: String) throws(FileError) {
        let (device, number) = try syncDescriptor(for: path)
        let covered = owner.budget.dirty(on: device)
        do {
            try SystemCall.syncFileSystem(number, path)
        } catch {
            // Nobody says whose pages were lost, so none of these files is believed any more.
            for (descriptor, _) in covered { descriptor.failSync(error) }
            throw error
        }
        for (descriptor, writes) in covered {
            descriptor.completeSync(writes)
            owner.budget.place(descriptor)
        }
    }

    private func syncDescriptor(for path: String) throws(FileError) -> (UInt64, Int32) {
        let number = try SystemCall.retrying(.syncAll, path) {
            Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        }
        let device: UInt64
        do {
            device = try SystemCall.facts(of: number, .syncAll, path).identity.device
        } catch {
            SystemCall.close(number)
            throw error
        }
        let kept = devices.withLock { devices in
            if let known = devices[device] { return known }
            devices[device] = number
            return number
        }
        if kept != number { SystemCall.close(number) }
        return (device, kept)
    }

    public func space(at path: String) throws(FileError) -> DiskSpace {
        var facts = statvfs()
        _ = try SystemCall.retrying(.space, path) { statvfs(path, &facts) }
        let block = UInt64(facts.f_frsize)
        return DiskSpace(
            free: UInt64(facts.f_bavail) * block, total: UInt64(facts.f_blocks) * block)
    }

    public func lock(_ path: String) throws(FileError) -> (any FileLock)? {
        let number = try SystemCall.retrying(.lock, path) {
            Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o640)
        }
        do {
            _ = try SystemCall.retrying(.lock, path) { flock(number, LOCK_EX | LOCK_NB) }
            return PosixFileLock(number)
        } catch {
            SystemCall.close(number)
            guard error.code == EWOULDBLOCK else { throw error }
            return nil
        }
    }
}

/// A lock held by an open descriptor, which the system takes back however the process ends.
private final class PosixFileLock: FileLock {
    private let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        SystemCall.close(number)
    }
}
