// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// `cordwood version`.
struct VersionCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.",
        discussion: examples("cordwood version", "cordwood version --json"))

    @Flag(help: "Print it as JSON, with the protocols that are spoken.")
    var json = false

    func perform(in session: Session) async throws {
        guard json else { return try await session.output.write("cordwood \(Version.number)\n") }
        let object = JSON.object([
            .init("version", .string(Version.number)),
            .init("protocols", .array(Version.protocols.map(JSON.string))),
        ])
        try await session.output.write(object.text + "\n")
    }
}
