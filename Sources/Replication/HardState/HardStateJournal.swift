// SPDX-License-Identifier: Apache-2.0

public import Disk

/// The terms and votes of all groups of a store, in one file.
///
/// ```
/// hardstate   [group a: 3, voted 1] [group b: 1] [group a: 4] …   the last word on a group counts
/// ```
///
/// One file, so that the votes of a thousand groups are one write and one sync. It has one owner, who
/// writes records, has a ``HardStateTicket`` run by some thread, and hands the outcome back; until then
/// nothing that a record says may be told to anybody. Grown to a bound, the file is written anew with
/// one record a group, under another name first.
///
/// A record that is bad and was known to be synced is a promise that is lost: the journal does not open.
/// Bad records behind that were never promised to anybody, and are cut.
public final class HardStateJournal {
    /// The file's name.
    public static let name = "hardstate"
    private static let newName = "hardstate.new"
    /// The size at which the file is written anew.
    public static let sizeMax: UInt64 = 64 << 20

    private let directory: String
    private let fileSystem: any FileSystem
    private let sizeMax: UInt64
    private var file: any File
    private var states: [GroupID: HardStateRecord]
    /// The groups in the order in which they came, so that equal histories give equal files.
    private var order: [GroupID]
    /// Records in the file, and how many of them are known to be on the disk.
    public private(set) var count: UInt64
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
    ///   - sizeMax: The size at which the file is written anew, in bytes.
    public init(
        directory: String, on fileSystem: any FileSystem,
        sizeMax: UInt64 = HardStateJournal.sizeMax
    ) throws(HardStateError) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.sizeMax = sizeMax
        let path = directory + "/" + Self.name
        var content = Content()
        do throws(FileError) {
            if try fileSystem.status(of: directory + "/" + Self.newName) != nil {
                try fileSystem.remove(directory + "/" + Self.newName)
            }
            if let status = try fileSystem.status(of: path) {
                let old = try fileSystem.open(path, .read)
                let bytes = try old.bytes(at: 0, count: Int(clamping: status.size))
                content = try Self.read(bytes, path: path)
            }
        } catch {
            throw .file(error)
        }
        if let flaw = content.flaw { throw flaw }
        states = content.states
        order = content.order
        // What the page cache says of the old file may not be what the disk has, so it is not synced but
        // written anew.
        do throws(FileError) {
            file = try Self.write(
                order.compactMap { content.states[$0] }, in: directory, on: fileSystem)
        } catch {
            throw .file(error)
        }
        count = UInt64(order.count)
        syncedCount = count
    }

    private struct Content {
        var states: [GroupID: HardStateRecord] = [:]
        var order: [GroupID] = []
        var flaw: HardStateError?

        mutating func note(_ record: HardStateRecord) {
            if record.isForgotten {
                states[record.group] = nil
                order.removeAll { $0 == record.group }
            } else if states.updateValue(record, forKey: record.group) == nil {
                order.append(record.group)
            }
        }
    }

    private static func read(_ bytes: [UInt8], path: String) throws(FileError) -> Content {
        var content = Content()
        var bad: UInt64?
        var number: UInt64 = 0
        var start = 0
        while start < bytes.count {
            let end = min(start + HardStateRecord.size, bytes.count)
            switch HardStateRecord.read(bytes[start..<end], number: number) {
            case .record(let record, let synced):
                if let bad {
                    // Whatever stands behind a bad record was never told to anybody, unless it says that
                    // the bad one was synced.
                    if synced > bad { content.flaw = .promiseLost(path: path, record: bad) }
                } else {
                    content.note(record)
                }
            case .unsupported(let version):
                content.flaw = .unsupportedFormat(path: path, version: version)
                return content
            case .nothing: bad = bad ?? number
            }
            number += 1
            start = end
        }
        return content
    }

    // MARK: Reading

    /// The last word on a group.
    public func record(of group: GroupID) -> HardStateRecord? { states[group] }

    // MARK: Writing

    /// Writes records to the file; they count for nothing until they are synced.
    public func append(_ records: [HardStateRecord]) throws(FileError) {
        if let failure { throw failure }
        guard !records.isEmpty else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(records.count * HardStateRecord.size)
        for (step, record) in records.enumerated() {
            bytes += record.encoded(number: count + UInt64(step), synced: syncedCount)
        }
        do throws(FileError) {
            try file.write(bytes, at: count * UInt64(HardStateRecord.size))
        } catch {
            failure = error
            throw error
        }
        count += UInt64(records.count)
        for record in records { note(record) }
    }

    private func note(_ record: HardStateRecord) {
        if record.isForgotten {
            states[record.group] = nil
            order.removeAll { $0 == record.group }
        } else if states.updateValue(record, forKey: record.group) == nil {
            order.append(record.group)
        }
    }

    // MARK: Syncing

    /// Whether a sync would make something durable that is not.
    public var needsSync: Bool { failure == nil && syncedCount < count }

    /// Begins to make durable what was written so far; `nil` if it is, or if a sync is running.
    ///
    /// The ticket is run, on whatever thread, and handed to ``endSync(_:_:)``.
    public func beginSync() -> HardStateTicket? {
        guard needsSync, !ticketIsOut else { return nil }
        ticketIsOut = true
        return HardStateTicket(file: file, count: count)
    }

    /// Takes note of how a sync went.
    public func endSync(_ ticket: HardStateTicket, _ result: Result<Void, FileError>) {
        precondition(ticketIsOut, "no sync was begun")
        ticketIsOut = false
        guard failure == nil else { return }
        switch result {
        case .failure(let error): failure = error
        case .success:
            syncedCount = max(syncedCount, ticket.count)
            compactIfLarge()
        }
    }

    /// Writes the file anew if it is too large and half of it is old.
    private func compactIfLarge() {
        let size = count * UInt64(HardStateRecord.size)
        guard size >= sizeMax, syncedCount == count, UInt64(order.count) * 2 <= count else {
            return
        }
        do throws(FileError) {
            file = try Self.write(
                order.compactMap { states[$0] }, in: directory, on: fileSystem)
            count = UInt64(order.count)
            syncedCount = count
        } catch  where error.reason == .noSpace {
            // The old file is whole; a later sync tries again.
        } catch {
            failure = error
        }
    }

    /// Puts a file with these records in the place of the journal, durably.
    private static func write(
        _ records: [HardStateRecord], in directory: String, on fileSystem: any FileSystem
    ) throws(FileError) -> any File {
        let path = directory + "/" + newName
        if try fileSystem.status(of: path) != nil { try fileSystem.remove(path) }
        let new = try fileSystem.open(path, .create)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(records.count * HardStateRecord.size)
        for (number, record) in records.enumerated() {
            bytes += record.encoded(number: UInt64(number), synced: 0)
        }
        if !bytes.isEmpty { try new.write(bytes, at: 0) }
        try new.sync()
        try fileSystem.rename(path, to: directory + "/" + name)
        try fileSystem.syncDirectory(directory)
        return try fileSystem.open(directory + "/" + name, .readWrite)
    }
}

/// The syncing of the journal up to one record, to be run by any thread.
public struct HardStateTicket: Sendable {
    let file: any File
    let count: UInt64

    /// Syncs; blocks for as long as the disk takes.
    public func run() -> Result<Void, FileError> {
        do throws(FileError) {
            try file.sync()
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}

/// Why a journal does not open.
public enum HardStateError: Error, Sendable, Equatable {
    case file(FileError)
    /// A record is damaged that was promised to somebody: this store may have voted, and does not know
    /// for whom.
    case promiseLost(path: String, record: UInt64)
    case unsupportedFormat(path: String, version: Int)
}

extension HardStateError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .promiseLost(let path, let record):
            "\(path) is damaged at record \(record): votes may be forgotten that others rely on; "
                + "give the node an empty data directory, so that it comes back as a new one"
        case .unsupportedFormat(let path, let version):
            "\(path) has format version \(version), which is newer than this program"
        }
    }
}
