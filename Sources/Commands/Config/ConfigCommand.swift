// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser
internal import Faults

/// `cordwood config`.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check, show and explain a server's settings.",
        discussion: examples(
            "cordwood config check --config cordwood.yaml",
            "cordwood config example > cordwood.yaml"),
        subcommands: [
            ConfigCheckCommand.self, ConfigShowCommand.self, ConfigExampleCommand.self,
            ConfigReferenceCommand.self,
        ])
}

/// `cordwood config check`.
struct ConfigCheckCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Find unknown keys, impossible values and contradictions.",
        discussion: examples(
            "cordwood config check --config cordwood.yaml",
            "cordwood config check --set disk.low=2GiB -o json",
            "Looks at the file, at the CORDWOOD_* variables and at --set; changes nothing."))

    @OptionGroup var file: FileOptions
    @OptionGroup var options: SettingOptions
    @OptionGroup var output: OutputOptions

    func perform(in session: Session) async throws {
        let path = file.path(in: session)
        let faults = SettingsLoader(
            flags: options.flags, environment: session.environment, file: path
        ).check()
        switch output.format {
        case .table:
            for fault in faults {
                session.talk.write(ErrorReport(fault).text(isColoured: session.talk.isColoured))
            }
            if faults.isEmpty { session.talk.say("\(path ?? "the settings"): in order") }
        case .json, .jsonl:
            let rows = faults.map { fault -> [Listing.Field] in
                [
                    .text("code", fault.code.text), .text("message", fault.message),
                    .text("hint", fault.hint ?? fault.code.remedy),
                ]
            }
            try await session.output.write(Listing(rows).text(as: output.format))
        }
        if !faults.isEmpty { throw Outcome(status: .failed) }
    }
}

/// `cordwood config show`.
struct ConfigShowCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show each setting's value and where it came from.",
        discussion: examples(
            "cordwood config show --config cordwood.yaml",
            "cordwood config show --changed -o json"))

    @Flag(help: "Only the settings that are not at their defaults.")
    var changed = false

    @Flag(help: "The settings of `cordwood dev`.")
    var dev = false

    @OptionGroup var file: FileOptions
    @OptionGroup var options: SettingOptions
    @OptionGroup var output: OutputOptions

    func perform(in session: Session) async throws {
        let loaded = try SettingsLoader(
            flags: options.flags, environment: session.environment,
            file: dev ? nil : file.path(in: session),
            defaults: dev ? .development : Settings()
        ).load()
        let rows = loaded.entries
            .filter { !changed || $0.source != .defaults }
            .map { entry -> [Listing.Field] in
                [
                    .text("key", entry.key), .text("value", entry.value),
                    .text("source", "\(entry.source)"),
                ]
            }
        try await session.output.write(Listing(rows).text(as: output.format))
    }
}

/// `cordwood config example`.
struct ConfigExampleCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "example",
        abstract: "Print a file with every setting, its meaning, range and default.",
        discussion: examples(
            "cordwood config example > cordwood.yaml", "cordwood config example | less"))

    func perform(in session: Session) async throws {
        try await session.output.write(SettingsReference.exampleYAML())
    }
}

/// `cordwood config reference`.
struct ConfigReferenceCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reference", abstract: "Print the reference page of the settings.",
        discussion: examples(
            "cordwood config reference > settings.md", "cordwood config reference | less"))

    func perform(in session: Session) async throws {
        try await session.output.write(SettingsReference.markdown())
    }
}
