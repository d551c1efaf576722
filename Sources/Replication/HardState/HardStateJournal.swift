// SPDX-License-Identifier: Apache-2.0

public import Disk
internal import RaftCore

/// The terms and votes of all groups of a store, in one file.
///
/// ```
/// hardstate   head [group a: 3, voted 1] [group b: 1] [group a: 4] │ empty places
///                                          the last word on a group counts
/// ```
///
/// One file, so that the votes of a thousand groups are one write and one sync. It has one owner, who
/// writes records, has a ``HardStateTicket`` run by some thread, and hands the outcome back; until then
/// nothing that a record says may be told to anybody. Grown to a bound, the file is written anew with
/// one record a group, under another name first:
///
/// ```
/// hardstate.new   written at once, and appended to from then on   │ by the next ticket: synced, renamed,
/// hardstate       as it was, until the rename is on the disk      │ the directory synced
/// ```
///
/// A bad record that may have been promised to somebody is a promise that is lost: the journal does not
/// open, and its file stays as it is. What a crash left of records that were never synced is cut.
public final class HardStateJournal {
    /// The file's name.
    public static let name = "hardstate"
    static let newName = "hardstate.new"
    /// The size at which the file is written anew.
    public static let sizeMax: UInt64 = 64 << 20
    /// Bytes of empty places that a file has at first, so that votes can be cast when the disk is full.
    public static let reserve = 64 << 10

    private let directory: String
    private let fileSystem: any FileSystem
    private let sizeMax: UInt64
    private let reserve: Int
    private var file: any File
    private var content: HardStateContent
    /// The file is not the journal yet: the next ticket gives it its name.
    private var isUnnamed = false
    /// No attempt to write the file anew before it has so many records.
    private var compactionFloor: UInt64 = 0
    /// Records in the file, its head included.
    public private(set) var count: UInt64
    /// How many of them are known to be on the disk.
    public private(set) var syncedCount: UInt64
    private var ticketIsOut = false
    /// The error that ended it, if one did.
    public private(set) var failure: FileError?

    /// Opens the journal of a store, or makes one.
    ///
    /// Blocks. Everything that it says is on the disk when this returns.
    ///
    /// - Parameters:
    ///   - directory: The store's folder, which exists.
    ///   - mayBeMissing: Whether the store can be without a journal: it is new, or was never in a group
    ///     with others. If not, a missing file is a lost promise.
    ///   - sizeMax: The size at which the file is written anew, in bytes.
    ///   - reserve: Bytes of empty places to begin with.
    public init(
        directory: String, on fileSystem: any FileSystem, mayBeMissing: Bool = true,
        sizeMax: UInt64 = HardStateJournal.sizeMax, reserve: Int = HardStateJournal.reserve
    ) throws(HardStateError) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.sizeMax = sizeMax
        self.reserve = reserve
        var content = try Self.read(
            directory + "/" + Self.name, on: fileSystem, mayBeMissing: mayBeMissing)
        content.tidy()
        // What the page cache says of the old file may not be what the disk has, so it is not synced but
        // written anew.
        let (bytes, count) = content.file(reserve: reserve)
        do throws(FileError) {
            file = try Self.write(bytes, in: directory, on: fileSystem)
            let result = HardStateTicket(
                file: file, count: count, isUnnamed: true, directory: directory,
                fileSystem: fileSystem
            ).run()
            try result.get()
        } catch {
            throw .file(error)
        }
        self.content = content
        self.count = count
        syncedCount = count
    }

    private static func read(
        _ path: String, on fileSystem: any FileSystem, mayBeMissing: Bool
    ) throws(HardStateError) -> HardStateContent {
        var bytes: [UInt8]?
        do throws(FileError) {
            if let status = try fileSystem.status(of: path) {
                let old = try fileSystem.open(path, .read)
                bytes = try old.bytes(at: 0, count: Int(clamping: status.size))
            }
        } catch {
            throw .file(error)
        }
        if let bytes { return try HardStateContent(bytes, path: path) }
        guard mayBeMissing else { throw .promiseLost(path: path, record: 0) }
        return HardStateContent()
    }

    // MARK: Reading

    /// The last word on a group; `nil` if there is none, or none of this life of the replica.
    public func record(of group: GroupID, life: UInt64) -> HardStateRecord? {
        content.records[group].flatMap { $0.life == life ? $0 : nil }
    }

    /// The last word on each group, in the order in which the groups came.
    public var records: [HardStateRecord] { content.last }

    // MARK: Writing

    /// Writes records to the file; they count for nothing until they are synced.
    ///
    /// - Throws: That they are not written. Without room the journal is as it was, otherwise it has
    ///   failed.
    public func append(_ records: [HardStateRecord]) throws(FileError) {
        if let failure { throw failure }
        guard !records.isEmpty else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(records.count * HardStateRecord.size)
        for (step, record) in records.enumerated() {
            record.append(to: &bytes, number: count + UInt64(step), synced: syncedCount)
        }
        do throws(FileError) {
            try file.write(bytes, at: count * UInt64(HardStateRecord.size))
        } catch {
            try undo(error)
        }
        count += UInt64(records.count)
        for record in records { content.note(record) }
    }

    /// Forgets a group: nothing is left of its term and vote once this is synced.
    public func forget(_ group: GroupID, life: UInt64) throws(FileError) {
        try append([
            HardStateRecord(group: group, life: life, state: HardState(), isForgotten: true)
        ])
    }

    /// Takes a write that failed half way out of the file.
    private func undo(_ error: FileError) throws(FileError) -> Never {
        do throws(FileError) {
            try file.truncate(to: count * UInt64(HardStateRecord.size))
        } catch let second {
            failure = second
            throw second
        }
        if error.reason != .noSpace { failure = error }
        throw error
    }

    // MARK: Syncing

    /// Whether a sync would make something durable that is not.
    public var needsSync: Bool { failure == nil && syncedCount < count }

    /// Begins to make durable what was written so far; `nil` if it is, or if a sync is running.
    ///
    /// The ticket is run, on whatever thread, and handed to ``endSync(_:_:)``.
    public func beginSync() -> HardStateTicket? {
        guard needsSync, !ticketIsOut else { return nil }
        compactIfLarge()
        guard failure == nil else { return nil }
        ticketIsOut = true
        return HardStateTicket(
            file: file, count: count, isUnnamed: isUnnamed, directory: directory,
            fileSystem: fileSystem)
    }

    /// Takes note of how a sync went.
    public func endSync(_ ticket: HardStateTicket, _ result: Result<Void, FileError>) {
        precondition(ticketIsOut, "no sync was begun")
        ticketIsOut = false
        guard failure == nil else { return }
        switch result {
        case .failure(let error): failure = error
        case .success:
            precondition(
                ticket.count <= count && (ticket.isUnnamed || ticket.count >= syncedCount),
                "a sync that went backwards")
            isUnnamed = false
            syncedCount = ticket.count
        }
    }

    /// Begins the file anew if it is too large and half of it is old; the old one counts until the
    /// ticket that is about to begin has been run.
    private func compactIfLarge() {
        guard count * UInt64(HardStateRecord.size) >= sizeMax, count >= compactionFloor,
            UInt64(content.records.count) * 2 < count
        else { return }
        content.tidy()
        let (bytes, newCount) = content.file(reserve: reserve)
        do throws(FileError) {
            file = try Self.write(bytes, in: directory, on: fileSystem)
            isUnnamed = true
            count = newCount
            syncedCount = 0
            compactionFloor = 0
        } catch {
            // The old file is whole, and there may be room later.
            if error.reason != .noSpace { failure = error }
            compactionFloor = count * 2
        }
    }

    /// Writes a new file under its first name.
    private static func write(
        _ bytes: [UInt8], in directory: String, on fileSystem: any FileSystem
    ) throws(FileError) -> any File {
        let path = directory + "/" + newName
        if try fileSystem.status(of: path) != nil { try fileSystem.remove(path) }
        let new = try fileSystem.open(path, .create)
        do throws(FileError) {
            try new.write(bytes, at: 0)
        } catch {
            // It takes room that others may need; what cannot be removed is removed at the next start.
            if error.reason == .noSpace { try fileSystem.remove(path) }
            throw error
        }
        return new
    }
}

/// The syncing of the journal up to one record, to be run by any thread.
public struct HardStateTicket: Sendable {
    let file: any File
    let count: UInt64
    /// The file gets its name once it is synced.
    let isUnnamed: Bool
    let directory: String
    let fileSystem: any FileSystem

    /// Syncs; blocks for as long as the disk takes.
    public func run() -> Result<Void, FileError> {
        do throws(FileError) {
            try file.sync()
            if isUnnamed {
                try fileSystem.rename(
                    directory + "/" + HardStateJournal.newName,
                    to: directory + "/" + HardStateJournal.name)
                try fileSystem.syncDirectory(directory)
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}
