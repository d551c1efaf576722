// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Simulation

/// Runs seeded histories of a log on a failing disk.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run seeded histories of a log on a disk that fails, and check each step.",
        discussion: """
            A failing history prints its seed, its last steps and what the disk did. Run it again \
            with --seed SEED --count 1. Equal seeds give equal digests, in any process.
            """)

    @Option(help: "The first seed.")
    var seed: UInt64 = 1

    @Option(help: "How many histories, one a seed.")
    var count: UInt64 = 1000

    @Option(help: "The steps of each history.")
    var steps = 150

    @Option(
        help: "A bug to put in, to see that it is found: \(Self.sabotageNames).",
        transform: Self.sabotage)
    var sabotage: Sabotage?

    @Flag(help: "Print each history's digest, and how often what happened.")
    var verbose = false

    private static let sabotageNames = Sabotage.allCases.map(\.rawValue).joined(separator: ", ")

    private static func sabotage(_ name: String) throws -> Sabotage {
        guard let sabotage = Sabotage(rawValue: name) else {
            throw ValidationError("no such bug: \(name); there are \(sabotageNames)")
        }
        return sabotage
    }

    func validate() throws {
        guard steps > 0 else { throw ValidationError("--steps must be 1 or more") }
        guard count > 0 else { throw ValidationError("--count must be 1 or more") }
        guard seed <= UInt64.max - count else { throw ValidationError("--seed is too large") }
    }

    func run() throws {
        let summary: Simulator.Summary
        do throws(HistoryFailure) {
            summary = try Simulator.run(
                seeds: seed..<(seed + count), steps: steps, sabotage: sabotage
            ) { seed, digest in
                if verbose { print("seed \(seed) digest \(String(digest, radix: 16))") }
            }
        } catch {
            print(error)
            let found = sabotage.map { " --sabotage \($0.rawValue)" } ?? ""
            print("again: simulate --seed \(error.seed) --count 1 --steps \(steps)\(found)")
            throw ExitCode.failure
        }
        if verbose {
            for (name, count) in summary.counts.lines { print("\(count) \(name)") }
        }
        print("\(count) histories of \(steps) steps, digest \(String(summary.digest, radix: 16))")
    }
}
