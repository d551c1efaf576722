// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import ClusterCore
import Faults
import Foundation
import Logging
import Telemetry
import Testing

@testable import Agent

/// A file of settings that is gone after the test.
private func withFile<Result>(
    _ text: String, _ body: (String) throws -> Result
) throws -> Result {
    let path = FileManager.default.temporaryDirectory
        .appending(path: "cordwood-settings-\(UUID().uuidString).yaml").path
    try Data(text.utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

private func faults(_ text: String) throws -> [Fault] {
    try withFile(text) { SettingsLoader(file: $0).check() }
}

@Suite("Settings")
struct SettingsLoaderTests {
    @Test("the defaults stand where nothing else does, and are valid")
    func defaults() throws {
        #expect(SettingsLoader().check().isEmpty)
        #expect(SettingsLoader(defaults: .development).check().isEmpty)
        let loaded = try SettingsLoader().load()
        #expect(loaded.settings == Settings())
        #expect(loaded.entries.allSatisfy { $0.source == .defaults })
    }

    @Test("every default is one that its own key takes")
    func defaultsRoundTrip() throws {
        for definition in SettingsTable.definitions {
            var settings = Settings()
            try definition.write(definition.read(Settings()), &settings)
            #expect(settings == Settings(), "\(definition.key)")
        }
    }

    @Test("a flag wins over a variable, a variable over the file, the file over the default")
    func precedence() throws {
        try withFile("log:\n  level: debug\n  format: text\nnode.id: from-file\n") { path in
            var loader = SettingsLoader(
                flags: ["node.id": "from-flag"],
                environment: [
                    "CORDWOOD_NODE_ID": "from-env", "CORDWOOD_LOG_FORMAT": "json", "HOME": "/",
                ],
                file: path)
            let loaded = try loader.load()
            #expect(loaded.settings.nodeID == "from-flag")
            #expect(loaded.settings.log.format == .json)
            #expect(loaded.settings.log.level == .debug)
            #expect(loaded.settings.dataDirectory == Settings().dataDirectory)

            let sources = Dictionary(
                uniqueKeysWithValues: loaded.entries.map { ($0.key, $0.source) })
            #expect(sources["node.id"] == .flag)
            #expect(sources["log.format"] == .environment(variable: "CORDWOOD_LOG_FORMAT"))
            #expect(sources["log.level"] == .file(path: path, line: 2))
            #expect(sources["data_dir"] == .defaults)

            loader.flags = [:]
            #expect(try loader.load().settings.nodeID == "from-env")
            loader.environment = [:]
            #expect(try loader.load().settings.nodeID == "from-file")
        }
    }

    @Test("every key can be set by its variable", arguments: SettingsTable.definitions.map(\.key))
    func variables(key: String) throws {
        let definition = try #require(SettingsTable.definitions.first { $0.key == key })
        let loaded = try SettingsLoader(
            environment: [definition.variable: definition.read(Settings())]
        ).load()
        #expect(
            loaded.entries.first { $0.key == key }?.source
                == .environment(variable: definition.variable))
        #expect(loaded.settings == Settings())
    }

    @Test("an unknown key is refused with its place and the nearest name")
    func unknownKey() throws {
        let faults = try faults("node:\n  id: a\nlisten:\n  grpc:\n    adress: 127.0.0.1:1\n")
        let fault = try #require(faults.first)
        #expect(faults.count == 1)
        #expect(fault.code == .unknownKey)
        #expect(fault.message.hasSuffix(".yaml:5: there is no key listen.grpc.adress"))
        #expect(fault.hint == "Did you mean listen.grpc.address?")
    }

    @Test("an unknown variable and an unknown flag are refused like keys")
    func unknownElsewhere() {
        let faults = SettingsLoader(
            flags: ["level": "debug"],
            environment: ["CORDWOOD_LOG_LEVLE": "debug", "CORDWOOD_CONFIG": "f"]
        ).check()
        #expect(faults.map(\.code) == [.unknownKey, .unknownKey])
        #expect(
            faults.map(\.hint) == ["Did you mean CORDWOOD_LOG_LEVEL?", "Did you mean log.level?"])
        let far = SettingsLoader(flags: ["zzzzzzzzzzzzzz": "1"]).check()
        #expect(far.first?.hint == nil)
    }

    @Test("variables that Kubernetes sets for a service called cordwood are left alone")
    func serviceLinks() {
        let names = [
            "CORDWOOD_SERVICE_HOST", "CORDWOOD_SERVICE_PORT_GRPC", "CORDWOOD_PORT",
            "CORDWOOD_PORT_8400_TCP_ADDR",
        ]
        let environment = Dictionary(uniqueKeysWithValues: names.map { ($0, "x") })
        #expect(SettingsLoader(environment: environment).check().isEmpty)
    }

    @Test(
        "a value of the wrong type or out of range is refused with what was expected",
        arguments: [
            ("limits.streams", "many"), ("limits.streams", "0"), ("limits.streams", "1.5"),
            ("limits.record", "1"), ("limits.record", "10XiB"), ("limits.record", "99999999TiB"),
            ("limits.handshake", "10"), ("limits.handshake", "-1s"), ("limits.handshake", "1d"),
            ("log.level", "loud"), ("log.format", "xml"), ("node.id", "a b"), ("node.id", ""),
            ("insecure_allow_plaintext", "maybe"), ("listen.grpc.address", "8400"),
            ("listen.grpc.address", "127.0.0.1:65536"), ("listen.grpc.address", "::1:80"),
            ("book.topic", "../../etc"), ("book.topic", ".."),
            ("topics.default.durability", "sometimes"),
            ("topics.default.durability", "interval(0)"),
            ("topics.default.retention.ms", "-2"), ("topics.default.segment.ms", "-1"),
        ])
    func badValues(key: String, text: String) throws {
        let faults = SettingsLoader(flags: [key: text]).check()
        let fault = try #require(faults.first)
        #expect(faults.count == 1)
        #expect(fault.code == .invalidValue)
        #expect(fault.message == "flag: \(key) cannot be '\(text)'")
        let definition = try #require(SettingsTable.definitions.first { $0.key == key })
        #expect(fault.hint == "Give \(definition.range).")
        #expect(throws: fault) { try SettingsLoader(flags: [key: text]).load() }
    }

    @Test("sizes, durations and Kafka's milliseconds are read as they are written")
    func goodValues() throws {
        let settings = try withFile(
            """
            topics:
              default:
                segment.bytes: 2MiB
                segment: {ms: 1h30m}
                retention.ms: 60000
                retention.bytes: 10GiB
                durability: interval(250)
            limits: {record: 1024KiB, handshake: 1500ms}
            listen.grpc.address: "[::1]:0"
            insecure_allow_plaintext: yes
            """
        ) { try SettingsLoader(file: $0).load().settings }
        #expect(settings.topicDefaults.segmentBytes == 2 << 20)
        #expect(settings.topicDefaults.segmentMilliseconds == 5_400_000)
        #expect(settings.topicDefaults.retentionMilliseconds == 60_000)
        #expect(settings.topicDefaults.retentionBytes == 10 << 30)
        #expect(settings.topicDefaults.durability == .interval(milliseconds: 250))
        #expect(settings.limits.recordBytes == 1 << 20)
        #expect(settings.limits.messageBytes == (1 << 20) + (64 << 10))
        #expect(settings.limits.handshake == .milliseconds(1500))
        #expect(settings.listen.grpcAddress == ListenAddress(host: "::1", port: 0))
        #expect(settings.listen.insecureAllowPlaintext)
        #expect(settings.broker.topicDefaults == settings.topicDefaults)
    }

    @Test("values that contradict each other are refused with both and where they stand")
    func rules() throws {
        let faults = try faults("disk:\n  low: 1MiB\n  critical: 2MiB\n")
        let fault = try #require(faults.first)
        #expect(faults.count == 1)
        #expect(fault.code == .invalidValue)
        #expect(fault.message.contains("disk.low must be disk.critical or more; disk.low is 1MiB"))
        #expect(fault.message.contains(".yaml:2)"))
        for flags in [
            ["topics.default.max.message.bytes": "8MiB"],
            ["topics.default.segment.bytes": "1MiB", "topics.default.max.message.bytes": "2MiB"],
            ["limits.queue": "1MiB"],
            ["limits.connection.total": "10"],
        ] {
            #expect(SettingsLoader(flags: flags).check().map(\.code) == [.invalidValue])
        }
    }

    @Test("without TLS only loopback addresses are taken, unless told otherwise")
    func plaintext() {
        func codes(_ address: String, _ more: [String: String] = [:]) -> [ErrorCode] {
            SettingsLoader(flags: more.merging(["listen.grpc.address": address]) { $1 })
                .check().map(\.code)
        }
        for address in ["0.0.0.0:1", "192.168.0.1:1", "[::]:1", "[2001:db8::1]:1", "128.0.0.1:1"] {
            #expect(codes(address) == [.plaintextRefused])
            #expect(codes(address, ["insecure_allow_plaintext": "true"]).isEmpty)
        }
        for address in ["127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"] {
            #expect(codes(address).isEmpty)
        }
    }

    @Test("everything that is wrong is told at once")
    func allFaults() throws {
        let faults = try faults("log:\n  levle: x\n  format: xml\nlimits: {streams: -3}\n")
        #expect(faults.map(\.code) == [.unknownKey, .invalidValue, .invalidValue])
        #expect(faults[2].message.contains(".yaml:3: log.format cannot be 'xml'"))
        #expect(faults[1].message.contains(".yaml:4: limits.streams cannot be '-3'"))
    }
}

@Suite("Files of settings")
struct SettingsFileTests {
    @Test(
        "a file that is not YAML is refused with the line",
        arguments: [
            ("log: [\n", ":2: not YAML"), ("a: b: c\n", ":1: not YAML"),
            ("log:\n  level: debug\nlog:\n  format: json\n", "a key stands twice: log"),
            ("log.level: debug\nlog:\n  level: info\n", ":3: log.level stands on line 1 already"),
            ("- a\n", "expected keys and values"), ("just text", "expected keys and values"),
        ])
    func syntax(text: String, expected: String) throws {
        let fault = try #require(faults(text).first)
        #expect(fault.code == .configurationUnreadable)
        #expect(fault.message.contains(expected), "\(fault.message)")
    }

    @Test("an empty file, and sections without keys, say nothing")
    func empty() throws {
        for text in ["", "# nothing\n", "log:\n", "topics:\n  default:\nlog:\n"] {
            #expect(try faults(text).isEmpty)
        }
    }

    @Test("a list or a section where a value belongs is refused")
    func lists() throws {
        let list = try #require(faults("log:\n  level: [debug, info]\n").first)
        #expect(list.code == .invalidValue)
        #expect(list.message.contains(".yaml:2: log.level is a list"))
        #expect(try faults("log:\n  level: {a: b}\n").map(\.code) == [.unknownKey])
        #expect(try faults("log: debug\n").map(\.code) == [.unknownKey])
        #expect(try faults("log:\n  level:\n").map(\.code) == [.invalidValue])
    }

    @Test("a file that is missing, a directory or too large is refused with its path")
    func unreadable() throws {
        let missing = SettingsLoader(file: "/nonexistent/c.yaml").check()
        #expect(missing.map(\.code) == [.configurationUnreadable])
        #expect(missing.first?.message == "cannot read /nonexistent/c.yaml: no such file")
        #expect(SettingsLoader(file: "/tmp").check().map(\.code) == [.configurationUnreadable])
        let large = "# " + String(repeating: "x", count: SettingsFile.sizeMax)
        #expect(try faults(large).map(\.code) == [.configurationUnreadable])
    }

    @Test("a file of aliases that multiply is refused", .timeLimit(.minutes(1)))
    func bomb() throws {
        var text = "a0: &a0 {x: 1, y: 2}\n"
        for level in 1...20 {
            text += "a\(level): &a\(level) {x: *a\(level - 1), y: *a\(level - 1)}\n"
        }
        #expect(try faults(text).contains { $0.code == .configurationUnreadable })
    }
}
