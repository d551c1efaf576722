// SPDX-License-Identifier: Apache-2.0

import Agent
import CordwoodClient
import Faults
import Foundation
import Logging
import PosixDisk
import Testing

@testable import Commands

@Suite("dev, serve, config and debug")
struct ServerVerbTests {
    private func run(
        _ arguments: String..., environment: [String: String] = [:]
    ) async -> (status: ProgramStatus, captured: CapturedSession) {
        let captured = CapturedSession(environment: environment)
        return (await Program.run(arguments, in: captured.session), captured)
    }

    /// Runs a server on a folder for the length of a closure.
    private func withServer(
        on folder: String, _ body: (CordwoodClient) async throws -> Void
    ) async throws {
        var settings = Settings.development
        settings.dataDirectory = folder
        settings.listen.grpcAddress = ListenAddress(host: "127.0.0.1", port: 0)
        settings.listen.kafkaAddress = ListenAddress(host: "127.0.0.1", port: 0)
        settings.gossip.bind = nil
        settings.disk.lowBytes = 0
        settings.disk.criticalBytes = 0
        let node = try await Node.start(
            settings: settings, fileSystem: PosixFileSystem(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await node.run() }
            defer { node.stop() }
            try await CordwoodClient.withClient(.init(server: "\(node.grpcAddress)"), body)
            node.stop()
            try await group.waitForAll()
        }
    }

    // MARK: - Settings

    @Test("flags stand above variables, and those above the file")
    func layers() async throws {
        try await withFile(Array("log:\n  level: debug\nnode.id: filed\n".utf8)) { path in
            let shown = await run(
                "config", "show", "--config", path, "--changed", "--data-dir", "/d", "-o", "json",
                environment: ["CORDWOOD_NODE_ID": "named"])
            let shownRows = try shown.captured.json() as? [[String: String]]
            let rows = try #require(shownRows)
            #expect(rows.count == 3)
            #expect(rows.contains { $0["key"] == "node.id" && $0["value"] == "named" })
            #expect(rows.contains { $0["value"] == "/d" && $0["source"] == "flag" })
            #expect(rows.contains { $0["source"]?.hasSuffix(":2") == true })
        }
    }

    @Test("the file is taken from the environment where no flag names one")
    func fileVariable() async throws {
        try await withFile(Array("node.id: filed\n".utf8)) { path in
            let shown = await run(
                "config", "show", "--changed", "-o", "jsonl",
                environment: ["CORDWOOD_CONFIG": path])
            #expect(shown.captured.output.contains(#""value":"filed""#))
        }
    }

    @Test("a check says everything that is wrong, each in three lines, and ends with 1")
    func check() async throws {
        try await withFile(Array("log.levle: debug\ndisk.low: much\n".utf8)) { path in
            let checked = await run("config", "check", "--config", path)
            #expect(checked.status == .failed)
            #expect(checked.captured.talk.contains("[CW-4001]"))
            #expect(checked.captured.talk.contains("Did you mean log.level?"))
            #expect(checked.captured.talk.contains("[CW-4002]"))
            let json = await run("config", "check", "--config", path, "-o", "json")
            let faults = try json.captured.json() as? [[String: String]]
            #expect(faults?.count == 2)
        }
    }

    @Test("the example is in order")
    func example() async throws {
        let example = await run("config", "example")
        try await withFile(example.captured.bytes) { path in
            let checked = await run("config", "check", "--config", path)
            #expect(checked.status == .success, "\(checked.captured.talk)")
        }
    }

    @Test("serve refuses settings that cannot be, before it touches anything")
    func refused() async {
        let served = await run("serve", "--set", "disk.low=much", "--data-dir", "/nowhere/at/all")
        #expect(served.status == .failed)
        #expect(served.captured.talk.contains("[CW-4002]"))
        let open = await run("serve", "--listen", "0.0.0.0:0", "--data-dir", "/nowhere/at/all")
        #expect(open.status == .denied)
        #expect(open.captured.talk.contains("[CW-3004]"))
    }

    @Test("the ready line names the address, and the server where it is not the usual one")
    func ready() throws {
        var message = ReadyMessage(
            address: ListenAddress(host: "127.0.0.1", port: 8400), dataDirectory: "./.cordwood-dev",
            time: .milliseconds(48))
        let text = message.text(Style(isColoured: false))
        #expect(
            text.hasPrefix("✓ ready in 48 ms    grpc 127.0.0.1:8400    data in ./.cordwood-dev"))
        #expect(!text.contains("export"))
        message.address.port = 9000
        #expect(
            message.text(Style(isColoured: false)).contains(
                "  export CORDWOOD_SERVER=127.0.0.1:9000\n"))
    }

    // MARK: - Data

    @Test("wiping removes a server's data, and nobody else's")
    func wipe() async throws {
        try await withFolder { folder in
            try await withServer(on: folder) { client in
                try await client.createTopic("orders")
                #expect(throws: Fault.self) { try DevelopmentData.wipe(folder) }
            }
            try DevelopmentData.wipe(folder)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left == ["lock"])
            try await withServer(on: folder) { client in
                let names = try await client.listTopics().map(\.name)
                #expect(!names.contains("orders"))
            }
        }
        try await withFile([0x78]) { path in
            let folder = String(path.dropLast("/file".count))
            #expect(throws: Fault.self) { try DevelopmentData.wipe(folder) }
            #expect(FileManager.default.fileExists(atPath: path))
            try DevelopmentData.wipe(folder + "/nothing")
        }
    }

    @Test("verify finds sound logs sound, damage where it is, and repair gives up only that")
    func verifyAndRepair() async throws {
        try await withFolder { folder in
            try await withServer(on: folder) { client in
                try await client.createTopic("orders")
                for number in 0..<20 { try await client.produce("orders", value: "\(number)") }
            }
            let sound = await run("debug", "verify", folder)
            #expect(sound.status == .success, "\(sound.captured.talk)")
            #expect(sound.captured.talk.contains("logs sound"))

            let store = try #require(try Self.largestStore(in: folder + "/partitions"))
            var bytes = try Data(contentsOf: URL(fileURLWithPath: store))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(fileURLWithPath: store))

            let damaged = await run("debug", "verify", folder, "-o", "json")
            #expect(damaged.status == .unavailable)
            #expect(
                damaged.captured.talk.contains("1 log of 3 is damaged, 1 record cannot be read"))
            let rows = try #require(try damaged.captured.json() as? [[String: Any]])
            let harmed = rows.filter { $0["state"] as? String == "damaged" }
            #expect(harmed.map { $0["name"] as? String } == ["orders-0"])
            #expect(rows.first?["name"] as? String == "meta")
            let alone = await run("debug", "verify", try #require(harmed.first?["log"] as? String))
            #expect(alone.captured.output.contains("orders-0"))
            #expect(await run("debug", "dump-segment", store).status == .unavailable)

            #expect(await run("debug", "repair", folder).status == .usage)
            let repaired = await run("debug", "repair", folder, "--yes", "-o", "jsonl")
            #expect(repaired.status == .success, "\(repaired.captured.talk)")
            #expect(repaired.captured.output.contains("\"given_up\":1"))
            #expect(await run("debug", "verify", folder).status == .success)
            let again = await run("debug", "repair", folder)
            #expect(again.status == .success)
            #expect(again.captured.talk.contains("nothing is damaged"))
        }
    }

    @Test("a log that a server uses is left alone")
    func locked() async throws {
        try await withFolder { folder in
            try await withServer(on: folder) { _ in
                let verified = await run("debug", "verify", folder)
                #expect(verified.status == .failed)
                #expect(verified.captured.talk.contains("[CW-2005]"))
                let one = await run("debug", "verify", folder + "/meta")
                #expect(one.captured.talk.contains("[CW-2005]"))
            }
        }
    }

    @Test("a dump shows the header and each frame")
    func dump() async throws {
        try await withFolder { folder in
            try await withServer(on: folder) { client in
                try await client.createTopic("orders")
                for number in 0..<3 { try await client.produce("orders", value: "\(number)") }
            }
            let store = try #require(try Self.largestStore(in: folder + "/partitions"))
            let dumped = await run("debug", "dump-segment", store, "-o", "jsonl")
            #expect(dumped.status == .success)
            let lines = dumped.captured.output.split(separator: "\n")
            #expect(lines.first?.hasPrefix(#"{"kind":"header","position":0,"#) == true)
            #expect(lines.filter { $0.hasPrefix(#"{"kind":"batch","#) }.count == 3)
        }
    }

    private static func largestStore(in folder: String) throws -> String? {
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".store") }.map { folder + "/" + $0 }
        return try files.max { left, right in
            try Data(contentsOf: URL(fileURLWithPath: left)).count
                < Data(contentsOf: URL(fileURLWithPath: right)).count
        }
    }
}
