// SPDX-License-Identifier: Apache-2.0

#if PLANTED_BUGS
    public import ArgumentParser
    public import RaftCore

    /// Puts in each bug, and looks who finds it.
    struct Bugs: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put in each planted bug, and see that a simulated cluster finds it.")

        @Option(help: "Only these bugs.")
        var only: [PlantedBug] = []

        @Option(help: "How many seeds a bug may take.")
        var budget: UInt64 = 500

        func run() throws {
            let bugs = only.isEmpty ? PlantedBug.allCases : only
            var escaped: [PlantedBug] = []
            // What fails without any bug would be found in each.
            let clean = ["cluster", "--worker", "--no-shrink", "--profile", "core"]
            if let found = try Hunt.seedsUntilFailure(runs: budget, clean) {
                Hunt.say("without any bug: \(found.message)")
                throw ExitCode.failure
            }
            Hunt.say("| bug | seeds | first sign |")
            Hunt.say("|---|---|---|")
            for bug in bugs {
                let found = try Hunt.seedsUntilFailure(
                    runs: budget, clean + ["--bug", bug.rawValue])
                if found == nil { escaped.append(bug) }
                let seeds = found.map { "\($0.seeds)" } ?? "none of \(budget)"
                Hunt.say("| \(bug.rawValue) | \(seeds) | \(found?.message ?? "**escaped**") |")
            }
            guard escaped.isEmpty else {
                Hunt.say("escaped: \(escaped.map(\.rawValue).joined(separator: " "))")
                throw ExitCode.failure
            }
            Hunt.say("all \(bugs.count) were found")
        }
    }

    extension PlantedBug: ExpressibleByArgument {}
#endif
