// SPDX-License-Identifier: Apache-2.0

import Membership
import SerfCore
import Testing

/// Scenarios 24 and 25: members that are sent away, and names that two have.
extension AgentTests {
    @Test(
        "24: a failed member that is forced to leave has left, a pruned one is gone, a live one stays",
        arguments: AgentBinary.all)
    func forceLeave(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent")
            let other = try await rig.agent("other")
            let node = try await rig.node("node")
            try await other.ipc().join([agent.endpoint])
            try await node.join([agent.endpoint])
            // The dead are gossiped to as well, and to no avail. With some more of the living, news go
            // round in spite of it; and from ten members on each says everything eight times.
            for number in 1...8 {
                try await rig.node("bystander-\(number)").join([agent.endpoint])
            }
            let all: [any Watcher] = [agent, other, node]
            try await Self.forceLiveMembers(agent: agent, node: node, all: all)
            for name in ["first", "second", "third"] {
                let victim = try await rig.node(name)
                try await victim.join([agent.endpoint])
                try await wait(until: all, see: name, as: "alive", within: .spread)
                await victim.kill()
            }
            for name in ["first", "second", "third"] {
                try await wait(until: all, see: name, as: "failed", within: .seconds(30))
            }

            // Failed, then left. Whom the news have missed gets it with the next exchange of state.
            try await node.forceLeave("first")
            try await wait(until: all, see: "first", as: "left", within: .seconds(40))
            #expect(try await agent.command("force-leave", ["second"]).status == 0)
            try await wait(until: all, see: "second", as: "left", within: .seconds(40))
            // Left, then gone.
            try await node.forceLeave("second", prune: true)
            try await Self.waitUntilGone("second", agents: [agent, other], node: node)
            #expect(try await agent.command("force-leave", ["-prune", "first"]).status == 0)
            try await Self.waitUntilGone("first", agents: [agent, other], node: node)
            // Failed, and gone at once.
            try await node.forceLeave("third", prune: true)
            try await Self.waitUntilGone("third", agents: [agent, other], node: node)
            try await node.told(of: ["first", "second", "third"], as: .reaped)
        }
    }

    /// Waits until nobody lists a pruned member any more.
    ///
    /// Each exchange of state makes the time of a member that left one later; a member that has had
    /// one in this moment finds the request too old, and has to be told again.
    private static func waitUntilGone(
        _ name: String, agents: [AgentProcess], node: SwiftNode
    ) async throws {
        let clock = ContinuousClock()
        var again = clock.now + .seconds(5)
        try await eventually(
            "\(name) is gone", within: .spread, seen: await views(of: agents + [node])
        ) {
            let isTime = clock.now > again
            if isTime { again = clock.now + .seconds(5) }
            var isGone = true
            for agent in agents where try await agent.status(of: name) != nil {
                isGone = false
                if isTime { try await agent.command("force-leave", ["-prune", name]) }
            }
            if try await node.status(of: name) != nil {
                isGone = false
                if isTime { try await node.forceLeave(name, prune: true) }
            }
            return isGone
        }
    }

    /// Live members contradict.
    private static func forceLiveMembers(
        agent: AgentProcess, node: SwiftNode, all: [any Watcher]
    ) async throws {
        try await eventually("all see the eleven", within: .spread) {
            for watcher in all where try await watcher.view().count != 11 { return false }
            return true
        }
        let expected = try await node.view()
        #expect(try await agent.command("force-leave", ["node"]).status == 0)
        try await node.forceLeave("other")
        try await wait(until: all, list: expected, within: .spread)
        try await always(all, list: expected, for: .seconds(2))
    }

    @Test(
        "25: of two with one name the newcomer gives way, whichever side it is on",
        arguments: AgentBinary.all)
    func nameConflict(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let first = try await rig.agent("first")
            let second = try await rig.agent("second")
            let node = try await rig.node("node")
            try await second.ipc().join([first.endpoint])
            try await node.join([first.endpoint])
            let all = ["first": "alive", "second": "alive", "node": "alive"]
            try await wait(until: [first, second, node], list: all, within: .spread)

            let impostor = try await rig.agent("node")
            // Whether the join itself is seen to fail depends on how fast it finds out.
            _ = try? await impostor.ipc().join([first.endpoint])
            try await eventually(
                "the agent that has our node's name gives up", within: .seconds(15),
                seen: impostor.log.tail(10)
            ) { !impostor.isRunning }

            let newcomer = try await rig.node("second")
            _ = try? await newcomer.join([first.endpoint])
            try await eventually(
                "the node that has an agent's name gives up", within: .seconds(15),
                seen: newcomer.story
            ) { newcomer.end != nil }
            guard case .failure(let error as MembershipError) = newcomer.end else {
                Issue.record("it ended otherwise: \(String(describing: newcomer.end))")
                return
            }
            #expect(error.code == .nameConflict)

            try await wait(until: [first, second, node], list: all, within: .spread)
            for agent in [first, second] {
                let endpoint = try await agent.ipc().member("node").map { "\($0.endpoint)" }
                #expect(endpoint == node.endpoint)
            }
            let kept = try await node.member("second").map { "\($0.endpoint)" }
            #expect(kept == second.endpoint)
            #expect(node.end == nil)
        }
    }
}
