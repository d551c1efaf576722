// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser

/// `cordwood serve`: a server, as an operator runs it.
struct ServeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run a server.",
        usage: "cordwood serve [--config FILE] [options]",
        discussion: examples(
            "cordwood serve --config /etc/cordwood/cordwood.yaml",
            "cordwood serve --data-dir ./data --listen 127.0.0.1:8400",
            """
            Each setting comes from the first of these that has it: a flag, a CORDWOOD_* variable,
            the file, the default. `cordwood config example` prints a file with all of them. SIGTERM
            or Ctrl-C stops gracefully; a second one stops at once.
            """))

    static var handlesSignals: Bool { true }

    @OptionGroup var file: FileOptions
    @OptionGroup var options: SettingOptions

    @Flag(
        help: """
            Serve addresses that other machines can reach without TLS,
            and gossip there without keys (insecure_allow_plaintext).
            """)
    var insecureAllowPlaintext = false

    /// What the settings are read from.
    func loader(in session: Session) -> SettingsLoader {
        var flags = options.flags
        if insecureAllowPlaintext { flags["insecure_allow_plaintext"] = "true" }
        return SettingsLoader(
            flags: flags, environment: session.environment, file: file.path(in: session))
    }

    func perform(in session: Session) async throws {
        let settings = try loader(in: session).load().settings
        // The log says that the server is ready, and where.
        try await NodeProcess.run(settings, in: session) { _ in }
    }
}
