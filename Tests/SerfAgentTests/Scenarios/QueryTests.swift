// SPDX-License-Identifier: Apache-2.0

import Membership
import SerfCore
import Testing

/// Scenario 23: questions and answers.
extension AgentTests {
    /// Two agents and two nodes of ours, each with a tag, that answer "who" with their names.
    private func askable(
        _ rig: Rig
    ) async throws -> (agents: [AgentProcess], nodes: [SwiftNode]) {
        var agents: [AgentProcess] = []
        var nodes: [SwiftNode] = []
        for number in 1...2 {
            let agent = try await rig.agent("agent-\(number)") {
                $0.tags = ["kind": "agent", "zone": "zone-\(number)"]
            }
            let node = try await rig.node("node-\(number)") {
                $0.tags = ["kind": "node", "zone": "zone-\(number)"]
            }
            agents.append(agent)
            nodes.append(node)
        }
        for node in nodes { try await node.join([agents[0].endpoint]) }
        try await agents[1].ipc().join([nodes[0].endpoint])
        let all = ["agent-1", "agent-2", "node-1", "node-2"]
        try await wait(
            until: agents as [any Watcher] + nodes,
            list: Dictionary(uniqueKeysWithValues: all.map { ($0, "alive") }),
            within: .spread)
        for agent in agents { try await agent.answer("who", with: Array(agent.name.utf8)) }
        for node in nodes { node.answer("who", with: Array(node.name.utf8)) }
        return (agents, nodes)
    }

    /// Asks by an agent's IPC port and gathers what comes until the agent says that it is done.
    private func ask(
        _ agent: AgentProcess, _ request: IPCRequest
    ) async throws -> QueryResult {
        var result = QueryResult()
        for await record in try await agent.ipc().records(request) {
            let from = record["From"]?.text ?? ""
            // In the moment of its end an agent says that nobody has answered, many times.
            if from.isEmpty, record["Type"]?.text != "done" { continue }
            switch record["Type"]?.text {
            case "ack": result.acks.append(from)
            case "response":
                result.responses.append(
                    .init(from: from, payload: record["Payload"]?.bytes ?? []))
            default: return result
            }
        }
        throw Unexpected(description: "the query was not over when the connection was")
    }

    /// Nobody answers twice, or who was not asked; and of three questions, which gossip may lose, one
    /// is answered by all.
    private func check(
        _ one: Case, _ ask: (Case) async throws -> QueryResult
    ) async throws {
        var results: [QueryResult] = []
        while results.count < 3 {
            let result = try await ask(one)
            results.append(result)
            let (responses, acks) = (result.responses.map(\.from), result.acks)
            for names in [responses, acks] {
                #expect(Set(names).count == names.count, one.what)
                #expect(Set(names).isSubset(of: one.names), one.what)
            }
            for response in result.responses {
                #expect(response.payload == Array(response.from.utf8), one.what)
            }
            if responses.sorted() == one.names, acks.sorted() == (one.acks ? one.names : []) {
                return
            }
        }
        throw Unexpected(description: "\(one.what): \(results)")
    }

    private struct Case {
        var what: Comment
        var nodes: [String] = []
        var tags: [String: String] = [:]
        var acks = false
        var relay: UInt8 = 0
        var names = ["agent-1", "agent-2", "node-1", "node-2"]
    }

    @Test(
        "23a: a question reaches whom its filters let, and each answers once, relayed or not",
        arguments: AgentBinary.all)
    func queries(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let (agents, nodes) = try await askable(rig)
            let cases = [
                Case(what: "all"),
                Case(what: "acknowledged", acks: true),
                Case(
                    what: "by name", nodes: ["node-2", "agent-1"], acks: true,
                    names: ["agent-1", "node-2"]),
                Case(what: "by tag", tags: ["kind": "node"], names: ["node-1", "node-2"]),
                Case(
                    what: "by expression", tags: ["kind": "^a.*t$", "zone": "[1x]$"], acks: true,
                    names: ["agent-1"]),
                Case(what: "relayed by one", acks: true, relay: 1),
                Case(what: "relayed by two", acks: true, relay: 2),
                Case(what: "relayed by three", acks: true, relay: 3),
            ]
            for one in cases {
                async let byNode: Void = check(one) { one in
                    try await nodes[0].query(
                        QueryRequest(
                            name: "who", nodes: one.nodes, tags: one.tags, wantsAcks: one.acks,
                            relayFactor: one.relay, timeout: .seconds(1)))
                }
                async let byAgent: Void = check(one) { one in
                    try await ask(
                        agents[0],
                        .query(
                            "who", payload: [], nodes: one.nodes, tags: one.tags,
                            wantsAcks: one.acks, relayFactor: one.relay, timeout: .seconds(1)))
                }
                _ = try await (byNode, byAgent)
            }
        }
    }

    @Test(
        "23b: a question nobody answers ends in time, and one that is too large is refused",
        arguments: AgentBinary.all)
    func queryLimits(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let (agents, nodes) = try await askable(rig)
            let clock = ContinuousClock()
            let start = clock.now
            let silent = try await nodes[0].query(
                QueryRequest(name: "nobody-knows", wantsAcks: true, timeout: .milliseconds(800)))
            #expect(clock.now - start >= .milliseconds(800))
            #expect(clock.now - start < .seconds(3))
            #expect(silent.responses.isEmpty)
            #expect((1...4).contains(silent.acks.count))
            // Without a timeout of its own: 16 gossip intervals, for up to nine members.
            let before = clock.now
            _ = try await nodes[0].query(QueryRequest(name: "nobody-knows"))
            #expect(clock.now - before >= .milliseconds(3200))
            #expect(clock.now - before < .seconds(6))

            let large = Array(repeating: UInt8(0), count: 1100)
            await #expect(throws: MembershipError.self) {
                try await nodes[0].query(QueryRequest(name: "who", payload: large))
            }
            // Answers: the largest that fits comes, a larger one is refused on our side.
            nodes[1].answer("large", with: Array(repeating: 7, count: 900))
            nodes[0].answer("too-large", with: large)
            try await eventually("the large answer comes", within: .spread) {
                let fitting = try await ask(
                    agents[0], .query("large", payload: [], timeout: .seconds(1)))
                return fitting.responses.map(\.payload.count) == [900]
            }
            let refused = try await ask(
                agents[0], .query("too-large", payload: [], timeout: .seconds(1)))
            #expect(refused.responses.isEmpty)
        }
    }

    @Test(
        "23c: the agent's own commands find every member", arguments: AgentBinary.all)
    func queryCommands(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let (agents, nodes) = try await askable(rig)
            let names = ["agent-1", "agent-2", "node-1", "node-2"]
            try await eventually("serf query has all answers", within: .spread) {
                let asked = try await agents[0].command("query", ["-timeout=1s", "who"])
                return asked.status == 0
                    && names.allSatisfy { asked.output.contains("Response from '\($0)'") }
            }
            try await eventually("serf reachability reaches all", within: .spread) {
                let reached = try await agents[0].command("reachability")
                return reached.status == 0 && reached.output.contains("Successfully")
            }
            try await eventually("our own ping reaches all", within: .spread) {
                try await nodes[0].query(.ping).acks.sorted() == names
            }
        }
    }
}
