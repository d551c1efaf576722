// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults
internal import Foundation

/// `cordwood members keys`.
struct MembersKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "See and change the keys that gossip is encrypted with.",
        discussion: examples(
            "openssl rand -base64 32 > new.key && cordwood members keys install --file new.key",
            "cordwood members keys list",
            """
            Keys are changed in three steps: install the new one, use it, remove the old one. Each step \
            is safe once every member has done the one before. A key is read from a file or from the \
            standard input, never from the command line, and is shown as its fingerprint only.
            """),
        subcommands: [
            MembersKeysListCommand.self, MembersKeysInstallCommand.self, MembersKeysUseCommand.self,
            MembersKeysRemoveCommand.self,
        ])
}

/// `cordwood members keys list`.
struct MembersKeysListCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show which keys how many members have, by fingerprint.",
        discussion: examples(
            "cordwood members keys list", "cordwood members keys list -o json",
            """
            A fingerprint is the beginning of the key's SHA-256: base64 -d < new.key | sha256sum.
            """))

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let outcome = try await connection.withClient(in: session) { client in
            try await client.listKeys()
        }
        let listing = Listing(
            outcome.keys.map { MemberRows.fields(of: $0, askedCount: outcome.askedCount) })
        try await session.output.write(listing.text(as: output.format))
        try KeyStep.judge(outcome, session)
    }
}

/// `cordwood members keys install`.
struct MembersKeysInstallCommand: Verb {
    static let configuration = KeyStep.configuration(
        "install", "Let every member have a key, and understand what is encrypted with it.")

    @OptionGroup var key: KeyOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        try await KeyStep.perform(.install, "installed", key, connection, session)
    }
}

/// `cordwood members keys use`.
struct MembersKeysUseCommand: Verb {
    static let configuration = KeyStep.configuration(
        "use", "Let every member encrypt with a key that all of them have.")

    @OptionGroup var key: KeyOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        try await KeyStep.perform(.use, "in use", key, connection, session)
    }
}

/// `cordwood members keys remove`.
struct MembersKeysRemoveCommand: Verb {
    static let configuration = KeyStep.configuration(
        "remove", "Let every member forget a key that none of them uses.")

    @OptionGroup var key: KeyOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        try await KeyStep.perform(.remove, "removed", key, connection, session)
    }
}

/// Where a key is read from.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The file with the key, in base64. (default: the standard input)", valueName: "path"),
        completion: .file())
    var file: String?

    /// No key is this large.
    private static let sizeMax = 1024

    /// The key; no fault has any of it in it.
    func read(in session: Session) async throws -> [UInt8] {
        if file == nil, session.input.isTerminal {
            throw Fault(
                .invalidUsage, "no key is given",
                hint: "Name its file with --file, or pipe it in: it must not be seen.")
        }
        let input = try file.map { try Input.file($0) } ?? session.input
        let bytes = try await input.readAll(limit: Self.sizeMax)
        let text = String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
        guard let key = Data(base64Encoded: text), [16, 24, 32].contains(key.count) else {
            throw Fault(
                .inputUnreadable, "\(input.name) has no key: base64 of 16, 24 or 32 bytes",
                hint: "Make one with: openssl rand -base64 32")
        }
        return [UInt8](key)
    }
}

/// What the three steps of a change of keys share.
enum KeyStep {
    static func configuration(_ name: String, _ abstract: String) -> CommandConfiguration {
        CommandConfiguration(
            commandName: name, abstract: abstract,
            usage: "cordwood members keys \(name) [--file FILE] [options]",
            discussion: examples(
                "cordwood members keys \(name) --file new.key",
                "cordwood members keys \(name) --file new.key --timeout 1m",
                """
                Without --file the key is read from the standard input. Ends with 1 if a member did not \
                do it; then do it again before the next step.
                """))
    }

    static func perform(
        _ action: KeyAction, _ done: String, _ options: KeyOptions, _ connection: ClientOptions,
        _ session: Session
    ) async throws {
        let key = try await options.read(in: session)
        let outcome = try await connection.withClient(in: session) { client in
            try await client.changeKey(action, key)
        }
        try judge(outcome, session)
        session.talk.say("\(done) at \(HumanText.noun(outcome.askedCount, "member"))")
    }

    /// Says who did not do what was asked.
    static func judge(_ outcome: KeyOutcome, _ session: Session) throws {
        for failure in outcome.failures {
            session.talk.say(Listing.printable("\(failure.member): \(failure.reason)"))
        }
        guard outcome.isComplete else {
            let count = max(outcome.failures.count, outcome.askedCount - outcome.answeredCount)
            throw Fault(
                .keysDiffer,
                "\(HumanText.noun(count, "member")) of \(outcome.askedCount) did not do it")
        }
    }
}
