// SPDX-License-Identifier: Apache-2.0

import SerfCore
import Testing

/// Scenarios 5 to 7: a calm cluster, its tags, and members that leave.
extension AgentTests {
    @Test(
        "5: in a calm minute nobody is suspected, and round trips are known",
        arguments: AgentBinary.all)
    func steady(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let first = try await rig.agent("first")
            let second = try await rig.agent("second")
            let node = try await rig.node("node")
            try await first.ipc().join([second.endpoint])
            try await node.join([first.endpoint])
            let all = ["first": "alive", "second": "alive", "node": "alive"]
            try await wait(until: [first, second, node], list: all, within: .spread)
            let suspicions = try await StallMeter.complaints(allowing: .milliseconds(300)) {
                let starts = [first.log.position, second.log.position]
                let known = node.log.containing("suspected").count
                try await always([first, second, node], list: all, for: .seconds(60))
                return zip([first, second], starts).flatMap { agent, start in
                    agent.log.lines(from: start).filter {
                        $0.lowercased().contains("suspect") || $0.contains("failed")
                    }
                } + node.log.containing("suspected").dropFirst(known)
            }
            guard suspicions.isEmpty else {
                throw Unexpected(description: "suspicions: \(suspicions)")
            }
            #expect(node.names(of: .failed).isEmpty)
            for other in ["second", "node"] {
                let printed = try await first.command("rtt", ["first", other])
                #expect(printed.status == 0)
                #expect(printed.output.contains("ms"), "\(printed.output)")
            }
            #expect(try await node.roundTrip(to: "first") != nil)
        }
    }

    @Test(
        "6: tags that one side sets or deletes are seen by the other", arguments: AgentBinary.all,
        ["lan", "local"])
    func tags(binary: AgentBinary, profile: String) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent") {
                $0.profile = profile
                $0.tags = ["role": "web", "old": "1"]
            }
            let node = try await rig.node("node") {
                $0.profile = profile
                $0.tags = ["role": "store", "old": "1"]
            }
            try await node.join([agent.endpoint])
            try await wait(until: [agent], see: "node", as: "alive", within: .seconds(3))

            try await node.setTags(["role": "store", "version": "2.1"])
            try await eventually("the agent sees the node's tags", within: .spread) {
                try await agent.ipc().member("node")?.tags == ["role": "store", "version": "2.1"]
            }
            let matching = try await agent.command("members", ["-tag", "version=2\\..*"])
            #expect(matching.status == 0)
            #expect(matching.output.contains("node"), "\(matching.output)")
            #expect(!matching.output.contains("agent"), "\(matching.output)")
            let filtered = try await agent.ipc().ask(
                .membersFiltered(tags: ["version": "2.1"], status: "alive"))
            #expect(filtered?["Members"]?.list?.count == 1)

            #expect(try await agent.command("tags", ["-set", "zone=a"]).status == 0)
            try await eventually("the node sees the agent's new tag", within: .spread) {
                try await node.member("agent")?.tags
                    == ["role": "web", "old": "1", "zone": "a"]
            }
            #expect(try await agent.command("tags", ["-delete", "old"]).status == 0)
            try await eventually("the node sees that a tag is gone", within: .spread) {
                try await node.member("agent")?.tags == ["role": "web", "zone": "a"]
            }
            try await node.told(of: ["node", "agent"], as: .updated)
            #expect(node.names(of: .failed).isEmpty)
        }
    }

    @Test(
        "7: a member that leaves is left, and at no time failed", arguments: AgentBinary.all)
    func leaving(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let staying = try await rig.agent("staying")
            let leaving = try await rig.agent("leaving")
            let watching = try await rig.node("watching")
            let node = try await rig.node("node")
            try await leaving.ipc().join([staying.endpoint])
            try await watching.join([staying.endpoint])
            try await node.join([staying.endpoint])
            let all: [any Watcher] = [staying, leaving, watching, node]
            try await wait(
                until: all,
                list: Dictionary(uniqueKeysWithValues: all.map { ($0.name, "alive") }),
                within: .spread)
            let events = try await AgentEvents(of: staying)

            try await node.leave()
            try await wait(
                until: [staying, watching], see: "node", as: "left", within: .spread)
            _ = try await leaving.command("leave")
            try await wait(
                until: [staying, watching], see: "leaving", as: "left", within: .spread)
            // The agent gathers its events for up to three seconds.
            try await eventually("the agent tells that both left", within: .seconds(8)) {
                Set(events.members("member-leave")) == ["node", "leaving"]
            }
            #expect(events.members("member-failed").isEmpty)
            try await watching.told(of: ["node", "leaving"], as: .left)
            #expect(watching.names(of: .failed).isEmpty)
        }
    }
}
