// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Simulation

/// Runs seeded histories of a log on a failing disk, and of consumer groups.
struct Histories: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "histories",
        abstract: "Run seeded histories of a log and of consumer groups, and check each step.",
        discussion: """
            A log runs on a disk that fails. Consumer groups run with clients that die, a network \
            that loses, delays, duplicates and reorders, and a coordinator that crashes.

            A failing history prints its seed and what led to it. Run it again with --only, --seed \
            SEED and --count 1. Equal seeds give equal digests, in any process.
            """)

    /// What histories are about.
    enum Subject: String, ExpressibleByArgument, CaseIterable {
        case log
        case groups
    }

    /// A bug of either kind.
    enum Bug {
        case log(Sabotage)
        case groups(GroupSabotage)

        var name: String {
            switch self {
            case .log(let sabotage): sabotage.rawValue
            case .groups(let sabotage): sabotage.rawValue
            }
        }
    }

    @Option(help: "Only histories of this: log or groups.")
    var only: Subject?

    @Option(help: "The first seed.")
    var seed: UInt64 = 1

    @Option(help: "How many histories of each kind, one a seed.")
    var count: UInt64 = 1000

    @Option(help: "The steps of each history of a log.")
    var steps = 150

    @Option(
        help: """
            A bug to put in, to see that it is found; of a log: \(Self.logBugs); of groups: \
            \(Self.groupBugs).
            """,
        transform: Self.sabotage)
    var sabotage: Bug?

    @Flag(help: "Print each history's digest, and how often what happened.")
    var verbose = false

    private static let logBugs = Sabotage.allCases.map(\.rawValue).joined(separator: ", ")
    private static let groupBugs = GroupSabotage.allCases.map(\.rawValue).joined(separator: ", ")

    private static func sabotage(_ name: String) throws -> Bug {
        if let sabotage = Sabotage(rawValue: name) { return .log(sabotage) }
        if let sabotage = GroupSabotage(rawValue: name) { return .groups(sabotage) }
        throw ValidationError("no such bug: \(name); there are \(logBugs), \(groupBugs)")
    }

    func validate() throws {
        guard steps > 0 else { throw ValidationError("--steps must be 1 or more") }
        guard count > 0 else { throw ValidationError("--count must be 1 or more") }
        guard seed <= UInt64.max - count else { throw ValidationError("--seed is too large") }
        switch (sabotage, only) {
        case (.log?, .groups?), (.groups?, .log?):
            throw ValidationError("--sabotage names a bug of another kind than --only")
        default: break
        }
    }

    func run() throws {
        switch (sabotage, only) {
        case (.log(let sabotage)?, _): try runLogs(sabotage)
        case (.groups(let sabotage)?, _): try runGroups(sabotage)
        case (nil, .log?): try runLogs(nil)
        case (nil, .groups?): try runGroups(nil)
        case (nil, nil):
            try runLogs(nil)
            try runGroups(nil)
        }
    }

    private func runLogs(_ sabotage: Sabotage?) throws {
        let summary: Simulator.Summary
        do throws(HistoryFailure) {
            summary = try Simulator.run(
                seeds: seed..<(seed + count), steps: steps, sabotage: sabotage
            ) { report("log", seed: $0, digest: $1) }
        } catch {
            throw tell(error, .log, " --steps \(steps)")
        }
        report(summary.counts.lines)
        print("\(count) histories of \(steps) steps, digest \(String(summary.digest, radix: 16))")
    }

    private func runGroups(_ sabotage: GroupSabotage?) throws {
        let summary: GroupSimulator.Summary
        do throws(HistoryFailure) {
            summary = try GroupSimulator.run(seeds: seed..<(seed + count), sabotage: sabotage) {
                report("groups", seed: $0, digest: $1)
            }
        } catch {
            throw tell(error, .groups, "")
        }
        report(summary.counts.lines)
        print("\(count) histories of groups, digest \(String(summary.digest, radix: 16))")
    }

    private func report(_ subject: String, seed: UInt64, digest: UInt64) {
        if verbose { print("\(subject) seed \(seed) digest \(String(digest, radix: 16))") }
    }

    private func report(_ counts: [(name: String, count: Int)]) {
        guard verbose else { return }
        for (name, count) in counts { print("\(count) \(name)") }
    }

    /// Says which history failed, and how to see it again.
    private func tell(_ failure: HistoryFailure, _ subject: Subject, _ options: String) -> ExitCode
    {
        print(failure)
        let bug = sabotage.map { " --sabotage \($0.name)" } ?? ""
        print(
            "again: simulate --only \(subject.rawValue) --seed \(failure.seed) --count 1"
                + options + bug)
        return .failure
    }
}
