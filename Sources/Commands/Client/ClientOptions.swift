// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser
internal import CordwoodClient
internal import Faults
internal import Logging
internal import Telemetry

/// Which server a command talks to, and how long it waits.
struct ClientOptions: ParsableArguments {
    /// The server that is meant where none is named.
    static let defaultServer = "127.0.0.1:8400"

    @Option(
        help: ArgumentHelp(
            "The server's address. (default: CORDWOOD_SERVER, or \(defaultServer))",
            valueName: "host:port"))
    var server: String?

    @Option(
        help: ArgumentHelp("How long one answer may take: 250ms, 10s, 2m.", valueName: "duration"),
        transform: DurationText.duration)
    var timeout = Duration.seconds(30)

    @Flag(help: "Say what happens behind the scenes.")
    var verbose = false

    /// The address of the server.
    func address(in session: Session) -> String {
        let variable = session.environment["CORDWOOD_SERVER"] ?? ""
        return server ?? (variable.isEmpty ? Self.defaultServer : variable)
    }

    /// Whether the server is on this machine.
    func isLocal(in session: Session) -> Bool {
        let address = address(in: session)
        let listed = ListenAddress(address) ?? ListenAddress(host: address, port: 0)
        return listed.isLoopback ?? false
    }

    /// Hands a connected client to `body`.
    func withClient<Value>(
        in session: Session, _ body: (CordwoodClient) async throws -> Value
    ) async throws -> Value {
        var configuration = CordwoodClient.Configuration(server: address(in: session))
        configuration.requestTimeout = timeout
        configuration.connectTimeout = min(timeout, configuration.connectTimeout)
        configuration.retryTimeout = min(timeout, configuration.retryTimeout)
        return try await CordwoodClient.withClient(
            configuration, logger: logger(in: session), body)
    }

    private func logger(in session: Session) -> Logger {
        guard verbose else {
            return Logger(label: "cordwood.client") { _ in SwiftLogNoOpLogHandler() }
        }
        let output = LogOutput.standardError(
            format: .auto, identity: .init(nodeID: "cordwood", version: Version.number),
            environment: session.environment)
        return output.logger(label: "cordwood.client", level: .debug)
    }
}

/// Durations as options take them.
enum DurationText {
    /// The time that a text such as `15m` gives: more than nothing.
    static func duration(_ text: String) throws -> Duration {
        guard let milliseconds = SettingText.milliseconds(text), milliseconds > 0 else {
            throw ValidationError("a duration is written 250ms, 10s, 15m, 12h or 7d")
        }
        return .milliseconds(milliseconds)
    }
}

/// Sizes as options take them.
enum SizeText {
    /// The bytes that a text such as `64KiB` gives.
    static func bytes(_ text: String) throws -> Int {
        guard let bytes = SettingText.bytes(text) else {
            throw ValidationError("a size is written 512, 64KiB, 10GiB or 5MB")
        }
        return bytes
    }
}
