// SPDX-License-Identifier: Apache-2.0

import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk
import Testing

@Suite("The hard-state journal")
struct HardStateJournalTests {
    private let group = GroupID(high: 1, low: 2, partition: 3)

    private func disk() throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem(seed: 1)
        try disk.createDirectory("/store")
        try disk.syncDirectory("/")
        return disk
    }

    private func record(
        _ term: UInt64, vote: UInt64? = nil, commit: UInt64 = 0, group: GroupID? = nil
    ) -> HardStateRecord {
        HardStateRecord(
            group: group ?? self.group, life: 5,
            state: HardState(
                term: Term(term), vote: vote.map { ReplicaID(node: $0, life: .max) }),
            commit: LogIndex(commit))
    }

    private func sync(_ journal: HardStateJournal) throws {
        let ticket = try #require(journal.beginSync())
        journal.endSync(ticket, ticket.run())
        #expect(journal.failure == nil)
    }

    @Test("says after a restart what it was told before, all fields of it")
    func roundTrip() throws {
        let disk = try disk()
        let other = GroupID(high: .max, low: .max, partition: .max)
        let journal = try HardStateJournal(directory: "/store", on: disk)
        #expect(journal.record(of: group, life: 5) == nil)
        let records = [
            record(.max, vote: .max, commit: .max), record(4, commit: 9, group: other),
        ]
        try journal.append(records)
        try sync(journal)
        disk.crash()
        let again = try HardStateJournal(directory: "/store", on: disk, mayBeMissing: false)
        #expect(again.record(of: group, life: 5) == records[0])
        #expect(again.record(of: other, life: 5) == records[1])
    }

    @Test("the last word on a group counts, before and after a restart")
    func lastWord() throws {
        let disk = try disk()
        let journal = try HardStateJournal(directory: "/store", on: disk)
        try journal.append([record(3, vote: 1), record(3, vote: 2)])
        try journal.append([record(4)])
        #expect(journal.record(of: group, life: 5) == record(4))
        try sync(journal)
        disk.crash()
        let again = try HardStateJournal(directory: "/store", on: disk)
        #expect(again.record(of: group, life: 5) == record(4))
    }

    @Test("a group that is forgotten has no words left, and can come again")
    func forgotten() throws {
        let disk = try disk()
        var journal = try HardStateJournal(directory: "/store", on: disk)
        try journal.append([record(3, vote: 1)])
        try journal.forget(group, life: 5)
        try sync(journal)
        #expect(journal.record(of: group, life: 5) == nil)
        disk.crash()
        journal = try HardStateJournal(directory: "/store", on: disk)
        #expect(journal.record(of: group, life: 5) == nil)
        try journal.append([record(1)])
        try sync(journal)
        disk.crash()
        journal = try HardStateJournal(directory: "/store", on: disk)
        #expect(journal.record(of: group, life: 5) == record(1))
    }

    @Test("what was said of one life of a replica is not said of another")
    func lives() throws {
        let journal = try HardStateJournal(directory: "/store", on: try disk())
        try journal.append([record(3, vote: 1)])
        #expect(journal.record(of: group, life: 6) == nil)
    }

    @Test("a store that must have a journal does not open without one")
    func missing() throws {
        let disk = try disk()
        #expect(throws: HardStateError.promiseLost(path: "/store/hardstate", record: 0)) {
            _ = try HardStateJournal(directory: "/store", on: disk, mayBeMissing: false)
        }
        _ = try HardStateJournal(directory: "/store", on: disk)
        #expect(disk.truncate("/store/hardstate", to: 0))
        #expect(throws: HardStateError.promiseLost(path: "/store/hardstate", record: 0)) {
            _ = try HardStateJournal(directory: "/store", on: disk)
        }
    }

    @Test("records written during a sync need the next one")
    func syncCoversItsBeginning() throws {
        let journal = try HardStateJournal(directory: "/store", on: try disk())
        #expect(!journal.needsSync)
        #expect(journal.beginSync() == nil)
        try journal.append([record(1)])
        let ticket = try #require(journal.beginSync())
        #expect(journal.beginSync() == nil)
        try journal.append([record(2)])
        journal.endSync(ticket, ticket.run())
        #expect(journal.syncedCount == journal.count - 1)
        #expect(journal.needsSync)
        try sync(journal)
        #expect(!journal.needsSync)
    }

    @Test("a sync that fails ends the journal, whatever a later one says")
    func failedSync() throws {
        let disk = try disk()
        let journal = try HardStateJournal(directory: "/store", on: disk)
        try journal.append([record(1, vote: 2)])
        disk.faults.sync = .onCall(1)
        let ticket = try #require(journal.beginSync())
        journal.endSync(ticket, ticket.run())
        #expect(journal.failure?.operation == .sync)
        #expect(journal.beginSync() == nil)
        #expect(throws: FileError.self) { try journal.append([record(2)]) }
    }

    @Test("a full disk refuses records and takes them when there is room; what was said stays")
    func diskFull() throws {
        let disk = try disk()
        let journal = try HardStateJournal(directory: "/store", on: disk, reserve: 0)
        try journal.append([record(1)])
        try sync(journal)
        disk.faults.capacity = disk.usedSpace + 100
        #expect(throws: FileError.self) { try journal.append([record(2)]) }
        #expect(journal.failure == nil)
        #expect(journal.record(of: group, life: 5) == record(1))
        disk.faults.capacity = 1 << 30
        try journal.append([record(3)])
        try sync(journal)
        disk.crash()
        let again = try HardStateJournal(directory: "/store", on: disk)
        #expect(again.record(of: group, life: 5) == record(3))
    }

    @Test("a disk that is full leaves room for votes")
    func reserve() throws {
        let disk = try disk()
        let journal = try HardStateJournal(directory: "/store", on: disk)
        disk.faults.capacity = disk.usedSpace
        for term in 1...100 {
            try journal.append([record(UInt64(term))])
            try sync(journal)
        }
        #expect(journal.record(of: group, life: 5) == record(100))
    }

    @Test("grown to its bound the file is written anew, with one record a group")
    func compaction() throws {
        let model = try JournalModel(seed: 3, sizeMax: 4096)
        for _ in 0..<500 {
            #expect(model.append(1))
            #expect(model.sync(appending: 1, 1))
        }
        #expect(try #require(model.disk.contents(JournalModel.path)).count < 8192)
        #expect(model.matches(model.history.count))
    }

    @Test("a disk without room for a new file keeps the old one, and loses nothing")
    func compactionWithoutRoom() throws {
        let model = try JournalModel(seed: 4, sizeMax: 2048)
        for _ in 0..<11 { #expect(model.append(1) && model.sync()) }
        model.disk.faults.capacity = model.disk.usedSpace + 1024
        while model.append(1) { #expect(model.sync()) }
        #expect(model.journal.failure == nil)
        model.disk.faults.capacity = 1 << 30
        for _ in 0..<40 { #expect(model.append(1) && model.sync()) }
        #expect(try #require(model.disk.contents(JournalModel.path)).count < 4096)
        model.disk.crash()
        #expect(try model.reopen() == model.history.count)
    }
}
