// SPDX-License-Identifier: Apache-2.0

import Membership
import Testing

/// Scenarios 21 and 22: user events.
extension AgentTests {
    @Test(
        "21a: events of one byte and of the largest size arrive once, merged or not",
        arguments: AgentBinary.all)
    func eventSizes(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent")
            let node = try await rig.node("node")
            let third = try await rig.node("third")
            try await node.join([agent.endpoint])
            try await third.join([agent.endpoint])
            let all = ["agent": "alive", "node": "alive", "third": "alive"]
            try await wait(until: [agent, node, third], list: all, within: .spread)
            let events = try await AgentEvents(of: agent, "user")

            // What the encoding of an event takes beside a name of one byte and its payload.
            let largest = 512 - 40
            var sent: [String: [UInt8]] = [:]
            for (index, size) in [0, 1, 255, 256, largest].enumerated() {
                for mayCoalesce in [false, true] {
                    for side in ["a", "n"] {
                        let name = "\(side)\(index)\(mayCoalesce ? "c" : "")"
                        let payload = Array(repeating: UInt8(index), count: size)
                        sent[name] = payload
                        if side == "a" {
                            try await agent.ipc().ask(
                                .event(name, payload: payload, mayCoalesce: mayCoalesce))
                        } else {
                            try await node.send(name, payload, mayCoalesce: mayCoalesce)
                        }
                    }
                }
            }
            for (who, arrived) in [
                ("agent", { events.userEvents }), ("node", { node.userEvents }),
                ("third", { third.userEvents }),
            ] as [(String, () -> [(name: String, payload: [UInt8])])] {
                try await eventually(
                    "\(who) has each event", within: .spread,
                    seen: "\(arrived().map(\.name))"
                ) {
                    Set(arrived().map(\.name)) == Set(sent.keys)
                }
                #expect(arrived().count == sent.count, "\(who) got some twice")
                for event in arrived() { #expect(sent[event.name] == event.payload) }
            }
            let tooLarge = Array(repeating: UInt8(0), count: 512)
            await #expect(throws: MembershipError.self) { try await node.send("x", tooLarge) }
            await #expect(throws: SerfIPC.Refused.self) {
                try await agent.ipc().ask(.event("x", payload: tooLarge, mayCoalesce: false))
            }
        }
    }

    @Test(
        "21b: of six hundred events in a row each arrives once, both ways",
        arguments: AgentBinary.all)
    func manyEvents(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent") { $0.profile = "local" }
            let node = try await rig.node("node") {
                $0.profile = "local"
                $0.eventsMax = 16_384
            }
            try await node.join([agent.endpoint])
            let both = ["agent": "alive", "node": "alive"]
            try await wait(until: [agent, node], list: both, within: .spread)
            let events = try await AgentEvents(of: agent, "user")
            let count = 600
            // The newest go first, and who is 512 behind is too old: so never 100 at a time.
            for number in 0..<count {
                try await node.send("n\(number)", [1])
                try await agent.ipc().ask(.event("a\(number)", payload: [2], mayCoalesce: false))
                guard number % 50 == 49 else { continue }
                try await eventually(
                    "both have \(2 * number + 2) events", within: .seconds(20),
                    seen: "\(events.userEvents.count) and \(node.userEvents.count)"
                ) {
                    events.userEvents.count >= 2 * number + 2
                        && node.userEvents.count >= 2 * number + 2
                }
            }
            let expected = Set((0..<count).flatMap { ["n\($0)", "a\($0)"] })
            #expect(Set(events.userEvents.map(\.name)) == expected)
            #expect(Set(node.userEvents.map(\.name)) == expected)
            // Messages are still being repeated; none of them counts again.
            try await eventually("the node's queue is empty", within: .seconds(20)) {
                try await node.queueDepth(of: .events) == 0
            }
            #expect(events.userEvents.count == 2 * count)
            #expect(node.userEvents.count == 2 * count)
        }
    }

    @Test(
        "22: events from before a join are told only to those who ask for them",
        arguments: AgentBinary.all)
    func replay(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent")
            let first = try await rig.node("first")
            try await first.join([agent.endpoint])
            try await first.send("old-1", [1])
            try await agent.ipc().ask(.event("old-2", payload: [2], mayCoalesce: false))
            try await eventually("the first node has both", within: .spread) {
                Set(first.userEvents.map(\.name)) == ["old-1", "old-2"]
            }
            let events = try await AgentEvents(of: agent, "user")

            let asking = try await rig.node("asking")
            try await asking.join([agent.endpoint], replay: true)
            try await eventually("old events are replayed", within: .spread) {
                Set(asking.userEvents.map(\.name)) == ["old-1", "old-2"]
            }
            let other = try await rig.node("other")
            try await other.join([agent.endpoint])
            let agents = [
                try await rig.agent("replaying"), try await rig.agent("ignoring"),
            ]
            let streams = [
                try await AgentEvents(of: agents[0], "user"),
                try await AgentEvents(of: agents[1], "user"),
            ]
            #expect(try await agents[0].ipc().join([first.endpoint], replay: true) == 1)
            #expect(try await agents[1].ipc().join([first.endpoint]) == 1)
            try await eventually("an agent gets old events from a node", within: .spread) {
                Set(streams[0].userEvents.map(\.name)) == ["old-1", "old-2"]
            }
            // Something new shows that the old ones are not merely late.
            try await first.send("new", [3])
            for arrived in [
                { other.userEvents.map(\.name) }, { streams[1].userEvents.map(\.name) },
                { events.userEvents.map(\.name).filter { $0 == "new" } },
            ] as [() -> [String]] {
                try await eventually(
                    "the new event arrives alone", within: .spread, seen: "\(arrived())"
                ) { arrived() == ["new"] }
            }
            try await eventually("who has asked has the new one too", within: .spread) {
                asking.userEvents.map(\.name).sorted() == ["new", "old-1", "old-2"]
            }
        }
    }
}
