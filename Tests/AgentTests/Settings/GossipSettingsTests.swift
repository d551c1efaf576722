// SPDX-License-Identifier: Apache-2.0

import Faults
import Foundation
import Membership
import Testing

@testable import Agent

@Suite("Settings of gossip")
struct GossipSettingsTests {
    private func check(_ flags: [String: String]) -> [Fault] {
        SettingsLoader(flags: flags).check()
    }

    @discardableResult
    private func withFile<Result>(
        _ text: String, mode: Int = 0o600, _ body: (String) throws -> Result
    ) throws -> Result {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "cordwood-gossip-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test("seeds are a list in the file, or one text with commas; the port may be left out")
    func seeds() throws {
        let wanted = [
            ListenAddress(host: "10.0.0.1", port: 8401),
            ListenAddress(host: "seeds.example.org", port: 7946),
            ListenAddress(host: "::1", port: 8401),
        ]
        let list =
            "gossip:\n  seeds:\n    - 10.0.0.1\n    - seeds.example.org:7946\n    - \"::1\"\n"
        // Seeds elsewhere need an address that they can reach.
        let flags = [
            "gossip.bind": "10.0.0.9:8401", "insecure_allow_plaintext": "true",
        ]
        for text in [list, "gossip.seeds: \"10.0.0.1, seeds.example.org:7946,[::1]\"\n"] {
            try withFile(text) { path in
                let loaded = try SettingsLoader(flags: flags, file: path).load()
                #expect(loaded.settings.gossip.seeds == wanted)
                let entry = loaded.entries.first { $0.key == "gossip.seeds" }
                #expect(entry?.value == "10.0.0.1:8401, seeds.example.org:7946, [::1]:8401")
                guard case .file(_, .some) = entry?.source else {
                    Issue.record("the seeds do not come from the file")
                    return
                }
            }
        }
    }

    @Test("a list where one value belongs is refused, as before")
    func listElsewhere() throws {
        try withFile("node.id:\n  - a\n  - b\n") { path in
            let faults = SettingsLoader(file: path).check()
            #expect(faults.map(\.code) == [.invalidValue])
            #expect(faults.first?.message.contains("node.id is a list") == true)
        }
    }

    @Test(
        "what is no address, profile or name is refused",
        arguments: [
            ("gossip.seeds", "a:b"), ("gossip.seeds", "a:0"), ("gossip.seeds", "a b:x"),
            ("gossip.bind", "8401"), ("gossip.advertise", "somewhere"),
            ("gossip.profile", "moon"), ("cluster.name", ""), ("cluster.name", "a b"),
        ])
    func refused(key: String, value: String) {
        let faults = check([key: value])
        #expect(faults.map(\.code) == [.invalidValue])
        #expect(faults.first?.message.contains(key) == true)
        #expect(faults.first?.hint?.isEmpty == false)
    }

    @Test("gossip that other machines reach needs keys, or the risk accepted")
    func plaintext() {
        let open = ["gossip.bind": "10.0.0.9:8401"]
        let faults = check(open)
        #expect(faults.map(\.code) == [.plaintextRefused])
        #expect(faults.first?.hint?.contains("gossip.keys.file") == true)
        #expect(check(open.merging(["gossip.keys.file": "/k"]) { $1 }).isEmpty)
        #expect(check(open.merging(["gossip.keyring": "/k"]) { $1 }).isEmpty)
        #expect(check(open.merging(["insecure_allow_plaintext": "true"]) { $1 }).isEmpty)
        #expect(check(["gossip.bind": "127.0.0.2:8401"]).isEmpty)
        #expect(check(["gossip.bind": "none"]).isEmpty)
    }

    @Test("seeds elsewhere cannot reach a loopback address, and the fault says what to set")
    func unreachable() {
        for flags in [
            ["gossip.seeds": "10.0.0.1"],
            ["gossip.seeds": "127.0.0.1,10.0.0.1"],
            [
                "gossip.seeds": "10.0.0.1", "gossip.bind": "10.0.0.9:8401",
                "gossip.advertise": "127.0.0.1:8401", "insecure_allow_plaintext": "true",
            ],
        ] {
            let faults = check(flags)
            #expect(faults.map(\.code) == [.invalidValue])
            #expect(faults.first?.hint?.contains("gossip.advertise") == true)
        }
        #expect(check(["gossip.seeds": "127.0.0.2:8401, localhost"]).isEmpty)
        #expect(check(["gossip.seeds": "10.0.0.1", "gossip.bind": "none"]).isEmpty)
        #expect(
            check(["gossip.seeds": "10.0.0.1", "gossip.advertise": "10.0.0.9:8401"]).isEmpty)
    }

    @Test("an address that stands for all of the machine's cannot be advertised")
    func unspecified() {
        for address in ["0.0.0.0:8401", "[::]:8401"] {
            let faults = check(["gossip.advertise": address])
            #expect(faults.map(\.code) == [.invalidValue])
        }
    }

    // MARK: Keys

    private static let key = "dGhpcyBpcyBhIGtleSBvZiAzMiBieXRlcyBmb3IgQUU="

    @Test("a file of keys has one a line, with remarks and empty lines between")
    func keys() throws {
        let text = "# the new one\n\(Self.key)\n\n  AAAAAAAAAAAAAAAAAAAAAA==  \n"
        try withFile(text) { path in
            let keys = try GossipKeys.read(path, of: "gossip.keys.file")
            #expect(keys.map(\.bytes.count) == [32, 16])
        }
    }

    @Test("a file that cannot be keys is refused, and no word of it is repeated")
    func badKeys() throws {
        for text in ["", "# nothing\n", "c2hvcnQ=\n", "\(Self.key)\nsecret!\n"] {
            try withFile(text) { path in
                let fault = #expect(throws: Fault.self) {
                    try GossipKeys.read(path, of: "gossip.keys.file")
                }
                #expect(fault?.code == .invalidValue)
                #expect(fault?.message.contains("gossip.keys.file") == true)
                for word in ["c2hvcnQ", "secret", "dGhpcy"] {
                    #expect("\(String(describing: fault))".contains(word) == false)
                }
            }
        }
        let large = String(repeating: "A", count: GossipKeys.sizeMax + 1)
        try withFile(large) { path in
            #expect(throws: Fault.self) { try GossipKeys.read(path, of: "k") }
        }
        #expect(throws: Fault.self) { try GossipKeys.read("/no/such/file", of: "k") }
    }

    @Test("a file of keys that everybody can read is refused")
    func openKeys() throws {
        try withFile(Self.key, mode: 0o644) { path in
            let fault = #expect(throws: Fault.self) { try GossipKeys.read(path, of: "k") }
            #expect(fault?.hint?.contains("chmod") == true)
        }
        try withFile(Self.key, mode: 0o640) { path in
            let keys = try GossipKeys.read(path, of: "k")
            #expect(keys.count == 1)
        }
    }

    @Test("a keyring that is not there, and no keys to begin it with, are refused")
    func missingKeyring() throws {
        var settings = Settings()
        settings.gossip.keyring = "/no/such/keyring"
        let fault = #expect(throws: Fault.self) { try GossipPlan(settings) }
        #expect(fault?.code == .invalidValue)
        #expect(fault?.hint?.contains("gossip.keys.file") == true)
        try withFile(Self.key) { path in
            settings.gossip.keysFile = path
            let plan = try #require(try GossipPlan(settings))
            #expect(plan.settings.keyringFile == "/no/such/keyring")
            #expect(plan.settings.keys.count == 1)
            #expect(plan.isEncrypted)
        }
    }

    @Test("the settings show where keys are and nothing of them")
    func shown() throws {
        try withFile(Self.key) { path in
            let loaded = try SettingsLoader(flags: ["gossip.keys.file": path]).load()
            #expect(!"\(loaded)".contains("dGhpcy"))
            let entry = loaded.entries.first { $0.key == "gossip.keys.file" }
            #expect(entry?.value == path)
        }
    }

    // MARK: What is announced

    @Test("of the machine's addresses a private one is told, else one that others can reach")
    func machine() {
        func choose(_ addresses: String..., isIPv6: Bool = false) -> String? {
            MachineAddress.choose(from: addresses, isIPv6: isIPv6)
        }
        #expect(choose("127.0.0.1", "198.51.100.7", "172.16.0.4", "10.0.0.1") == "172.16.0.4")
        #expect(choose("127.0.0.1", "169.254.1.1", "172.32.0.4") == "172.32.0.4")
        #expect(choose("::1", "fe80::1", "fd00::9") == nil)
        #expect(choose("::1", "fe80::1", "2001:db8::1", "fd00::9", isIPv6: true) == "fd00::9")
        #expect(choose("127.0.0.1", "0.0.0.0", "127.0.0.2") == nil)
    }

    @Test("gossip that listens on all addresses tells one of them, with its own port")
    func allAddresses() throws {
        var settings = Settings()
        settings.listen.insecureAllowPlaintext = true
        settings.gossip.bind = ListenAddress(host: "0.0.0.0", port: 8401)
        let plan = try #require(try GossipPlan(settings))
        #expect(plan.settings.bindHost == "0.0.0.0")
        #expect(plan.settings.advertise == MachineAddress.chosen(isIPv6: false))
        settings.gossip.advertise = "10.9.9.9:0"
        #expect(try #require(try GossipPlan(settings)).settings.advertise == "10.9.9.9")
        settings.gossip.advertise = "10.9.9.9:7000"
        #expect(try #require(try GossipPlan(settings)).settings.advertise == "10.9.9.9:7000")
    }

    private func tags(
        grpc: String, kafka: String? = nil, advertise: String = "", host: String
    ) throws -> [String: String] {
        ServerTags(
            storeID: "f00d", cluster: "c", grpc: try #require(ListenAddress(grpc)),
            grpcAdvertise: advertise, kafka: kafka.flatMap { ListenAddress($0) }, kafkaAdvertise: ""
        ).tags(host: host)
    }

    @Test("a server announces the addresses at which those who hear it can reach it")
    func announced() throws {
        let local = try tags(grpc: "127.0.0.1:8400", kafka: "127.0.0.1:9092", host: "127.0.0.1")
        #expect(
            local == [
                "id": "f00d", "cluster": "c", "version": Release.number, "grpc": "127.0.0.1:8400",
                "kafka": "127.0.0.1:9092",
            ])
        let open = try tags(grpc: "0.0.0.0:8400", kafka: "[::]:9092", host: "10.0.0.9")
        #expect(open["grpc"] == "10.0.0.9:8400")
        #expect(open["kafka"] == "10.0.0.9:9092")
        let hidden = try tags(grpc: "127.0.0.1:8400", host: "10.0.0.9")
        #expect(hidden["grpc"] == nil)
        #expect(hidden["kafka"] == nil)
        let named = try tags(
            grpc: "127.0.0.1:8400", advertise: "log.example.org:443", host: "10.0.0.9")
        #expect(named["grpc"] == "log.example.org:443")
        let v6 = try tags(grpc: "[::]:8400", host: "fd00::9")
        #expect(v6["grpc"] == "[fd00::9]:8400")
    }
}
