// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// The root of the commands.
struct CordwoodCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cordwood",
        abstract: "A distributed commit log.",
        usage: "cordwood COMMAND [options]",
        discussion: examples(
            "cordwood dev",
            #"echo '{"id":1}' | cordwood produce orders -k u42"#,
            """
            Data goes to the standard output and nothing else does. A command ends with 0 when it
            did its work, 1 failed, 2 wrong usage, 3 not found, 4 denied, 5 timeout, 6 unavailable.
            """),
        version: Version.number,
        subcommands: [
            DevCommand.self, ServeCommand.self, ProduceCommand.self, ConsumeCommand.self,
            TopicCommand.self, GroupCommand.self, MembersCommand.self, ConfigCommand.self,
            BenchCommand.self, DebugCommand.self, ErrorsCommand.self, CompletionCommand.self,
            VersionCommand.self,
            ReferenceCommand.self,
        ])
}
