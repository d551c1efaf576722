// SPDX-License-Identifier: Apache-2.0

import Membership
import SerfCore
import SwimCore
import Testing

/// Scenarios 1 to 4: how members find each other.
extension AgentTests {
    @Test(
        "1: a node of ours that joins an agent is listed with its tags, and lists it",
        arguments: AgentBinary.all, ["lan", "local"])
    func nodeJoins(binary: AgentBinary, profile: String) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent") {
                $0.profile = profile
                $0.tags = ["role": "seed"]
            }
            let tags = ["role": "store", "zone": "b"]
            let node = try await rig.node("node") {
                $0.profile = profile
                $0.tags = tags
            }
            let joined = try await node.join([agent.endpoint])
            #expect(joined.count == 1)
            #expect(joined.failures.isEmpty)
            try await eventually("the agent lists the node with its tags", within: .seconds(3)) {
                let member = try await agent.ipc().member("node")
                return member?.status == "alive" && member?.tags == tags
            }
            let listed = try #require(try await agent.ipc().member("node"))
            #expect("\(listed.endpoint)" == node.endpoint)
            #expect(listed.versions == [1, 5, 2, 2, 5, 5])
            try await eventually("the node lists the agent with its tags", within: .seconds(3)) {
                let member = try await node.member("agent")
                return member?.status == .alive && member?.tags == ["role": "seed"]
            }
        }
    }

    @Test(
        "2: an agent that joins a node of ours is listed with its tags, and lists it",
        arguments: AgentBinary.all, ["lan", "local"])
    func agentJoins(binary: AgentBinary, profile: String) async throws {
        try await Rig.run(binary) { rig in
            let node = try await rig.node("node") {
                $0.profile = profile
                $0.tags = ["role": "store"]
            }
            let agent = try await rig.agent("agent") {
                $0.profile = profile
                $0.tags = ["role": "web"]
            }
            let joined = try await agent.command("join", [node.endpoint])
            #expect(joined.status == 0, "\(joined.output)")
            try await eventually("both list each other with tags", within: .seconds(3)) {
                let seen = try await agent.ipc().member("node")
                let member = try await node.member("agent")
                return seen?.status == "alive" && seen?.tags == ["role": "store"]
                    && member?.status == .alive && member?.tags == ["role": "web"]
            }
        }
    }

    @Test(
        "3: of several seeds the dead ones are reported, and the others joined",
        arguments: AgentBinary.all)
    func seedList(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent")
            let node = try await rig.node("node")
            let dead = [rig.address(), rig.address()].map { "\($0):7946" }
            let joined = try await node.join(dead + [agent.endpoint])
            #expect(joined.count == 1)
            #expect(joined.failures.map { "\($0.endpoint)" }.sorted() == dead.sorted())
            try await wait(until: [agent], see: "node", as: "alive", within: .seconds(3))

            let second = try await rig.agent("second")
            #expect(try await second.ipc().join(dead + [node.endpoint]) == 1)
            try await wait(
                until: [agent, node, second],
                list: ["agent": "alive", "node": "alive", "second": "alive"], within: .spread)

            let alone = try await rig.node("alone")
            do {
                let joined = try await alone.join(dead)
                Issue.record("nobody is there, but \(joined)")
            } catch {
                for address in dead { #expect("\(error)".contains(address)) }
            }
        }
    }

    @Test("4: who joins one member comes to know all of them", arguments: AgentBinary.all)
    func transitive(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let first = try await rig.agent("first")
            let second = try await rig.agent("second")
            try await first.ipc().join([second.endpoint])
            let node = try await rig.node("node")
            try await node.join([first.endpoint])
            try await wait(
                until: [first, second, node],
                list: ["first": "alive", "second": "alive", "node": "alive"], within: .spread)
            #expect(node.names(of: .failed).isEmpty)
        }
    }
}
