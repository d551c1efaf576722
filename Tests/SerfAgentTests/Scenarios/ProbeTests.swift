// SPDX-License-Identifier: Apache-2.0

import Membership
import SerfWire
import Testing

/// Scenarios 10 to 12: other ways to a node than a ping of one's own.
extension AgentTests {
    /// How long a wrong suspicion has time to show: every probe of a local profile is one second.
    private static let probing = Duration.seconds(10)

    @Test(
        "10: a node that one agent cannot ping is reached through another",
        arguments: AgentBinary.all)
    func throughAHelper(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let cut = try await rig.agent("cut")
            let helper = try await rig.agent("helper")
            // An agent picks helpers by so many throws of dice; of three members it now and then finds
            // none at all.
            let second = try await rig.node("second")
            let node = try await rig.node("node")
            try await helper.ipc().join([cut.endpoint])
            try await second.join([cut.endpoint])
            try await node.join([cut.endpoint])
            let watchers: [any Watcher] = [cut, helper, second, node]
            let all = Dictionary(uniqueKeysWithValues: watchers.map { ($0.name, "alive") })
            try await wait(until: watchers, list: all, within: .spread)
            let lost = Tally()
            node.lose { packet in
                guard packet.direction == .incoming else { return false }
                return packet.messages.contains { message in
                    guard case .ping(let ping) = message else { return false }
                    guard packet.isStream || ping.source?.node == "cut" else { return false }
                    lost.add("ping")
                    return true
                }
            }
            let suspicions = try await StallMeter.complaints(allowing: .milliseconds(150)) {
                let start = cut.log.position
                try await always(watchers, list: all, for: Self.probing)
                return cut.log.lines(from: start).filter {
                    $0.contains("Suspect") && $0.contains("node")
                }
            }
            #expect(lost["ping"] >= 2)
            guard suspicions.isEmpty else {
                throw Unexpected(description: "suspicions: \(suspicions)")
            }
        }
    }

    @Test(
        "11: a node of ours pings for an agent: a nack about the dead, an ack about the living",
        arguments: AgentBinary.all)
    func asAHelper(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let asking = try await rig.agent("asking")
            let helper = try await rig.node("helper")
            let dead = try await rig.agent("dead")
            let filtered = try await rig.node("filtered")
            for node in [helper, filtered] { try await node.join([asking.endpoint]) }
            try await dead.ipc().join([asking.endpoint])
            let watchers: [any Watcher] = [asking, helper, dead, filtered]
            try await wait(
                until: watchers,
                list: Dictionary(uniqueKeysWithValues: watchers.map { ($0.name, "alive") }),
                within: .spread)

            let sent = Tally()
            helper.lose { packet in
                guard packet.direction == .outgoing, !packet.isStream else { return false }
                for message in packet.messages {
                    switch message {
                    case .nack: sent.add("nack to \(packet.peer)")
                    case .ack(let ack) where ack.payload.isEmpty:
                        sent.add("ack to \(packet.peer)")
                    default: break
                    }
                }
                return false
            }
            // A node that only the helper can ping, and one that nobody can.
            filtered.lose { packet in
                guard packet.direction == .incoming else { return false }
                return packet.messages.contains { message in
                    guard case .ping(let ping) = message else { return false }
                    return packet.isStream || ping.source?.node == "asking"
                }
            }
            dead.freeze()
            try await eventually(
                "the helper answers both ways", within: .seconds(25), seen: sent.story
            ) {
                sent["nack to \(asking.endpoint)"] > 0 && sent["ack to \(asking.endpoint)"] > 0
            }
            try await wait(
                until: [asking, helper], see: "dead", as: "failed", within: .seconds(30))
            #expect(try await asking.status(of: "filtered") == "alive")
            try await helper.told(of: ["dead"], as: .failed)
        }
    }

    @Test(
        "12: a node that no UDP ping reaches stays alive over TCP, and the agent says so",
        arguments: AgentBinary.all)
    func overStreams(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent") { $0.profile = "local" }
            let node = try await rig.node("node") { $0.profile = "local" }
            try await node.join([agent.endpoint])
            let all = ["agent": "alive", "node": "alive"]
            try await wait(until: [agent, node], list: all, within: .spread)
            node.lose { packet in
                guard packet.direction == .incoming, !packet.isStream else { return false }
                return packet.messages.contains { message in
                    switch message {
                    case .ping, .indirectPing: true
                    default: false
                    }
                }
            }
            try await eventually("the agent warns", within: .seconds(15)) {
                agent.log.lines.contains {
                    $0.contains("[WARN]") && $0.contains("connect to node")
                        && $0.contains("probes failed")
                }
            }
            try await always([agent, node], list: all, for: Self.probing)
            #expect(!agent.log.text.contains("Suspect node"))
        }
    }
}
