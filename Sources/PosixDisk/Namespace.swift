// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Glibc
internal import Synchronization

/// Knows which open files have which name, so that removing or renaming one leaves those who have
/// it open undisturbed, whether their descriptor is open at that moment or not.
final class Namespace: Sendable {
    private struct Tables {
        var files: [String: [Descriptor]] = [:]
        /// Names that are being removed or replaced, and by how many threads: what is opened under
        /// them meanwhile keeps its descriptor.
        var vanishing: [String: Int] = [:]
    }

    private let tables = Mutex(Tables())
    private let gate = RenameGate()

    /// A descriptor, not yet opened, that is known under its path.
    func makeDescriptor(_ path: String, _ mode: OpenMode) -> Descriptor {
        tables.withLock { tables in
            let isPinned = tables.vanishing[path] != nil
            let descriptor = Descriptor(path, mode, isPinned: isPinned)
            tables.files[path, default: []].append(descriptor)
            return descriptor
        }
    }

    func forget(_ descriptor: Descriptor) {
        tables.withLock { tables in
            let location = descriptor.state.withLock { $0.location }
            Self.drop(descriptor, from: location, &tables)
        }
    }

    /// Opens a file while no rename is under way.
    func open(
        _ descriptor: Descriptor
    ) throws(FileError) -> (number: Int32, identity: FileFacts.Identity) {
        gate.lockShared()
        defer { gate.unlock() }
        return try descriptor.openNow()
    }

    /// Marks a name as about to go; the files that are open under it, to be pinned by the caller.
    func beginVanishing(_ path: String) -> [Descriptor] {
        tables.withLock { tables in
            tables.vanishing[path, default: 0] += 1
            let files = tables.files[path] ?? []
            for file in files { file.state.withLock { $0.isPinned = true } }
            return files
        }
    }

    /// Ends what ``beginVanishing(_:)`` began.
    ///
    /// - Parameters:
    ///   - files: What that call returned.
    ///   - isGone: Whether the name went; if not, its files may come and go again.
    func endVanishing(_ path: String, _ files: [Descriptor], isGone: Bool) {
        tables.withLock { tables in
            let rest = (tables.vanishing[path] ?? 1) - 1
            tables.vanishing[path] = rest > 0 ? rest : nil
            for file in files {
                if isGone {
                    Self.drop(file, from: path, &tables)
                } else if rest == 0 {
                    file.state.withLock { $0.isPinned = false }
                }
            }
        }
    }

    /// Renames, and has the open files at or below the old name follow.
    func rename(
        _ path: String, to newPath: String, _ call: () throws(FileError) -> Void
    ) throws(FileError) {
        gate.lockExclusive()
        defer { gate.unlock() }
        try call()
        tables.withLock { tables in
            if let files = tables.files.removeValue(forKey: path) {
                Self.move(files, to: newPath, &tables)
            }
            let prefix = path + "/"
            for location in tables.files.keys.filter({ $0.hasPrefix(prefix) }) {
                guard let files = tables.files.removeValue(forKey: location) else { continue }
                Self.move(files, to: newPath + "/" + location.dropFirst(prefix.count), &tables)
            }
        }
    }

    private static func move(_ files: [Descriptor], to location: String, _ tables: inout Tables) {
        for file in files { file.state.withLock { $0.location = location } }
        tables.files[location, default: []].append(contentsOf: files)
    }

    private static func drop(
        _ descriptor: Descriptor, from path: String, _ tables: inout Tables
    ) {
        tables.files[path]?.removeAll { $0 === descriptor }
        if tables.files[path]?.isEmpty == true { tables.files[path] = nil }
    }
}

/// Lets openings run beside each other, and renames alone.
///
/// `@unchecked Sendable`: the only state is a lock of the system's, at an address that never
/// changes, made before the object is shared and destroyed after its last use.
private final class RenameGate: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_rwlock_t())
        let code = pthread_rwlock_init(lock, nil)
        precondition(code == 0, "a lock can be made, not error \(code)")
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    func lockShared() {
        let code = pthread_rwlock_rdlock(lock)
        precondition(code == 0, "the gate can be entered, not error \(code)")
    }

    func lockExclusive() {
        let code = pthread_rwlock_wrlock(lock)
        precondition(code == 0, "the gate can be closed, not error \(code)")
    }

    func unlock() {
        pthread_rwlock_unlock(lock)
    }
}
