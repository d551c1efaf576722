// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import CordwoodTesting
import Foundation
import Testing

@testable import Commands

@Suite("members", .timeLimit(.minutes(2)))
struct MembersVerbTests {
    private static let gossip = ["gossip.bind": "127.0.0.1:0", "gossip.profile": "local"]

    private func run(
        _ server: CordwoodServer, _ arguments: String..., input: String = "",
        isTerminal: Bool = false
    ) async -> (status: ProgramStatus, captured: CapturedSession) {
        let captured = CapturedSession(
            input: Array(input.utf8), isTerminal: isTerminal,
            environment: ["CORDWOOD_SERVER": server.address])
        return (await Program.run(["members"] + arguments, in: captured.session), captured)
    }

    private func withServer(
        _ settings: [String: String] = [:], _ body: (CordwoodServer) async throws -> Void
    ) async throws {
        try await withCordwood(settings: Self.gossip.merging(settings) { $1 }, body)
    }

    @Test("members are listed as a table and as JSON, and by status")
    func list() async throws {
        try await withServer { server in
            let table = await run(server, "list")
            #expect(table.status == .success)
            #expect(table.captured.output.hasPrefix("MEMBER  STATUS  "))
            #expect(table.captured.output.contains("\ntest    alive   "))
            let rows = try #require(
                try await run(server, "list", "-o", "json").captured.json() as? [[String: Any]])
            let row = try #require(rows.first)
            #expect(rows.count == 1)
            #expect(row["member"] as? String == "test")
            #expect(row["grpc"] as? String == server.address)
            #expect(row["is_server"] as? Bool == true)
            #expect(row["is_local"] as? Bool == true)
            #expect((row["tags"] as? [String: String])?["cluster"] == "cordwood")
            #expect(row["admin"] is NSNull)
            let failed = await run(server, "list", "--status", "failed", "-o", "jsonl")
            #expect(failed.status == .success && failed.captured.output.isEmpty)
            let wrong = await run(server, "list", "--status", "dead")
            #expect(wrong.status == .usage)
            #expect(wrong.captured.talk.contains("alive, leaving, left or failed"))
        }
    }

    @Test("a server without gossip says so, and what is asked of it ends with 6")
    func off() async throws {
        try await withCordwood { server in
            let list = await run(server, "list")
            #expect(list.status == .success)
            #expect(list.captured.talk.contains("gossip is off"))
            let event = await run(server, "event", "x")
            #expect(event.status == .unavailable)
            #expect(event.captured.talk.contains("[CW-3007]"))
        }
    }

    @Test("an address that does not answer, and a member that is not there, end as what they are")
    func refusals() async throws {
        try await withServer { server in
            let join = await run(server, "join", "127.0.0.1:1")
            #expect(join.status == .unavailable)
            #expect(join.captured.talk.contains("[CW-3008]"))
            #expect(await run(server, "force-leave", "nobody").status == .notFound)
            #expect(await run(server, "rtt", "nobody").status == .notFound)
            #expect(await run(server, "join").status == .usage)
        }
    }

    @Test("leaving asks first, and only then is done")
    func leave() async throws {
        try await withServer { server in
            let asked = await run(server, "leave")
            #expect(asked.status == .usage)
            #expect(asked.captured.talk.contains("cordwood members leave --yes"))
            let before = try await server.client.listMembers().gossip.state
            #expect(before == "running")
            let left = await run(server, "leave", input: "leave\n", isTerminal: true)
            #expect(left.status == .success)
            let after = try await server.client.listMembers().gossip.state
            #expect(after == "left")
        }
    }

    @Test("a query shows who acknowledged, and a check of reachability who did not")
    func questions() async throws {
        try await withServer { server in
            let query = await run(server, "query", "uptime", "--wait", "200ms", "-o", "json")
            #expect(query.status == .success, "\(query.captured.talk)")
            let rows = try #require(try query.captured.json() as? [[String: Any]])
            #expect(rows.first?["member"] as? String == "test")
            #expect(rows.first?["acknowledged"] as? Bool == true)
            #expect(rows.first?["answer"] is NSNull)
            #expect(query.captured.talk.contains("1 acknowledgement, 0 answers"))
            let silent = await run(
                server, "query", "uptime", "--no-ack", "--wait", "100ms", "--tag", "id=^$")
            #expect(silent.captured.output.isEmpty)
            #expect(await run(server, "query", "a", "--tag", "role").status == .usage)
            let twice = await run(server, "query", "a", "--tag", "r=1", "--tag", "r=2")
            #expect(twice.status == .usage)
            let reached = await run(server, "reachability", "-o", "jsonl")
            #expect(reached.status == .success)
            #expect(reached.captured.output.contains(#""member":"test","reachable":true"#))
        }
    }

    @Test("an event's payload is an argument, or the standard input")
    func event() async throws {
        try await withServer { server in
            let argument = await run(server, "event", "deploy", "v1.2.3")
            #expect(argument.status == .success)
            #expect(argument.captured.talk.contains("sent deploy, 6 bytes"))
            let piped = await run(server, "event", "deploy", "-", input: "from a pipe")
            #expect(piped.captured.talk.contains("sent deploy, 11 bytes"))
            let large = await run(
                server, "event", "deploy", "-", input: String(repeating: "x", count: 600))
            #expect(large.status == .failed)
            #expect(large.captured.talk.contains("[CW-1001]"))
        }
    }

    @Test("keys come from a file or a pipe, and are shown as fingerprints")
    func keys() async throws {
        let old = Data(repeating: 1, count: 32).base64EncodedString()
        let new = Data(repeating: 2, count: 32).base64EncodedString()
        try await withFile(Array(old.utf8)) { path in
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            try await withServer(["gossip.keys.file": path]) { server in
                let list = await run(server, "keys", "list")
                #expect(
                    list.captured.output == """
                        FINGERPRINT       MEMBERS  PRIMARY-AT
                        72cd6e8422c407fb      1/1         1/1

                        """)
                let installed = await run(server, "keys", "install", input: new + "\n")
                #expect(installed.status == .success, "\(installed.captured.talk)")
                #expect(installed.captured.talk.contains("installed at 1 member"))
                let used = await run(server, "keys", "use", input: new)
                #expect(used.status == .success)
                let removed = await run(server, "keys", "remove", "--file", path)
                #expect(removed.status == .success)
                let json = try #require(
                    try await run(server, "keys", "list", "-o", "json").captured.json()
                        as? [[String: Any]])
                #expect(json.count == 1)
                #expect(json.first?["primary_at"] as? Int == 1)

                let primary = await run(server, "keys", "remove", input: new)
                #expect(primary.status == .failed)
                #expect(primary.captured.talk.contains("[CW-3010]"))
                let noKey = await run(server, "keys", "install", input: "no key\n")
                #expect(noKey.status == .failed)
                #expect(!noKey.captured.talk.contains("no key\n"))
                let typed = await run(server, "keys", "install", isTerminal: true)
                #expect(typed.status == .usage)
            }
        }
    }
}
