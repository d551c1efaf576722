// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Runs what can be run from a seed.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run logs, groups, clusters and gossip from seeds, and check each step.",
        discussion: """
            Without a subcommand: histories of a log on a failing disk and of consumer groups.

            Equal seeds give equal runs, in any process: a failure prints the command that repeats it.
            """,
        subcommands: subcommands, defaultSubcommand: Histories.self)

    private static var subcommands: [any ParsableCommand.Type] {
        #if PLANTED_BUGS
            [Histories.self, Cluster.self, Gossip.self, Trace.self, Bugs.self]
        #else
            [Histories.self, Cluster.self, Gossip.self, Trace.self]
        #endif
    }
}
