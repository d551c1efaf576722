// SPDX-License-Identifier: Apache-2.0

#if PLANTED_BUGS
    public import ArgumentParser
    public import RaftCore
    import RaftScenarios

    /// Puts in each bug, and looks who finds it.
    struct Bugs: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put in each planted bug, and see that the simulator or a scenario finds it.")

        @Option(help: "Only these bugs.")
        var only: [PlantedBug] = []

        @Option(help: "How many seeds a bug may take.")
        var budget: UInt64 = 500

        @Option(help: "The folder of the scenario files.")
        var scenarios = "Tests/RaftScenariosTests/Scenarios"

        func run() throws {
            let bugs = only.isEmpty ? PlantedBug.allCases : only
            var escaped: [PlantedBug] = []
            print("| bug | simulator: seeds | scenarios | first sign |")
            print("|---|---|---|---|")
            for bug in bugs {
                let found = try Hunt.seedsUntilFailure(
                    runs: budget,
                    [
                        "cluster", "--worker", "--no-shrink", "--profile", "core", "--bug",
                        bug.rawValue,
                    ])
                let stories = ScenarioBugs.finding(bug, in: scenarios)
                if found == nil, stories.isEmpty { escaped.append(bug) }
                let seeds = found.map { "\($0.seeds)" } ?? "none of \(budget)"
                Hunt.say(
                    "| \(bug.rawValue) | \(seeds) | \(stories.count) | "
                        + (found?.message ?? stories.first ?? "**escaped**") + " |")
            }
            guard escaped.isEmpty else {
                print("escaped: \(escaped.map(\.rawValue).joined(separator: " "))")
                throw ExitCode.failure
            }
            print("all \(bugs.count) were found")
        }
    }

    extension PlantedBug: ExpressibleByArgument {}
#endif
