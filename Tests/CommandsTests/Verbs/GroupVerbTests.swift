// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import CordwoodTesting
import Foundation
import Testing

@testable import Commands

@Suite("group", .timeLimit(.minutes(2)))
struct GroupVerbTests {
    private func run(
        _ server: CordwoodServer, _ arguments: String..., typing: String? = nil
    ) async -> (status: ProgramStatus, captured: CapturedSession) {
        let captured = CapturedSession(
            input: Array((typing ?? "").utf8), isTerminal: typing != nil,
            environment: ["CORDWOOD_SERVER": server.address])
        return (await Program.run(["group"] + arguments, in: captured.session), captured)
    }

    /// Produces records that are so many seconds old.
    private func produce(_ server: CordwoodServer, ages: Int64...) async throws {
        for age in ages {
            let time = Timestamp(milliseconds: Session.clock().rawValue - age * 1000)
            try await server.client.produce("orders", Record("x", timestamp: time))
        }
    }

    @Test("groups are listed, and by state")
    func list() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            let none = await run(server, "list")
            #expect(none.status == .success)
            #expect(none.captured.talk.contains("there are no groups"))
            try await server.client.resetOffsets(
                of: "billing", topics: ["orders"], to: .position(.start))
            let table = await run(server, "list").captured.output
            #expect(table.contains("GROUP    STATE  MEMBERS"))
            #expect(table.contains("billing  Empty        0"))
            let row = try #require(
                try await run(server, "list", "-o", "json").captured.json() as? [[String: Any]])
            #expect(row.first?["group"] as? String == "billing")
            #expect(row.first?["members"] as? Int == 0)
            #expect(row.first?["coordinator_address"] as? String == server.address)
            let stable = await run(server, "list", "--state", "stable")
            #expect(stable.captured.output.isEmpty)
            #expect(await run(server, "list", "--state", "empty").captured.output == table)
            let wrong = await run(server, "list", "--state", "happy")
            #expect(wrong.status == .usage)
            #expect(wrong.captured.talk.contains("preparing-rebalance"))
        }
    }

    @Test("a group's lag is told in records and seconds, a partition and in all")
    func lag() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            try await produce(server, ages: 300, 200, 100)
            try await server.client.resetOffsets(
                of: "billing", topics: ["orders"], to: .position(.offset(Offset(1))))
            let table = await run(server, "lag", "billing")
            #expect(table.status == .success, "\(table.captured.talk)")
            #expect(table.captured.output.contains("LAG-RECORDS  LAG-SECONDS"))
            #expect(table.captured.output.contains("total: 2 records, the oldest 3 min 2"))

            let object = try #require(
                try await run(server, "lag", "billing", "-o", "json").captured.json()
                    as? [String: Any])
            #expect(object["lag_records"] as? Int == 2)
            let seconds = try #require(object["lag_seconds"] as? Double)
            #expect((200..<300).contains(seconds))
            let partition = try #require((object["partitions"] as? [[String: Any]])?.first)
            #expect(partition["committed"] as? Int == 1)
            #expect(partition["end"] as? Int == 3)
            #expect(partition["lag_records"] as? Int == 2)

            try await server.client.resetOffsets(
                of: "audit", topics: ["orders"], to: .position(.end))
            let all = await run(server, "lag", "--all").captured.output
            #expect(all.contains("GROUP    STATE  PARTITIONS  LAG-RECORDS  LAG-SECONDS\n"))
            #expect(all.contains("audit    Empty           1            0          0.0"))
            let lines = await run(server, "lag", "--all", "-o", "jsonl").captured.output
            #expect(lines.split(separator: "\n").count == 2)
            #expect(lines.hasPrefix(#"{"group":"audit""#))
            let array = try await run(server, "lag", "--all", "-o", "json").captured.json()
            #expect((array as? [[String: Any]])?.count == 2)
        }
    }

    @Test("lag is shown again and again until that is cancelled, which is no failure")
    func watch() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            try await server.client.resetOffsets(
                of: "billing", topics: ["orders"], to: .position(.start))
            let captured = CapturedSession(environment: ["CORDWOOD_SERVER": server.address])
            let arguments = ["group", "lag", "billing", "--watch", "1ms", "-o", "jsonl"]
            let watching = Task { await Program.run(arguments, in: captured.session) }
            while captured.output.count(where: { $0 == "\n" }) < 3 { await Task.yield() }
            watching.cancel()
            #expect(await watching.value == .success)
            #expect(captured.talk.isEmpty)
        }
    }

    @Test("lag is asked of one group or of all")
    func lagUsage() async throws {
        try await withCordwood { server in
            #expect(await run(server, "lag").status == .usage)
            #expect(await run(server, "lag", "a", "--all").status == .usage)
            let missing = await run(server, "lag", "a")
            #expect(missing.status == .notFound)
            #expect(missing.captured.talk.contains("[CW-1016]"))
            #expect(missing.captured.talk.contains("try: "))
            #expect(await run(server, "lag", "--all").status == .success)
        }
    }

    @Test("a group is described with its state and offsets")
    func describe() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            try await produce(server, ages: 10)
            try await server.client.resetOffsets(
                of: "billing", topics: ["orders"], to: .position(.start))
            let table = await run(server, "describe", "billing").captured.output
            #expect(table.contains("billing  Empty, 0 members, generation"))
            #expect(table.contains("TOPIC   PARTITION  COMMITTED  END"))
            let object = try #require(
                try await run(server, "describe", "billing", "-o", "json").captured.json()
                    as? [String: Any])
            #expect(object["state"] as? String == "Empty")
            #expect((object["members"] as? [Any])?.isEmpty == true)
            #expect((object["offsets"] as? [[String: Any]])?.first?["topic"] as? String == "orders")
            #expect(await run(server, "describe", "nobody").status == .notFound)
        }
    }

    @Test("a reset is shown, then confirmed, then done")
    func reset() async throws {
        try await withCordwood(topics: [TestTopic("orders", partitions: 2)]) { server in
            let dry = await run(
                server, "reset", "billing", "--topic", "orders", "--to", "start", "--dry-run")
            #expect(dry.status == .success, "\(dry.captured.talk)")
            #expect(dry.captured.talk.contains("nothing was changed"))
            #expect(await run(server, "describe", "billing").status == .notFound)

            let asked = await run(server, "reset", "billing", "-t", "orders", "--to", "start")
            #expect(asked.status == .usage)
            #expect(asked.captured.talk.contains("[CW-6004]"))
            let typed = await run(
                server, "reset", "billing", "-t", "orders", "--to", "start", typing: "billing\n")
            #expect(typed.status == .success, "\(typed.captured.talk)")
            #expect(typed.captured.talk.contains("moves billing to other offsets in 2 partitions"))

            for value in ["1", "2", "3"] {
                try await server.client.produce("orders", key: "k", value: value)
            }
            let moved = try await server.client.listOffsets("orders", at: .end)
            let full = try #require(moved.first { $0.offset > .zero }).partition
            let last = await run(
                server, "reset", "billing", "-t", "orders", "-p", "\(full)", "--to", "-1", "--yes",
                "-o", "jsonl")
            #expect(
                last.captured.output
                    == #"{"topic":"orders","partition":\#(full),"before":0,"after":2}"# + "\n")
            let back = await run(
                server, "reset", "billing", "--shift", "-1", "--yes", "-o", "jsonl")
            #expect(
                back.captured.output.contains(#""partition":\#(full),"before":2,"after":1}"#))
            let ago = await run(
                server, "reset", "billing", "--to", "@-1h", "--yes", "-o", "jsonl")
            #expect(ago.captured.output.contains(#""partition":\#(full),"before":1,"after":0}"#))
        }
    }

    @Test("a reset that says too little, too much or of what is not there is refused")
    func resetUsage() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            #expect(await run(server, "reset", "g", "-t", "orders").status == .usage)
            let both = await run(server, "reset", "g", "--to", "end", "--shift", "1")
            #expect(both.status == .usage)
            #expect(await run(server, "reset", "g", "-p", "0", "--to", "end").status == .usage)
            #expect(await run(server, "reset", "g", "--to", "elsewhere").status == .usage)
            let unknown = await run(server, "reset", "g", "--to", "end", "--yes")
            #expect(unknown.status == .notFound)
            let topic = await run(server, "reset", "g", "-t", "no", "--to", "end", "--yes")
            #expect(topic.status == .notFound)
            #expect(topic.captured.talk.contains("[CW-1002]"))
            let partition = await run(
                server, "reset", "g", "-t", "orders", "-p", "7", "--to", "end", "--yes")
            #expect(partition.captured.talk.contains("[CW-1006]"))
        }
    }

    @Test("deleting a group is confirmed with --yes or with its name")
    func delete() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            for name in ["a", "b"] {
                try await server.client.resetOffsets(
                    of: name, topics: ["orders"], to: .position(.start))
            }
            #expect(await run(server, "delete", "a").status == .usage)
            #expect(await run(server, "delete", "a", typing: "b\n").status == .usage)
            let typed = await run(server, "delete", "a", typing: "a\n")
            #expect(typed.status == .success, "\(typed.captured.talk)")
            #expect(typed.captured.talk.contains("deletes a and its 1 committed offset."))
            #expect(await run(server, "delete", "b", "--yes").status == .success)
            #expect(await run(server, "delete", "b", "--yes").status == .notFound)
            #expect(await run(server, "list", "-o", "json").captured.output == "[]\n")
        }
    }

    @Test("offsets of one topic are deleted, and the group stays")
    func deleteOffsets() async throws {
        try await withCordwood(topics: ["orders", "logs"]) { server in
            try await server.client.resetOffsets(
                of: "billing", topics: ["orders", "logs"], to: .position(.start))
            let asked = await run(server, "delete", "billing", "--topic", "orders")
            #expect(asked.status == .usage)
            #expect(
                asked.captured.talk.contains(
                    "try: cordwood group delete billing --topic orders --yes"))
            let done = await run(server, "delete", "billing", "--topic", "orders", "--yes")
            #expect(done.status == .success, "\(done.captured.talk)")
            #expect(done.captured.talk.contains("deleted 1 committed offset of billing"))
            let left = try await server.client.describeGroup("billing").offsets
            #expect(left.map(\.topic) == ["logs"])
            let again = await run(server, "delete", "billing", "--topic", "orders", "--yes")
            #expect(again.status == .success)
            #expect(again.captured.talk.contains("has committed no offset of orders"))
        }
    }
}
