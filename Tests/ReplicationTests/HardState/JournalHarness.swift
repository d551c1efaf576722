// SPDX-License-Identifier: Apache-2.0

import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk

/// A journal on a disk in memory, and what its tests share.
struct JournalHarness {
    static let directory = "/store"
    static let path = directory + "/" + HardStateJournal.name

    let disk: SimulatedFileSystem
    let journal: HardStateJournal

    init(
        disk: SimulatedFileSystem = SimulatedFileSystem(), mayBeMissing: Bool = true,
        sizeMax: UInt64 = 4096, reserve: Int = 0
    ) throws {
        self.disk = disk
        try disk.createDirectory(Self.directory)
        try disk.syncDirectory("/")
        journal = try HardStateJournal(
            directory: Self.directory, on: disk, mayBeMissing: mayBeMissing, sizeMax: sizeMax,
            reserve: reserve)
    }

    static func group(_ number: Int) -> GroupID {
        GroupID(high: 7, low: UInt64(number), partition: UInt32(number))
    }

    static func record(
        _ number: Int, term: UInt64, vote: UInt64? = nil, commit: UInt64 = 0, life: UInt64 = 1
    ) -> HardStateRecord {
        HardStateRecord(
            group: group(number), life: life,
            state: HardState(
                term: Term(term), vote: vote.map { ReplicaID(node: $0, life: 100 + $0) }),
            commit: LogIndex(commit))
    }

    func state(_ number: Int, life: UInt64 = 1) -> HardState? {
        journal.record(of: Self.group(number), life: life)?.state
    }

    /// Runs one sync to its end; whether it worked.
    @discardableResult
    func sync() -> Bool {
        guard let ticket = journal.beginSync() else { return journal.failure == nil }
        journal.endSync(ticket, ticket.run())
        return journal.failure == nil
    }
}
