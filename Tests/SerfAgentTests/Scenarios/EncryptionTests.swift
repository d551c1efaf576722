// SPDX-License-Identifier: Apache-2.0

import Foundation
import Membership
import SerfCore
import Testing

/// Scenarios 18 to 20: encrypted and compressed clusters.
extension AgentTests {
    static func key(_ byte: UInt8, size: Int) -> [UInt8] {
        (0..<size).map { byte &+ UInt8($0) }
    }

    static func base64(_ key: [UInt8]) -> String {
        Data(key).base64EncodedString()
    }

    @Test(
        "18a: with the same key a node of ours and an agent are one cluster",
        arguments: AgentBinary.all, [16, 24, 32])
    func encrypted(binary: AgentBinary, size: Int) async throws {
        try await Rig.run(binary) { rig in
            let key = Self.key(7, size: size)
            let agent = try await rig.agent("agent") { $0.encrypt = Self.base64(key) }
            let node = try await rig.node("node") { $0.keys = [key] }
            try await node.join([agent.endpoint])
            let both = ["agent": "alive", "node": "alive"]
            try await wait(until: [agent, node], list: both, within: .spread)
            try await Self.exchangeEvents(agent, node)

            let third = try await rig.node("third") { $0.keys = [key] }
            #expect(try await agent.ipc().join([third.endpoint]) == 1)
            let all = ["agent": "alive", "node": "alive", "third": "alive"]
            try await wait(until: [agent, node, third], list: all, within: .spread)
        }
    }

    /// An event each way, over gossip.
    static func exchangeEvents(_ agent: AgentProcess, _ node: SwiftNode) async throws {
        let events = try await AgentEvents(of: agent, "user")
        let name = "from-\(node.name)-\(UInt32.random(in: 0 ... .max))"
        try await node.send(name, [1])
        try await eventually("the agent has the event \(name)", within: .spread) {
            events.userEvents.contains { $0.name == name }
        }
        let answer = "to-\(node.name)-\(UInt32.random(in: 0 ... .max))"
        try await agent.ipc().ask(.event(answer, payload: [2], mayCoalesce: false))
        try await eventually("the node has the event \(answer)", within: .spread) {
            node.userEvents.contains { $0.name == answer }
        }
    }

    @Test(
        "18b: keyring files of an agent and of a node of ours are the same",
        arguments: AgentBinary.all)
    func keyringFiles(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let keys = [Self.key(1, size: 16), Self.key(9, size: 32)]
            let text = try JSONEncoder().encode(keys.map(Self.base64))
            var files: [String] = []
            for name in ["agent", "node"] {
                let file = rig.folder.appending(path: "\(name).keyring").path
                let isWritten = FileManager.default.createFile(
                    atPath: file, contents: text, attributes: [.posixPermissions: 0o600])
                try #require(isWritten)
                files.append(file)
            }
            let agent = try await rig.agent("agent") { $0.keyringFile = files[0] }
            let node = try await rig.node("node") { $0.keyringFile = files[1] }
            try await node.join([agent.endpoint])
            let all = ["agent": "alive", "node": "alive"]
            try await wait(until: [agent, node], list: all, within: .spread)
            let third = Self.key(42, size: 24)
            #expect(try await node.keys(.install(third)).isComplete)
            #expect(try await node.keys(.use(third)).isComplete)
            let expected = [third] + keys
            try await eventually("both files have the new key first", within: .spread) {
                for file in files {
                    let data = try Data(contentsOf: URL(filePath: file))
                    let written = try JSONDecoder().decode([String].self, from: data)
                    guard written.first == Self.base64(third),
                        Set(written) == Set(expected.map(Self.base64))
                    else { return false }
                }
                return true
            }
        }
    }

    @Test(
        "18c: without the key, or with another one, nobody comes in on either side",
        arguments: AgentBinary.all)
    func wrongKeys(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let right = Self.key(3, size: 32)
            let wrong = Self.key(4, size: 32)
            let agent = try await rig.agent("agent") { $0.encrypt = Self.base64(right) }
            let node = try await rig.node("node") { $0.keys = [right] }
            let plainAgent = try await rig.agent("plain-agent")
            let wrongAgent = try await rig.agent("wrong-agent") { $0.encrypt = Self.base64(wrong) }
            let plainNode = try await rig.node("plain-node")
            let wrongNode = try await rig.node("wrong-node") { $0.keys = [wrong] }
            try await node.join([agent.endpoint])
            for outsider in [plainAgent, wrongAgent] {
                await #expect(throws: SerfIPC.Refused.self) {
                    try await outsider.ipc().join([node.endpoint])
                }
            }
            for outsider in [plainNode, wrongNode] {
                await #expect(throws: MembershipError.self) {
                    try await outsider.join([agent.endpoint])
                }
                await #expect(throws: MembershipError.self) {
                    try await outsider.join([node.endpoint])
                }
            }
            await #expect(throws: MembershipError.self) {
                try await node.join([plainAgent.endpoint])
            }
            let both = ["agent": "alive", "node": "alive"]
            try await always([agent, node], list: both, for: .seconds(3))
            for alone in [plainAgent, wrongAgent] as [any Watcher] + [plainNode, wrongNode] {
                #expect(try await alone.view() == [alone.name: "alive"])
            }
            #expect(node.log.containing(Self.base64(right)).isEmpty)
        }
    }

    @Test(
        "19: keys are rotated from an agent and from a node of ours, with all members answering",
        arguments: AgentBinary.all)
    func rotation(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let keys = [
                Self.key(10, size: 16), Self.key(60, size: 32), Self.key(110, size: 24),
            ]
            let agent = try await rig.agent("agent") { $0.encrypt = Self.base64(keys[0]) }
            let other = try await rig.agent("other") { $0.encrypt = Self.base64(keys[0]) }
            let node = try await rig.node("node") { $0.keys = [keys[0]] }
            try await other.ipc().join([agent.endpoint])
            try await node.join([agent.endpoint])
            let all = ["agent": "alive", "other": "alive", "node": "alive"]
            try await wait(until: [agent, other, node], list: all, within: .spread)

            func byAgent(_ change: String, _ key: [UInt8]) async throws {
                let finished = try await agent.command("keys", [change, Self.base64(key)])
                #expect(finished.status == 0, "\(change): \(finished.output)")
            }
            func counts(_ expected: [[UInt8]]) async throws {
                let listed = try await agent.ipc().ask(.listKeys)
                #expect(listed?["NumErr"]?.integer == 0)
                #expect(listed?["NumResp"]?.integer == 3)
                let wanted = Dictionary(
                    uniqueKeysWithValues: expected.map { (Self.base64($0), 3) })
                #expect(listed?["Keys"]?.countMap == wanted)
                let report = try await node.keys(.list)
                #expect(report.isComplete)
                #expect(report.memberCount == 3)
                #expect(
                    Dictionary(report.keys.map { ($0.key, $0.count) }) { $1 } == wanted)
            }
            try await counts([keys[0]])
            try await byAgent("-install", keys[1])
            try await counts([keys[0], keys[1]])
            try await byAgent("-use", keys[1])
            try await byAgent("-remove", keys[0])
            try await counts([keys[1]])
            try await Self.exchangeEvents(agent, node)

            for change in [
                KeyCommand.install(keys[2]), .use(keys[2]), .remove(keys[1]),
            ] {
                let report = try await node.keys(change)
                #expect(report.isComplete, "\(change): \(report)")
                #expect(report.answers.count == 3)
            }
            try await counts([keys[2]])
            try await Self.exchangeEvents(agent, node)
            let refused = try await node.keys(.remove(keys[2]))
            #expect(refused.errorCount == 3)
            let printed = try await agent.command("keys", ["-list"])
            #expect(printed.output.contains("[3/3]"), "\(printed.output)")
            #expect(try await agent.view() == all)
            #expect(node.names(of: .failed).isEmpty)
        }
    }

    @Test(
        "20: members that compress and members that do not understand each other",
        arguments: AgentBinary.all)
    func compression(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            for agentCompresses in [true, false] {
                for nodeCompresses in [true, false] {
                    let name = "\(agentCompresses)-\(nodeCompresses)"
                    let agent = try await rig.agent("agent-\(name)") {
                        $0.compresses = agentCompresses
                        $0.tags = ["text": String(repeating: "a", count: 300)]
                    }
                    let node = try await rig.node("node-\(name)") {
                        $0.compresses = nodeCompresses
                        $0.tags = ["text": String(repeating: "b", count: 300)]
                    }
                    try await node.join([agent.endpoint])
                    let both = [agent.name: "alive", node.name: "alive"]
                    try await wait(until: [agent, node], list: both, within: .spread)
                    try await Self.exchangeEvents(agent, node)
                    try await agent.answer("echo", with: Array(repeating: 0x61, count: 400))
                    let result = try await node.query(
                        QueryRequest(
                            name: "echo", payload: Array(repeating: 0x62, count: 400),
                            nodes: [agent.name], timeout: .seconds(1)))
                    #expect(result.responses.map(\.from) == [agent.name])
                    #expect(result.responses.first?.payload.count == 400)
                }
            }
        }
    }
}
