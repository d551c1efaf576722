// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

/// Scenarios 8, 9, 13 and 14: failures, real ones and wrong ones.
extension AgentTests {
    @Test("8: whoever is killed has failed within half a minute", arguments: AgentBinary.all)
    func killed(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let staying = try await rig.agent("staying")
            let killed = try await rig.agent("killed")
            let watching = try await rig.node("watching")
            let dropped = try await rig.node("dropped")
            for node in [watching, dropped] { try await node.join([staying.endpoint]) }
            try await killed.ipc().join([staying.endpoint])
            let names = ["staying", "killed", "watching", "dropped"]
            try await wait(
                until: [staying, killed, watching, dropped],
                list: Dictionary(uniqueKeysWithValues: names.map { ($0, "alive") }),
                within: .spread)
            killed.kill()
            await dropped.kill()
            try await wait(
                until: [staying, watching],
                list: [
                    "staying": "alive", "watching": "alive", "killed": "failed",
                    "dropped": "failed",
                ], within: .seconds(30))
            try await watching.told(of: ["killed", "dropped"], as: .failed)
            #expect(watching.names(of: .left).isEmpty)
        }
    }

    @Test(
        "9: an agent that was frozen refutes its failure as soon as it goes on",
        arguments: AgentBinary.all)
    func frozen(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let frozen = try await rig.agent("frozen")
            let node = try await rig.node("node")
            let other = try await rig.node("other")
            try await node.join([frozen.endpoint])
            try await other.join([node.endpoint])
            let all = ["frozen": "alive", "node": "alive", "other": "alive"]
            try await wait(until: [frozen, node, other], list: all, within: .spread)
            let before = try #require(
                try await Peek.incarnation(of: "frozen", at: node.endpoint))
            frozen.freeze()
            try await wait(
                until: [node, other], see: "frozen", as: "failed", within: .seconds(30))
            frozen.thaw()
            try await wait(until: [node, other], see: "frozen", as: "alive", within: .seconds(5))
            let after = try await Peek.incarnation(of: "frozen", at: node.endpoint)
            #expect(after == before + 1)
            // It has slept, so it may think for a moment that it was the others.
            try await wait(until: [frozen, node, other], list: all, within: .spread)
        }
    }

    @Test(
        "13: what is said falsely of a node it refutes, with a higher incarnation",
        arguments: AgentBinary.all)
    func falseClaims(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent") { $0.profile = "local" }
            let node = try await rig.node("node") { $0.profile = "local" }
            try await node.join([agent.endpoint])
            try await wait(until: [agent], see: "node", as: "alive", within: .seconds(3))
            let liar = try await RawPeer.start(at: rig.address())
            defer { liar.close() }

            func incarnation() async throws -> UInt32 {
                try await Peek.incarnation(of: "node", at: agent.endpoint) ?? 0
            }
            for target in [agent.endpoint, node.endpoint] {
                let first = try await incarnation()
                try await liar.send(
                    .suspect(Suspect(incarnation: first, node: "node", from: "agent")), to: target)
                try await eventually("the suspicion is refuted", within: .spread) {
                    try await incarnation() > first
                }
                let second = try await incarnation()
                try await liar.send(
                    .dead(Dead(incarnation: second, node: "node", from: "agent")), to: target)
                try await eventually("the death is refuted", within: .spread) {
                    try await incarnation() > second
                }
            }
            try await wait(until: [agent], see: "node", as: "alive", within: .spread)
            #expect(try await node.status(of: "node") == "alive")
            let known = try await Peek.incarnation(of: "node", at: node.endpoint)
            #expect(try await incarnation() == known)
        }
    }

    @Test(
        "14a: a node of ours that is cut off fails on both sides, and is back without a join",
        arguments: AgentBinary.all)
    func nodePartitioned(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let first = try await rig.agent("first") { $0.settings["reconnect_interval"] = "3s" }
            let second = try await rig.agent("second") { $0.settings["reconnect_interval"] = "3s" }
            let node = try await rig.node("node") { $0.reconnectInterval = .seconds(3) }
            try await first.ipc().join([second.endpoint])
            try await node.join([first.endpoint])
            let all = ["first": "alive", "second": "alive", "node": "alive"]
            try await wait(until: [first, second, node], list: all, within: .spread)
            node.lose { _ in true }
            try await wait(
                until: [first, second],
                list: ["first": "alive", "second": "alive", "node": "failed"],
                within: .seconds(30))
            try await wait(
                until: [node], list: ["first": "failed", "second": "failed", "node": "alive"],
                within: .seconds(30))
            node.lose { _ in false }
            try await wait(until: [first, second, node], list: all, within: .seconds(40))
        }
    }

    @Test(
        "14b: agents on two sides of a cut, each with a node of ours, come together again",
        arguments: AgentBinary.all)
    func agentsPartitioned(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let (left, leftProxy) = try await rig.agentBehindProxy("left") {
                $0.settings["reconnect_interval"] = "3s"
            }
            let (right, rightProxy) = try await rig.agentBehindProxy("right") {
                $0.settings["reconnect_interval"] = "3s"
            }
            let node = try await rig.node("node") { $0.reconnectInterval = .seconds(3) }
            try await left.ipc().join([right.endpoint])
            try await node.join([left.endpoint])
            let all = ["left": "alive", "right": "alive", "node": "alive"]
            try await wait(until: [left, right, node], list: all, within: .spread)
            // Nothing reaches the agents any more; each sees all others fail, and so does the node.
            leftProxy.cut()
            rightProxy.cut()
            try await wait(
                until: [node], list: ["left": "failed", "right": "failed", "node": "alive"],
                within: .seconds(30))
            try await wait(until: [left], see: "right", as: "failed", within: .seconds(30))
            try await wait(until: [right], see: "left", as: "failed", within: .seconds(30))
            leftProxy.heal()
            rightProxy.heal()
            try await wait(until: [left, right, node], list: all, within: .seconds(40))
        }
    }
}
