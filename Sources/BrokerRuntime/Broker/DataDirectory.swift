// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import Disk
internal import Faults
internal import Logging
internal import Replication

/// The folder that a node keeps everything in.
///
/// ```
/// lock                       held by the server that uses the folder
/// store.id                   who this folder is, made once
/// reserve                    room that is given up when the disk is full
/// meta/                      the log of what topics there are
/// hardstate                  the terms and votes of all partitions
/// groups/                    the log of consumer groups, made with the first fact of one
/// partitions/ID-NUMBER/      one log each, by topic id: names never become paths
/// ```
struct DataDirectory {
    let path: String
    let fileSystem: any FileSystem
    let storeID: String

    var metadata: String { path + "/meta" }

    func partition(_ id: TopicID, _ number: Int) -> String {
        path + "/partitions/\(id.text)-\(number)"
    }

    /// Keeps other servers out of a folder, which is made if need be, for as long as the lock lives.
    static func lock(
        _ path: String, on fileSystem: any FileSystem
    ) throws(Fault) -> any FileLock {
        do throws(FileError) {
            let isNew = try fileSystem.status(of: path) == nil
            try fileSystem.createDirectory(path)
            // Or a power cut takes the folder, and with it all that was made durable in it.
            if isNew { try fileSystem.syncDirectory(parent(of: path)) }
            if let lock = try fileSystem.lock(path + "/lock") { return lock }
        } catch {
            throw unusable(error)
        }
        throw Fault(.dataDirectoryLocked, "another server uses \(path)")
    }

    private static func parent(of path: String) -> String {
        let name = path.last == "/" ? path.dropLast() : path[...]
        guard let slash = name.lastIndex(of: "/") else { return "." }
        return slash == name.startIndex ? "/" : String(name[..<slash])
    }

    private static func unusable(_ error: FileError) -> Fault {
        Fault(error.reason == .noSpace ? .diskFull : .dataDirectoryUnusable, error.description)
    }

    /// Looks into a folder that was locked, and makes what is not there yet.
    init(_ path: String, on fileSystem: any FileSystem) throws(Fault) {
        self.path = path
        self.fileSystem = fileSystem
        do throws(FileError) {
            try fileSystem.createDirectory(path + "/meta")
            try fileSystem.createDirectory(path + "/partitions")
            storeID = try Self.identity(path, fileSystem)
            try fileSystem.syncDirectory(path)
        } catch {
            throw Self.unusable(error)
        }
    }

    /// Reads who the folder is, or makes it somebody: in a file of its own name only once whole.
    private static func identity(
        _ path: String, _ fileSystem: any FileSystem
    ) throws(FileError) -> String {
        let name = path + "/store.id"
        if try fileSystem.status(of: name) != nil {
            let bytes = try fileSystem.open(name, .read).bytes(at: 0, count: 64)
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            guard lines.count == 2, lines[0] == "cordwood-store-1",
                let id = TopicID(text: String(lines[1]))
            else { throw FileError(.read, name, code: 0, reason: .other) }
            return id.text
        }
        var random = SystemRandomNumberGenerator()
        let id = TopicID(high: random.next(), low: random.next()).text
        let temporary = name + ".new"
        if try fileSystem.status(of: temporary) != nil { try fileSystem.remove(temporary) }
        let file = try fileSystem.open(temporary, .create)
        try file.write(Array("cordwood-store-1\n\(id)\n".utf8), at: 0)
        try file.sync()
        try fileSystem.rename(temporary, to: name)
        return id
    }

    /// Opens the journal of terms and votes.
    ///
    /// One that is damaged is put aside: all partitions of this server are groups of one, in which
    /// nobody else relies on a vote, and the logs themselves know the latest terms.
    func openJournal(logger: Logger) throws(Fault) -> HardStateJournal {
        do throws(HardStateError) {
            return try HardStateJournal(directory: path, on: fileSystem)
        } catch {
            switch error {
            case .file(let error): throw Self.unusable(error)
            case .unsupportedFormat: throw Fault(.unsupportedFormat, "\(error)")
            case .promiseLost:
                let name = path + "/" + HardStateJournal.name
                logger.critical(
                    "the journal of votes is damaged; it is put aside, and a new one is begun",
                    metadata: [
                        "error": "\(error)", "aside": "\(name).damaged",
                        "err_code": "\(ErrorCode.dataLoss.text)",
                    ])
                do throws(FileError) {
                    try fileSystem.rename(name, to: name + ".damaged")
                    try fileSystem.syncDirectory(path)
                } catch {
                    throw Self.unusable(error)
                }
            }
        }
        do throws(HardStateError) {
            return try HardStateJournal(directory: path, on: fileSystem)
        } catch {
            throw Fault(.dataDirectoryUnusable, "\(error)")
        }
    }

    /// The folders of partitions that are there, as topic id and number; and what is none.
    func partitions() throws(Fault) -> (known: [(TopicID, Int)], strays: [String]) {
        let names: [String]
        do throws(FileError) {
            names = try fileSystem.list(path + "/partitions")
        } catch {
            throw Fault(error)
        }
        var known: [(TopicID, Int)] = []
        var strays: [String] = []
        for name in names {
            let parts = name.split(separator: "-", omittingEmptySubsequences: false)
            if parts.count == 2, let id = TopicID(text: String(parts[0])),
                let number = Int(parts[1])
            {
                known.append((id, number))
            } else {
                strays.append(name)
            }
        }
        return (known, strays)
    }

    /// Makes the folder of a partition, durably.
    func makePartition(_ id: TopicID, _ number: Int) throws(FileError) {
        try fileSystem.createDirectory(partition(id, number))
        try fileSystem.syncDirectory(path + "/partitions")
    }

    /// Removes all of a partition's files.
    func removePartition(_ id: TopicID, _ number: Int) throws(FileError) {
        let folder = partition(id, number)
        for name in try fileSystem.list(folder) { try fileSystem.remove(folder + "/" + name) }
        try fileSystem.removeDirectory(folder)
        try fileSystem.syncDirectory(path + "/partitions")
    }
}
