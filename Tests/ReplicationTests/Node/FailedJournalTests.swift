// SPDX-License-Identifier: Apache-2.0

import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk
import Testing

@Suite("A node whose journal fails")
struct FailedJournalTests {
    @Test("says so once, and none of its replicas votes or leads any more")
    func once() throws {
        let harness = NodeHarness(1)
        try harness.startAll()
        let node = try #require(harness.nodes[0])
        harness.disks[0].faults.write = .always
        harness.disks[0].faults.pathPart = HardStateJournal.name
        var failures = 0
        for _ in 0..<50 {
            var outputs: [ReplicaNode.Output] = []
            node.tick(now: Timestamp(milliseconds: 1), into: &outputs)
            node.endTurn(into: &outputs)
            for case .journalFailed in outputs { failures += 1 }
        }
        #expect(failures == 1)
        #expect(node.journal.failure != nil)
        #expect(node.replica(of: harness.group)?.raft.role != .leader)
    }
}
