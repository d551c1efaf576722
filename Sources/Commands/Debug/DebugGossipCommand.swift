// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser
internal import CordwoodClient
internal import Faults
internal import Logging
internal import Membership
internal import Telemetry

/// `cordwood debug gossip`.
struct DebugGossipCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "gossip",
        abstract: "Join a cluster of Serf as an observer, and print what happens in it.",
        usage: "cordwood debug gossip --join HOST:PORT [options]",
        discussion: examples(
            "cordwood debug gossip --join 127.0.0.1:8401",
            "cordwood debug gossip --join 10.0.0.7:7946 --cluster-key-file cluster.key -o jsonl",
            """
            Any cluster will do: Cordwood's, or one of Serf's own agents. The observer is a member with \
            the tag role=observer, which others see and probe; it acknowledges queries, answers none, \
            and leaves at Ctrl-C. With -o json or jsonl each event is an object on a line.
            """))

    @Option(
        help: ArgumentHelp(
            "Where a member gossips; port 8401 where none is named. May be repeated.",
            valueName: "host:port"))
    var join: [String] = []

    @Option(
        help: ArgumentHelp(
            "The file with the keys that the cluster is encrypted with: base64, one a line.",
            valueName: "path"),
        completion: .file())
    var clusterKeyFile: String?

    @Option(
        help: ArgumentHelp(
            """
            Where to listen, UDP and TCP; the members must reach it. (default: a free port of the \
            address that this machine reaches the first member from)
            """,
            valueName: "host:port"))
    var bind: String?

    @Option(
        help: ArgumentHelp(
            "The observer's name. (default: observer- and chance)", valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp("lan, wan or local: what the cluster has.", valueName: "profile"),
        transform: Self.profile)
    var profile = GossipProfile.lan

    @OptionGroup var output: OutputOptions

    @Flag(help: "Say what happens behind the scenes.")
    var verbose = false

    func check() throws(Fault) {
        guard !join.isEmpty else {
            throw Fault(
                .invalidUsage, "no member to join is named",
                hint: "cordwood debug gossip --join HOST:PORT")
        }
        if let bind, ListenAddress(bind) == nil {
            throw Fault(.invalidUsage, "'\(bind)' is no address to bind", hint: "Give host:port.")
        }
    }

    func perform(in session: Session) async throws {
        let addresses = try join.map { text throws(Fault) in
            guard let address = GossipAddress.parse(text) else {
                throw Fault(
                    .invalidUsage, "'\(text)' is no address", hint: "Give host, or host:port.")
            }
            return address
        }
        let observer = GossipObserver(
            try await settings(joining: addresses), logger: logger(in: session))
        let format = output.format
        do {
            try await observer.run(joining: addresses.map(\.description)) {
                session.talk.say("joined as \($0); Ctrl-C leaves")
            } onEvent: { event in
                let lines = GossipEventText.lines(of: event, at: session.now(), as: format)
                try await session.output.write(lines)
            }
        } catch  where Task.isCancelled && !(error is Output.ReaderIsGone) {
            // Ctrl-C is how observing ends; there is nothing wrong with it.
        }
    }

    private func settings(joining addresses: [ListenAddress]) async throws -> SerfNodeSettings {
        let chance = String(UInt32.random(in: 0...UInt32.max), radix: 16)
        var settings = SerfNodeSettings(name: name ?? "observer-\(chance)", profile: profile)
        settings.tags = ["role": "observer"]
        if let clusterKeyFile {
            settings.keys = try GossipKeys.read(clusterKeyFile, of: "--cluster-key-file")
        }
        let address: ListenAddress
        if let bind, let wanted = ListenAddress(bind) {
            address = wanted
        } else {
            // Looks a name up, which blocks.
            let seed = addresses[0]
            address = try await BlockingCalls(label: "route").run { try Route.local(to: seed) }
        }
        settings.bindHost = address.host == "localhost" ? "127.0.0.1" : address.host
        settings.bindPort = UInt16(clamping: address.port)
        return settings
    }

    private static func profile(_ text: String) throws -> GossipProfile {
        guard let profile = GossipProfile(rawValue: text.lowercased()) else {
            throw ValidationError("a profile is lan, wan or local, not '\(text)'")
        }
        return profile
    }

    private func logger(in session: Session) -> Logger {
        guard verbose else { return Logger(label: "gossip") { _ in SwiftLogNoOpLogHandler() } }
        return LogOutput.standardError(
            format: .auto, identity: .init(nodeID: "observer", version: Version.number),
            environment: session.environment
        ).logger(label: "gossip", level: .debug)
    }
}
