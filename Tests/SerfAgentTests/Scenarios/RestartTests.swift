// SPDX-License-Identifier: Apache-2.0

import Foundation
import SerfCore
import Testing

/// Scenarios 15 to 17 and 26: members that come back, as they were or elsewhere.
extension AgentTests {
    @Test(
        "15: a node that starts anew is alive with its new tags, whatever became of the old one",
        arguments: AgentBinary.all)
    func restart(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let first = try await rig.agent("first")
            let second = try await rig.agent("second")
            try await first.ipc().join([second.endpoint])
            let names = ["after-leave", "after-failure", "before-detection", "other-tags"]
            var old: [String: SwiftNode] = [:]
            for name in names {
                let node = try await rig.node(name) { $0.tags = ["life": "1"] }
                try await node.join([first.endpoint])
                old[name] = node
            }
            for name in names {
                try await wait(until: [first, second], see: name, as: "alive", within: .spread)
            }
            // A higher incarnation than a fresh start has, so that it must be outbid.
            try await old["other-tags"]?.setTags(["life": "1", "more": "x"])
            try await old["after-leave"]?.leave()
            for name in names.dropFirst() { await old[name]?.kill() }
            func restarted(
                _ name: String, tags: [String: String], mustOutbid: Bool = true
            ) async throws {
                let address = try #require(old[name]).address
                let before = try await Peek.incarnation(of: name, at: first.endpoint) ?? 0
                let node = try await rig.node(name, at: address) { $0.tags = tags }
                try await node.join([first.endpoint])
                try await eventually(
                    "\(name) is alive with the tags \(tags)", within: .seconds(15),
                    seen: await views(of: [first, second])
                ) {
                    for agent in [first, second] {
                        let member = try await agent.ipc().member(name)
                        guard member?.status == "alive", member?.tags == tags else { return false }
                    }
                    return true
                }
                let after = try await Peek.incarnation(of: name, at: first.endpoint) ?? 0
                if mustOutbid {
                    #expect(after > before, "\(name): \(before), then \(after)")
                } else {
                    #expect(after >= before, "\(name): \(before), then \(after)")
                }
                #expect(try await node.status(of: name) == "alive")
            }
            // The same record with the same incarnation is no contradiction.
            try await restarted("before-detection", tags: ["life": "1"], mustOutbid: false)
            try await restarted("other-tags", tags: ["life": "2"])
            try await wait(
                until: [first, second], see: "after-failure", as: "failed", within: .seconds(30))
            try await restarted("after-failure", tags: ["life": "2"])
            try await wait(
                until: [first, second], see: "after-leave", as: "left", within: .spread)
            try await restarted("after-leave", tags: ["life": "1"])
            // And it stays so: nobody brings the old ones back.
            for name in names {
                try await wait(until: [first, second], see: name, as: "alive", within: .spread)
            }
        }
    }

    @Test(
        "16: an agent finds a failed node again that has started and joined nobody",
        arguments: AgentBinary.all)
    func reconnect(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent") {
                $0.profile = "local"
                $0.settings["reconnect_interval"] = "1s"
            }
            let node = try await rig.node("node") {
                $0.profile = "local"
                $0.tags = ["life": "1"]
            }
            try await node.join([agent.endpoint])
            try await wait(until: [agent], see: "node", as: "alive", within: .spread)
            await node.kill()
            try await wait(until: [agent], see: "node", as: "failed", within: .seconds(30))
            let again = try await rig.node("node", at: node.address) {
                $0.profile = "local"
                $0.tags = ["life": "2"]
            }
            try await wait(until: [agent], see: "node", as: "alive", within: .seconds(15))
            try await wait(until: [again], see: "agent", as: "alive", within: .spread)
            try await eventually("the agent has the new tags", within: .spread) {
                try await agent.ipc().member("node")?.tags == ["life": "2"]
            }
        }
    }

    @Test(
        "17: an agent that starts from its snapshot comes back through a node of ours",
        arguments: AgentBinary.all)
    func snapshot(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let node = try await rig.node("node") { $0.profile = "local" }
            let file = rig.folder.appending(path: "snapshot").path
            let agent = try await rig.agent("agent") {
                $0.profile = "local"
                $0.snapshot = file
            }
            try await agent.ipc().join([node.endpoint])
            try await wait(until: [node], see: "agent", as: "alive", within: .spread)
            try await eventually("the snapshot names the node", within: .spread) {
                // A line is on the disk when the next one is written, half a second later or more.
                try await agent.ipc().ask(.event("more", payload: [], mayCoalesce: false))
                return try String(contentsOfFile: file, encoding: .utf8).contains("alive: node ")
            }
            try await agent.stop()
            try await wait(until: [node], see: "agent", as: "failed", within: .seconds(30))
            let again = try await rig.agent("agent", at: agent.address) {
                $0.profile = "local"
                $0.snapshot = file
            }
            try await wait(until: [node], see: "agent", as: "alive", within: .spread)
            try await wait(until: [again], see: "node", as: "alive", within: .spread)
        }
    }

    @Test(
        "26: a left node may come back elsewhere at once, a failed one when it is forgotten",
        arguments: AgentBinary.all)
    func addressChange(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let first = try await rig.agent("first")
            let second = try await rig.agent("second")
            try await first.ipc().join([second.endpoint])
            let left = try await rig.node("left")
            let failed = try await rig.node("failed")
            for node in [left, failed] { try await node.join([first.endpoint]) }
            for node in [left, failed] {
                try await wait(
                    until: [first, second], see: node.name, as: "alive", within: .seconds(20))
            }
            try await left.leave()
            await failed.kill()
            try await wait(until: [first, second], see: "left", as: "left", within: .seconds(20))
            let moved = try await rig.node("left")
            try await moved.join([first.endpoint])
            try await eventually("who left is at its new address", within: .seconds(20)) {
                for agent in [first, second] {
                    let member = try await agent.ipc().member("left")
                    guard member?.status == "alive",
                        "\(member.map { "\($0.endpoint)" } ?? "")" == moved.endpoint
                    else { return false }
                }
                return true
            }

            try await wait(
                until: [first, second], see: "failed", as: "failed", within: .seconds(30))
            let early = try await rig.node("failed")
            // It is refused as the impostor of a member that is remembered, and finds out.
            _ = try? await early.join([first.endpoint])
            try await eventually("the agents say that there is a conflict", within: .seconds(20)) {
                first.log.lines.contains { $0.contains("onflict") && $0.contains("failed") }
            }
            #expect(try await first.status(of: "failed") == "failed")
            await early.kill()

            // The dead are held for 30 seconds, and looked at when a round of probes ends.
            try await eventually("a later one is accepted", within: .seconds(60)) {
                let late = try await rig.node("failed")
                do {
                    try await late.join([first.endpoint])
                    try await wait(
                        until: [first, second], see: "failed", as: "alive", within: .seconds(3))
                } catch {
                    await late.kill()
                    throw error
                }
                return true
            }
        }
    }
}
