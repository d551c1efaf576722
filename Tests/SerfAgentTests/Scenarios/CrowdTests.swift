// SPDX-License-Identifier: Apache-2.0

import Membership
import SerfCore
import Testing

/// Scenarios 27 and 29: many members, and much to say.
extension AgentTests {
    struct Crowd: Sendable, CustomTestStringConvertible {
        var agents: Int
        var nodes: Int

        var testDescription: String { "\(agents) agents and \(nodes) nodes" }
    }

    @Test(
        "27: a crowd agrees on who is there, who failed and who left, and hears of an event at once",
        arguments: AgentBinary.all, [Crowd(agents: 3, nodes: 20), Crowd(agents: 1, nodes: 24)])
    func crowd(binary: AgentBinary, crowd: Crowd) async throws {
        try await Rig.run(binary) { rig in
            var agents: [AgentProcess] = []
            for number in 0..<crowd.agents {
                agents.append(try await rig.agent("agent-\(number)"))
            }
            let seed = agents[0].endpoint
            for agent in agents.dropFirst() { try await agent.ipc().join([seed]) }
            var nodes: [SwiftNode] = []
            for number in 0..<crowd.nodes {
                let node = try await rig.node("node-\(number)") { $0.seeds = [seed] }
                nodes.append(node)
            }
            var expected = Dictionary(
                uniqueKeysWithValues: (agents.map(\.name) + nodes.map(\.name)).map { ($0, "alive") }
            )
            try await wait(until: agents + nodes, list: expected, within: .seconds(40))

            try await Self.tellAll(agents: agents, nodes: nodes, by: nodes[7])

            let killed = Array(nodes[0..<4])
            let leaving = Array(nodes[4..<7])
            for node in killed { await node.kill() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for node in leaving { group.addTask { try await node.leave() } }
                try await group.waitForAll()
            }
            for node in killed { expected[node.name] = "failed" }
            for node in leaving { expected[node.name] = "left" }
            var live = Array(nodes[7...])
            for old in killed[0..<2] {
                live.append(
                    try await rig.node(old.name, at: old.address) { $0.seeds = [seed] })
                expected[old.name] = "alive"
            }
            // The restarted ones know nothing of who left before they came.
            let longer = agents as [any Watcher] + Array(nodes[7...])
            // Some ten seconds. An agent that exchanges its state while a member leaves can make its peer
            // miss that, until the peer's next exchange: two intervals at most.
            try await wait(until: longer, list: expected, within: .seconds(75))
            for node in live.suffix(2) {
                try await eventually("\(node.name) sees the living", within: .spread) {
                    let view = try await node.view().filter { $0.value == "alive" }
                    return view == expected.filter { $0.value == "alive" }
                }
            }
            // In a crowd the news of a death can be faster than that of the leaving before it.
            let gone = (killed + leaving).map(\.name)
            for node in nodes[7...] {
                #expect(Set(node.names(of: .failed)).isSubset(of: gone))
            }
            try await Self.tellAll(agents: agents, nodes: live, by: live[0])
        }
    }

    /// An event reaches all within two seconds, and none is lost.
    ///
    /// Of three, since a busy machine can be late; one after another, since events are gossiped behind
    /// all that is to be said of members.
    private static func tellAll(
        agents: [AgentProcess], nodes: [SwiftNode], by sender: SwiftNode
    ) async throws {
        var streams: [AgentEvents] = []
        for agent in agents { streams.append(try await AgentEvents(of: agent, "user")) }
        var times: [Duration] = []
        while times.count < 3, !times.contains(where: { $0 < .seconds(2) }) {
            let name = "news-\(UInt32.random(in: 0 ... .max))"
            try await sender.send(name, [1, 2, 3])
            times.append(
                try await eventually("all have the event", within: .seconds(40)) {
                    streams.allSatisfy { $0.userEvents.contains { $0.name == name } }
                        && nodes.allSatisfy { $0.userEvents.contains { $0.name == name } }
                })
        }
        let best = try #require(times.min())
        #expect(best < .seconds(2), "\(times)")
    }

    @Test(
        "29: tags and events without end and a third of the packets lost: nobody fails for it",
        arguments: AgentBinary.all)
    func load(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent")
            let node = try await rig.node("node")
            let third = try await rig.node("third")
            for one in [node, third] { try await one.join([agent.endpoint]) }
            let all = ["agent": "alive", "node": "alive", "third": "alive"]
            try await wait(until: [agent, node, third], list: all, within: .spread)
            let events = try await AgentEvents(of: agent)
            for one in [node, third] {
                one.lose { packet in !packet.isStream && UInt8.random(in: 0..<10) < 3 }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Each waits until the others were told, or until the next one takes its place.
                for number in 0..<200 {
                    group.addTask {
                        do {
                            try await node.setTags(["number": "\(number)"])
                        } catch let error as MembershipError where error.code == .refused {
                            // It was not told in time; that is not what is asked here.
                        }
                    }
                }
                group.addTask {
                    for number in 0..<1000 {
                        try await third.send("event-\(number)", [0])
                        guard number % 100 == 99 else { continue }
                        try await eventually("events are being sent", within: .seconds(30)) {
                            try await third.queueDepth(of: .events) < 100
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await node.setTags(["number": "last"])
            for one in [node, third] {
                try await eventually(
                    "\(one.name) has nothing more to say", within: .seconds(60),
                    seen: await one.depths
                ) {
                    try await one.statistics().queueDepths.values.allSatisfy { $0 == 0 }
                }
            }
            try await eventually("the last tags arrive", within: .seconds(35)) {
                try await agent.ipc().member("node")?.tags == ["number": "last"]
            }
            #expect(events.members("member-failed").isEmpty)
            #expect(node.names(of: .failed).isEmpty)
            #expect(third.names(of: .failed).isEmpty)
            for one in [node, third] { one.lose { _ in false } }
            try await wait(until: [agent, node, third], list: all, within: .spread)
            try await Self.exchangeEvents(agent, node)
        }
    }
}
