// SPDX-License-Identifier: Apache-2.0

import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk
import Testing

@Suite("The bytes of the hard-state journal")
struct HardStateGoldenTests {
    @Test("are the same as ever")
    func sameBytes() throws {
        let harness = try JournalHarness()
        try harness.journal.append([
            JournalHarness.record(1, term: 3, vote: 2, commit: 40),
            JournalHarness.record(2, term: 1, life: 8),
        ])
        #expect(harness.sync())
        try harness.journal.append([JournalHarness.record(1, term: 4)])
        try harness.journal.forget(JournalHarness.group(2), life: 8)
        let bytes = try #require(harness.disk.contents(JournalHarness.path))
        try Golden.expect(bytes, are: "hardstate")
    }

    @Test("open as they lie in the repository")
    func goldenFileOpens() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory(JournalHarness.directory)
        try disk.open(JournalHarness.path, .create).write(try Golden.bytes("hardstate"), at: 0)
        let harness = try JournalHarness(disk: disk, mayBeMissing: false)
        #expect(harness.journal.records == [JournalHarness.record(1, term: 4)])
        #expect(harness.state(1) == HardState(term: Term(4)))
        #expect(harness.state(1, life: 3) == nil)
        #expect(harness.state(2, life: 8) == nil)
    }
}
