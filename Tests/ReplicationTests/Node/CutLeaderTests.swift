// SPDX-License-Identifier: Apache-2.0

import CommitLog
import RaftCore
import Records
import Replication
import Testing

@Suite("A leader that was cut off")
struct CutLeaderTests {
    @Test("comes back without a restart, and drops what only it had", arguments: [nil, 4])
    func comesBack(quietTicks: Int?) throws {
        let harness = NodeHarness(3)
        harness.settings.quietTicks = quietTicks
        try harness.startAll()
        let first = try #require(harness.elect())
        harness.append("a", at: first)
        harness.settle()
        harness.cut = [harness.ids[first].node]
        harness.append("lost", at: first)
        harness.run(ticks: 60)
        let second = try #require(
            harness.ids.indices.first { $0 != first && harness.replica($0)?.isReady == true })
        harness.append("b", at: second)
        harness.run(ticks: 60)
        harness.cut = []
        harness.run(ticks: 60)
        for number in 0..<3 {
            #expect(
                try harness.values(number) == ["a", "b"],
                "\(String(describing: harness.replica(number)?.raft.role)) \(String(describing: harness.replica(number)?.raft.lastIndex)) \(String(describing: harness.replica(second)?.raft.followers)) \(harness.nodes.map { $0?.awakeCount })"
            )
        }
    }
}
