// SPDX-License-Identifier: Apache-2.0

import Testing

/// Nodes of ours and real agents in one cluster.
///
/// Each scenario has its own addresses; they go one after another because they measure time.
@Suite("With the real serf agent", .serialized) struct AgentTests {
    @Test(
        "the scenarios run against serf-0.10 as well",
        .enabled(
            if: AgentBinary.second != nil,
            "there is no serf-0.10 on the PATH: only Debian's agent was tested with"))
    func secondAgent() async throws {
        let binary = try #require(AgentBinary.second)
        let version = try await Finished.run(binary.path, ["version"])
        #expect(version.status == 0, "\(version.output)")
        #expect(AgentBinary.all.count == 2)
    }
}
