// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import CordwoodTesting
import Foundation
import Testing

@testable import Commands

@Suite("topic and bench")
struct TopicVerbTests {
    private func run(
        _ server: CordwoodServer, _ arguments: String..., typing: String? = nil
    ) async -> (status: ProgramStatus, captured: CapturedSession) {
        let captured = CapturedSession(
            input: Array((typing ?? "").utf8), isTerminal: typing != nil,
            environment: ["CORDWOOD_SERVER": server.address])
        return (await Program.run(arguments, in: captured.session), captured)
    }

    @Test("a topic is created with settings as people write them, and is listed and described")
    func create() async throws {
        try await withCordwood { server in
            let made = await run(
                server, "topic", "create", "orders", "-p", "3", "--set", "retention.ms=7d",
                "--set", "segment.bytes=64MiB", "--set", "durability=interval(2s)")
            #expect(made.status == .success, "\(made.captured.talk)")
            let topic = try await server.client.describeTopic("orders").topic
            #expect(topic.partitionCount == 3)
            #expect(topic[setting: "retention.ms"] == "604800000")
            #expect(topic[setting: "segment.bytes"] == "67108864")
            #expect(topic[setting: "durability"] == "interval(2000)")

            let list = await run(server, "topic", "list")
            #expect(list.captured.output.contains("retention.ms=7d"))
            let all = try await run(server, "topic", "list", "-o", "json").captured.json()
            let row = try #require((all as? [[String: Any]])?.last)
            #expect(row["topic"] as? String == "orders")
            #expect(row["partitions"] as? Int == 3)

            let described =
                try await run(server, "topic", "describe", "orders", "-o", "json")
                .captured.json() as? [String: Any]
            #expect((described?["partition_states"] as? [[String: Any]])?.count == 3)
            let table = await run(server, "topic", "describe", "orders").captured.output
            #expect(table.contains("PARTITION  STATE"))
            #expect(table.contains("64MiB"))
        }
    }

    @Test("a topic that exists is refused, or let be")
    func exists() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            #expect(await run(server, "topic", "create", "orders").status == .failed)
            let lenient = await run(server, "topic", "create", "orders", "--if-not-exists")
            #expect(lenient.status == .success)
        }
    }

    @Test("a dry run creates nothing")
    func dryRun() async throws {
        try await withCordwood { server in
            #expect(await run(server, "topic", "create", "orders", "--dry-run").status == .success)
            #expect(await run(server, "topic", "describe", "orders").status == .notFound)
        }
    }

    @Test("settings are changed and put back")
    func config() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            let set = await run(server, "topic", "config", "orders", "--set", "retention.ms=1h")
            #expect(set.captured.output.contains("retention.ms       1h      topic"))
            let reset = await run(
                server, "topic", "config", "orders", "--reset", "retention.ms", "-o", "jsonl")
            #expect(
                reset.captured.output.contains(
                    #"{"setting":"retention.ms","value":"-1","source":"default"}"#))
            let unknown = await run(server, "topic", "config", "orders", "--set", "colour=red")
            #expect(unknown.status == .failed)
            #expect(unknown.captured.talk.contains("[CW-1013]"))
        }
    }

    @Test("deleting is confirmed with --yes or with the name, and with nothing else")
    func delete() async throws {
        try await withCordwood(topics: ["a", "b", "c"]) { server in
            let asked = await run(server, "topic", "delete", "a")
            #expect(asked.status == .usage)
            #expect(asked.captured.talk.contains("[CW-6004]"))
            #expect(asked.captured.talk.contains("try: cordwood topic delete a --yes"))
            #expect(await run(server, "topic", "delete", "a", typing: "b\n").status == .usage)
            #expect(await run(server, "topic", "describe", "a").status == .success)

            let typed = await run(server, "topic", "delete", "a", typing: "a\n")
            #expect(typed.status == .success)
            #expect(typed.captured.talk.contains("deletes a and its 0 records"))
            #expect(await run(server, "topic", "delete", "b", "--yes").status == .success)
            #expect(await run(server, "topic", "describe", "a").status == .notFound)
            #expect(await run(server, "topic", "describe", "b").status == .notFound)
            #expect(await run(server, "topic", "delete", "b", "--yes").status == .notFound)
        }
    }

    @Test("trimming deletes what stands before a place")
    func trim() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            for text in ["1", "2", "3"] { try await server.client.produce("orders", value: text) }
            #expect(await run(server, "topic", "trim", "orders", "--before", "-1").status == .usage)
            let trimmed = await run(
                server, "topic", "trim", "orders", "--before", "-1", "--yes", "-o", "jsonl")
            #expect(trimmed.captured.output == "{\"partition\":0,\"start\":2,\"deleted\":2}\n")
            #expect(await run(server, "consume", "orders").captured.output == "3\n")
        }
    }

    @Test("a measurement gives rates and latencies and leaves no topic behind")
    func bench() async throws {
        try await withCordwood { server in
            let before = try await server.client.listTopics().count
            for name in ["produce", "consume"] {
                let measured = await run(
                    server, "bench", name, "--records", "2000", "--partitions", "2", "-o", "json")
                #expect(measured.status == .success, "\(measured.captured.talk)")
                let object = try #require(try measured.captured.json() as? [String: Any])
                #expect(object["records"] as? Int == 2000)
                #expect(object["bytes"] as? Int == 200_000)
                #expect(object["latency_ms_p50"] is NSNumber)
            }
            #expect(try await server.client.listTopics().count == before)
        }
    }

    @Test("a percentile is the time within which so many of a hundred came")
    func percentiles() {
        let result = BenchResult(
            name: "x", records: 1, bytes: 1, time: .seconds(1),
            latencies: (1...200).map { .milliseconds($0) }, latencyOf: "x")
        #expect(result.percentile(50) == .milliseconds(100))
        #expect(result.percentile(99) == .milliseconds(198))
        #expect(result.percentile(100) == .milliseconds(200))
    }
}
