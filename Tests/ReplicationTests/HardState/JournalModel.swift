// SPDX-License-Identifier: Apache-2.0

import Bytes
import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk

/// A journal beside the list of all that was ever written to it.
///
/// After a crash the journal has to say what the first records of the list say, for some number of
/// them that is no less than what was synced.
final class JournalModel {
    static let directory = "/store"
    static let path = "/store/" + HardStateJournal.name

    let disk: SimulatedFileSystem
    let sizeMax: UInt64
    let reserve: Int
    private(set) var journal: HardStateJournal
    private(set) var history: [HardStateRecord] = []
    /// How many of the history are known to be on the disk.
    private(set) var syncedCount = 0
    /// Records that there was no room for, and how many came before them: they were taken out of the
    /// file, but until the next sync a power cut may undo that.
    private var refused: [(place: Int, records: [HardStateRecord])] = []
    private var random: SplitMix64
    private var highestTerm: UInt64 = 0

    static let groups = (0..<5).map { GroupID(high: 7, low: 9, partition: $0) }

    init(seed: UInt64, sizeMax: UInt64 = 4096, reserve: Int = 0) throws {
        disk = SimulatedFileSystem(seed: seed)
        self.sizeMax = sizeMax
        self.reserve = reserve
        random = SplitMix64(seed: seed)
        try disk.createDirectory(Self.directory)
        try disk.syncDirectory("/")
        journal = try HardStateJournal(
            directory: Self.directory, on: disk, sizeMax: sizeMax, reserve: reserve)
    }

    func draw(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    /// A record that nobody has written before.
    func makeRecord() -> HardStateRecord {
        let group = Self.groups[draw(0..<Self.groups.count)]
        guard draw(0..<8) > 0 else {
            return HardStateRecord(group: group, life: 3, state: HardState(), isForgotten: true)
        }
        highestTerm += 1
        let vote = draw(0..<2) == 0 ? nil : ReplicaID(node: UInt64(draw(1..<4)), life: 11)
        return HardStateRecord(
            group: group, life: 3, state: HardState(term: Term(highestTerm), vote: vote),
            commit: LogIndex(UInt64(draw(0..<1000))))
    }

    /// Writes records; false if the disk did not let it.
    @discardableResult
    func append(_ count: Int) -> Bool {
        let records = (0..<count).map { _ in makeRecord() }
        do throws(FileError) {
            try journal.append(records)
            history += records
            return true
        } catch {
            // Some of it may be on the disk.
            refused.append((history.count, records))
            return false
        }
    }

    /// Syncs, while other records are written before and behind the disk's work.
    @discardableResult
    func sync(appending first: Int = 0, _ second: Int = 0) -> Bool {
        let covered = history.count
        let settled = refused.count
        guard let ticket = journal.beginSync() else { return false }
        if first > 0 { append(first) }
        let result = ticket.run()
        if second > 0 { append(second) }
        journal.endSync(ticket, result)
        guard case .success = result, journal.failure == nil else { return false }
        syncedCount = covered
        refused.removeFirst(settled)
        return true
    }

    /// Opens what is there, and says how many records of the history that is; `nil` for another one.
    func reopen() throws -> Int? {
        journal = try HardStateJournal(
            directory: Self.directory, on: disk, sizeMax: sizeMax, reserve: reserve)
        let words = Self.groups.map { journal.record(of: $0, life: 3) }
        var possible = (syncedCount...history.count).map { Array(history.prefix($0)) }
        for (place, records) in refused where place >= syncedCount {
            possible += (1...records.count).map { Array(history[..<place] + records[..<$0]) }
        }
        refused = []
        guard let found = possible.first(where: { Self.words($0) == words }) else { return nil }
        history = found
        syncedCount = found.count
        return found.count
    }

    /// Whether the journal says what this many records say.
    func matches(_ count: Int) -> Bool {
        Self.words(history.prefix(count)) == Self.groups.map { journal.record(of: $0, life: 3) }
    }

    /// The most records of the history that say this; `nil` if none do.
    func count(of words: [HardStateRecord?]) -> Int? {
        (0...history.count).last { Self.words(history.prefix($0)) == words }
    }

    /// The last word on each group.
    static func words(_ records: some Sequence<HardStateRecord>) -> [HardStateRecord?] {
        var words: [GroupID: HardStateRecord] = [:]
        for record in records { words[record.group] = record.isForgotten ? nil : record }
        return groups.map { words[$0] }
    }
}
