// SPDX-License-Identifier: Apache-2.0

import SerfCore
import SerfWire
import Testing

/// Scenario 28: agents that speak older versions of Serf's protocol.
extension AgentTests {
    @Test(
        "28: agents of older Serf protocols are members, and a bare role is a tag",
        arguments: AgentBinary.all)
    func oldProtocols(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let node = try await rig.node("node") { $0.tags = ["role": "store", "zone": "a"] }
            let fourth = try await rig.agent("fourth") {
                $0.serfProtocol = 4
                $0.tags = ["role": "web", "zone": "b"]
            }
            let second = try await rig.agent("second") {
                $0.serfProtocol = 2
                $0.tags = ["role": "old"]
            }
            #expect(try await fourth.ipc().join([node.endpoint]) == 1)
            try await node.join([second.endpoint])
            let all = ["node": "alive", "fourth": "alive", "second": "alive"]
            try await wait(until: [node, fourth, second], list: all, within: .spread)
            let members = try await node.members()
            #expect(members.first { $0.name == "fourth" }?.tags == ["role": "web", "zone": "b"])
            #expect(members.first { $0.name == "second" }?.tags == ["role": "old"])
            #expect(members.first { $0.name == "fourth" }?.versions.serfCurrent == 4)
            #expect(members.first { $0.name == "second" }?.versions.serfCurrent == 2)
            for agent in [fourth, second] {
                #expect(
                    try await agent.ipc().member("node")?.tags == ["role": "store", "zone": "a"])
                try await Self.exchangeEvents(agent, node)
            }
        }
    }
}
