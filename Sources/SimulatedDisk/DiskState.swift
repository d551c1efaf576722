// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk

/// The system's error numbers that the simulated disk gives (Linux's values).
enum ErrorNumber {
    static let notFound: Int32 = 2
    static let inputOutput: Int32 = 5
    static let exists: Int32 = 17
    static let notDirectory: Int32 = 20
    static let isDirectory: Int32 = 21
    static let badDescriptor: Int32 = 9
    static let noSpace: Int32 = 28
    static let notEmpty: Int32 = 39
    static let cancelled: Int32 = 125
}

/// A change of names that no sync of a directory has covered; it happens as a whole or not at all.
struct NameChange: Sendable {
    struct Step: Hashable, Sendable {
        var directory: Int
        var name: String
    }

    var steps: [(key: Step, inode: Int?)]
}

/// Everything that the simulated disk holds.
///
/// Owned by the file system's mutex.
struct DiskState: Sendable {
    static let root = 0

    var generator: SplitMix64
    let modelsPowerCuts: Bool
    var inodes: [Int: Inode] = [root: Inode(id: root, isDirectory: true)]
    var nextInode = 1
    /// Bytes of content in files that are named or open.
    var used: UInt64 = 0
    var unsyncedNames: [NameChange] = []
    var locks: Set<Int> = []
    /// Counts crashes; what was opened under an earlier one is dead.
    var generation = 0

    var plan = FaultPlan() {
        didSet { faultCalls = [Int](repeating: 0, count: FaultKind.allCases.count) }
    }
    var faultCalls = [Int](repeating: 0, count: FaultKind.allCases.count)
    /// The changing calls until the machine stops; `nil` if it does not.
    var callsUntilStop: Int?
    var isStopped = false
    var mutatingCalls = 0
    var effects = EffectLog()

    init(seed: UInt64, modelsPowerCuts: Bool) {
        generator = SplitMix64(seed: seed)
        self.modelsPowerCuts = modelsPowerCuts
    }

    // MARK: Failures

    func error(
        _ operation: FileError.Operation, _ path: String, _ code: Int32
    ) -> FileError {
        let reason: FileError.Reason =
            switch code {
            case ErrorNumber.notFound: .notFound
            case ErrorNumber.exists, ErrorNumber.notEmpty: .exists
            case ErrorNumber.noSpace: .noSpace
            case ErrorNumber.inputOutput: .inputOutput
            default: .other
            }
        return FileError(operation, path, code: code, reason: reason)
    }

    mutating func strikes(_ kind: FaultKind, _ path: String) -> Bool {
        let trigger = plan.trigger(for: kind)
        guard trigger != .never, plan.pathPart.isEmpty || path.contains(plan.pathPart) else {
            return false
        }
        faultCalls[kind.rawValue] += 1
        switch trigger {
        case .never: return false
        case .always: return true
        case .oneIn(let count): return Int.random(in: 0..<max(1, count), using: &generator) == 0
        case .onCall(let number): return faultCalls[kind.rawValue] == number
        }
    }

    /// Begins a call that changes nothing.
    func check(_ operation: FileError.Operation, _ path: String) throws(FileError) {
        if isStopped { throw error(operation, path, ErrorNumber.cancelled) }
    }

    /// Begins a changing call; whether the machine stops in the midst of it.
    mutating func begin(
        _ operation: FileError.Operation, _ path: String, position: UInt64 = 0, size: Int = 0
    ) throws(FileError) -> Bool {
        try check(operation, path)
        mutatingCalls += 1
        effects.note(operation, path, position: position, size: size)
        guard let left = callsUntilStop else { return false }
        callsUntilStop = left - 1
        if left <= 1 { isStopped = true }
        return isStopped
    }

    /// Makes a change of names; one in the midst of which the machine stops happens or not.
    mutating func changeNames(
        _ operation: FileError.Operation, _ path: String,
        _ body: (inout DiskState) throws(FileError) -> Void
    ) throws(FileError) {
        let stops = try begin(operation, path)
        if stops, Bool.random(using: &generator) {
            throw error(operation, path, ErrorNumber.cancelled)
        }
        if strikes(.names, path) { throw error(operation, path, ErrorNumber.inputOutput) }
        try body(&self)
        if stops { throw error(operation, path, ErrorNumber.cancelled) }
    }

    // MARK: Paths

    /// A path's parts, `.` and empty ones left out, `..` taken back.
    private func parts(_ path: String) -> [String] {
        var parts: [String] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
        }
        return parts
    }

    func find(_ path: String) -> Inode? {
        var inode = inodes[Self.root]
        for part in parts(path) {
            guard let id = inode?.names[part] else { return nil }
            inode = inodes[id]
        }
        return inode
    }

    func find(
        _ operation: FileError.Operation, _ path: String, isDirectory: Bool
    ) throws(FileError) -> Inode {
        guard let inode = find(path) else { throw error(operation, path, ErrorNumber.notFound) }
        guard inode.isDirectory == isDirectory else {
            let code = isDirectory ? ErrorNumber.notDirectory : ErrorNumber.isDirectory
            throw error(operation, path, code)
        }
        return inode
    }

    /// The directory that holds a path, and the path's last part.
    func parent(
        _ operation: FileError.Operation, _ path: String
    ) throws(FileError) -> (directory: Inode, name: String) {
        var parts = parts(path)
        guard let name = parts.popLast() else { throw error(operation, path, ErrorNumber.exists) }
        var inode = inodes[Self.root]
        for part in parts {
            guard let id = inode?.names[part] else {
                throw error(operation, path, ErrorNumber.notFound)
            }
            inode = inodes[id]
        }
        guard let inode else { throw error(operation, path, ErrorNumber.notFound) }
        guard inode.isDirectory else { throw error(operation, path, ErrorNumber.notDirectory) }
        return (inode, name)
    }

    // MARK: Names

    /// Makes names point elsewhere, for readers now, for the device once a directory is synced.
    mutating func apply(_ steps: [(key: NameChange.Step, inode: Int?)]) {
        for (key, target) in steps {
            guard let directory = inodes[key.directory] else { continue }
            if let target { inodes[target]?.links += 1 }
            let before = directory.names[key.name]
            directory.names[key.name] = target
            if let before, let inode = inodes[before] {
                inode.links -= 1
                release(inode)
            }
        }
        if modelsPowerCuts { unsyncedNames.append(NameChange(steps: steps)) }
    }

    /// Gives back the room of a file that nobody names or reads any more.
    mutating func release(_ inode: Inode) {
        guard inode.links == 0, inode.opens == 0 else { return }
        used -= UInt64(inode.content.count)
        inode.content = []
        // The device may still name it; a power cut may bring it back.
        if !modelsPowerCuts { inodes[inode.id] = nil }
    }

    mutating func makeInode(isDirectory: Bool) -> Inode {
        let inode = Inode(id: nextInode, isDirectory: isDirectory)
        nextInode += 1
        inodes[inode.id] = inode
        return inode
    }

    mutating func makeDirectories(_ path: String) throws(FileError) {
        var inode = try find(.createDirectory, "/", isDirectory: true)
        for part in parts(path) {
            if let id = inode.names[part], let next = inodes[id] {
                guard next.isDirectory else {
                    throw error(.createDirectory, path, ErrorNumber.exists)
                }
                inode = next
            } else {
                let next = makeInode(isDirectory: true)
                apply([(NameChange.Step(directory: inode.id, name: part), next.id)])
                inode = next
            }
        }
    }

    /// Makes the pending changes of a directory's names durable, and with them those that they
    /// build on.
    mutating func syncNames(of directory: Inode) {
        var needed: Set<NameChange.Step> = []
        var chosen: [NameChange] = []
        var rest: [NameChange] = []
        for change in unsyncedNames.reversed() {
            let isChosen = change.steps.contains {
                $0.key.directory == directory.id || needed.contains($0.key)
            }
            if isChosen {
                for (key, _) in change.steps { needed.insert(key) }
                chosen.append(change)
            } else {
                rest.append(change)
            }
        }
        for change in chosen.reversed() { makeDurable(change) }
        unsyncedNames = rest.reversed()
    }

    func makeDurable(_ change: NameChange) {
        for (key, target) in change.steps {
            inodes[key.directory]?.durableNames[key.name] = target
        }
    }

    func makeDurable(_ inode: Inode) {
        inode.makeDurable()
    }
}
