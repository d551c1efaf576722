// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Faults
internal import KafkaProtocol

/// `cordwood reference`: the pages of docs/reference that come from the program itself.
struct ReferenceCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reference", abstract: "Print a page of the reference.",
        usage: "cordwood reference cli|errors|kafka",
        discussion: examples(
            "cordwood reference cli > cli.md", "cordwood reference errors > errors.md"),
        shouldDisplay: false)

    /// A page that the program writes.
    enum Page: String, Sendable, CaseIterable, ExpressibleByArgument {
        case cli
        case errors
        case kafka
    }

    @Argument(help: "cli, errors or kafka.")
    var page: Page

    func perform(in session: Session) async throws {
        switch page {
        case .cli: try await session.output.write(CommandReference.markdown())
        case .errors: try await session.output.write(ErrorReference.markdown())
        case .kafka: try await session.output.write(KafkaReference.markdown())
        }
    }
}

/// The page `docs/reference/cli.md`, from the commands' own help.
enum CommandReference {
    /// Columns of the help on the page.
    private static let columns = 88

    static func markdown() -> String {
        var page = """
            <!-- Written by scripts/generate-docs from the commands' own help. -->
            # The command line

            Data goes to the standard output, and everything else to the standard error. Colours
            and progress are for terminals, and `NO_COLOR` turns colours off.

            ## How a command ends

            | status | meaning |
            | --- | --- |

            """
        for status in ProgramStatus.allCases {
            page += "| \(status.rawValue) | \(status.summary) |\n"
        }
        page += """

            A failure is said in three lines: what happened with its [code](errors.md), why, and
            what to try. A reader that goes away, as in `cordwood consume logs | head`, is no
            failure, and neither is Ctrl-C with `consume --follow`.

            ## What the environment says

            | variable | meaning |
            | --- | --- |
            | `CORDWOOD_SERVER` | the server of `produce`, `consume`, `topic`, `group` and `bench` |
            | `CORDWOOD_CONFIG` | the configuration file of `serve` and `config` |
            | `CORDWOOD_…` | any [setting](settings.md) of a server, such as `CORDWOOD_DATA_DIR` |
            | `NO_COLOR` | no colours |

            ## Same bytes back

            `produce` cuts its input at each newline (`--delimiter` names another end) and stores
            what stands between as the value, byte for byte; `consume` prints each value and a
            newline. A file that does not end in a newline is produced with `--file` so that its
            last record carries a header named `\(RecordPrinter.unterminatedHeader)`, behind which
            `consume` prints no newline. Lines that come in without `--file` are lines: the last one
            counts as whole. Several files into one partition come out as `cat` would print them.

            ## A topic that does not exist

            `produce` creates it, and says so, if the server is on this machine: there a name is
            more likely new than misspelt. On any other server it is an error that proposes
            `--create`. `--create` and `--no-create` settle it either way.

            ## JSON

            With `-o json` a command prints one JSON value, with `-o jsonl` an object a line; names
            are stable. Keys and values of records are `key` and `value` where they are UTF-8, and
            `key_base64` and `value_base64` where they are not.

            """
        for (path, command) in commands() {
            let help = CordwoodCommand.helpMessage(for: command, columns: columns)
            page += "\n## `\(path)`\n\n```text\n\(help)\n```\n"
        }
        return page
    }

    /// All commands that help shows, each behind its parent.
    static func commands() -> [(path: String, command: any ParsableCommand.Type)] {
        func walk(
            _ command: any ParsableCommand.Type, _ parent: String
        ) -> [(path: String, command: any ParsableCommand.Type)] {
            guard command.configuration.shouldDisplay else { return [] }
            let path = parent.isEmpty ? command.name : "\(parent) \(command.name)"
            return [(path, command)]
                + command.configuration.subcommands.flatMap { walk($0, path) }
        }
        return walk(CordwoodCommand.self, "")
    }
}

/// The page `docs/reference/errors.md`, from the codes themselves.
enum ErrorReference {
    private static let groups = [
        (1, "The request"), (2, "The disk"), (3, "The server"), (4, "The configuration"),
        (5, "Between client and server"), (6, "The command line"),
    ]

    static func markdown() -> String {
        var page = """
            <!-- Written by scripts/generate-docs from Sources/Faults. -->
            # Errors

            Each failure has a number that is never given another meaning; server, client, command
            line and logs share them. `cordwood errors explain CODE` prints what stands here. The
            exit status is that of the command line.

            """
        for (group, title) in groups {
            page += "\n## \(group)xxx: \(title)\n"
            for code in ErrorCode.allCases where code.rawValue / 1000 == group {
                page += """

                    ### \(code.text)

                    \(code.summary)

                    - Why: \(code.cause)
                    - Try: \(code.remedy)
                    - The same request can succeed later: \(code.isRetryable ? "yes" : "no")
                    - Exit status: \(ProgramStatus(code).rawValue)

                    """
            }
        }
        return page
    }
}

/// The page `docs/reference/kafka.md`, from the table that requests are dispatched by.
enum KafkaReference {
    static func markdown() -> String {
        var page = """
            <!-- Written by scripts/generate-docs from schemas/kafka. -->
            # Kafka's requests and their versions

            What ApiVersions answers: clients choose the newest version that both sides know. A
            request that is not listed closes the connection, as with Kafka; the server's log says
            which it was. [Cordwood with Kafka's clients](../guides/kafka-clients.md) says what
            works, and what does not.

            Produce is listed from version 0, as older clients do not compress otherwise, and
            served from version 3 on.

            | key | request | versions |
            | ---: | --- | --- |

            """
        for key in ApiKey.allCases.sorted(by: { $0.rawValue < $1.rawValue }) {
            let versions = key.versions
            let range =
                versions.count == 1
                ? "\(versions.lowerBound)" : "\(versions.lowerBound) to \(versions.upperBound)"
            page += "| \(key.rawValue) | \(key.name) | \(range) |\n"
        }
        return page
    }
}
