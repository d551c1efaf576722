// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser
internal import Faults
internal import Logging
internal import PosixDisk
internal import Telemetry

/// Flags that stand above the environment and the file.
struct SettingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where everything is kept (data_dir).", valueName: "dir"))
    var dataDir: String?

    @Option(
        help: ArgumentHelp(
            "Where gRPC listens (listen.grpc.address); port 0 for any.", valueName: "host:port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Where Kafka clients connect (listen.kafka.address); port 0 for any, none to turn it off.",
            valueName: "host:port"))
    var kafka: String?

    @Option(
        help: ArgumentHelp(
            "Where the server gossips with others (gossip.bind); port 0 for any, none to turn it off.",
            valueName: "host:port"))
    var gossip: String?

    @Option(
        help: ArgumentHelp(
            "A server to ask for the others (gossip.seeds); may be repeated.",
            valueName: "host:port"))
    var join: [String] = []

    @Option(
        help: ArgumentHelp("The least level that is logged (log.level).", valueName: "level"))
    var logLevel: String?

    @Option(
        help: ArgumentHelp(
            "Any setting, such as disk.low=2GiB; may be repeated.", valueName: "key=value"),
        transform: SettingFlag.init)
    var set: [SettingFlag] = []

    /// Values by key.
    var flags: [String: String] {
        var flags = Dictionary(set.map { ($0.key, $0.value) }) { $1 }
        flags["data_dir"] = dataDir ?? flags["data_dir"]
        flags["listen.grpc.address"] = listen ?? flags["listen.grpc.address"]
        flags["listen.kafka.address"] = kafka ?? flags["listen.kafka.address"]
        flags["gossip.bind"] = gossip ?? flags["gossip.bind"]
        if !join.isEmpty { flags["gossip.seeds"] = join.joined(separator: ", ") }
        flags["log.level"] = logLevel ?? flags["log.level"]
        return flags
    }
}

/// A setting as a flag gives it.
struct SettingFlag: Sendable, Equatable {
    var key: String
    var value: String

    /// Reads a text such as `disk.low=2GiB`.
    init(_ text: String) throws {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw ValidationError("a setting is written key=value, such as disk.low=2GiB")
        }
        key = String(text[..<equals])
        value = String(text[text.index(after: equals)...])
    }
}

/// The configuration file of a command.
struct FileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The configuration file. (default: CORDWOOD_CONFIG)", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    /// The path of the file, if there is one.
    func path(in session: Session) -> String? {
        let variable = session.environment["CORDWOOD_CONFIG"] ?? ""
        return config ?? (variable.isEmpty ? nil : variable)
    }
}

/// Runs a node until it is told to stop.
enum NodeProcess {
    /// Runs a node with its log on the standard error.
    static func run(
        _ settings: Settings, in session: Session, onReady: @escaping @Sendable (Node) -> Void
    ) async throws(Fault) {
        let output = LogOutput.standardError(
            format: settings.log.format,
            identity: .init(nodeID: settings.nodeID, version: Version.number),
            environment: session.environment)
        output.bootstrap(level: settings.log.level)
        defer { output.flush() }
        let logger = output.logger(label: "cordwood", level: settings.log.level)
        try await NodeRunner.run(
            settings: settings, fileSystem: PosixFileSystem(), logger: logger, onReady: onReady)
    }
}
