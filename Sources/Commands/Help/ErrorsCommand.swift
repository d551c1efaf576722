// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser
internal import Faults

/// `cordwood errors`.
struct ErrorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "errors", abstract: "Explain error codes.",
        discussion: examples("cordwood errors explain CW-1007", "cordwood errors list"),
        subcommands: [ErrorsExplainCommand.self, ErrorsListCommand.self])
}

/// `cordwood errors explain`.
struct ErrorsExplainCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say what an error code means and what to do.",
        usage: "cordwood errors explain CODE",
        discussion: examples(
            "cordwood errors explain CW-1007", "cordwood errors explain 5001 -o json"))

    @Argument(help: "The code, with or without its CW-.")
    var code: String

    @OptionGroup var output: OutputOptions

    func perform(in session: Session) async throws {
        guard let known = ErrorCode(text: code) else {
            throw Fault(
                .invalidArgument, "there is no error '\(Listing.printable(code))'",
                hint: "cordwood errors list")
        }
        if output.format != .table {
            return try await session.output.write(known.json.text + "\n")
        }
        try await session.output.write(
            """
            \(known.text)  \(known.summary)
              why: \(known.cause)
              try: \(known.remedy)
              \(known.isRetryable ? "The same request can succeed later." : "The same request would fail again.")

            """)
    }
}

/// `cordwood errors list`.
struct ErrorsListCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List all error codes.",
        discussion: examples("cordwood errors list", "cordwood errors list -o jsonl"))

    @OptionGroup var output: OutputOptions

    func perform(in session: Session) async throws {
        let codes = ErrorCode.allCases
        switch output.format {
        case .table:
            let listing = Listing(
                codes.map { [.text("code", $0.text), .text("meaning", $0.summary)] })
            try await session.output.write(listing.table())
        case .json: try await session.output.write(Listing.array(codes.map(\.json)))
        case .jsonl:
            try await session.output.write(codes.map { $0.json.text + "\n" }.joined())
        }
    }
}

extension ErrorCode {
    /// All that is known of the code.
    fileprivate var json: JSON {
        .object([
            .init("code", .string(text)), .init("summary", .string(summary)),
            .init("cause", .string(cause)), .init("remedy", .string(remedy)),
            .init("retryable", .bool(isRetryable)),
            .init("exit_status", .number(Int(ProgramStatus(self).rawValue))),
        ])
    }
}
