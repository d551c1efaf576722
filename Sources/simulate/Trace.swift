// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Simulation

/// Prints a run as lines that the TLA+ specification can be held against.
struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what the cores of a simulated cluster do, for Verification/tla.")

    @Option(help: "The seed.")
    var seed: UInt64

    @Option(help: "How many events, at most.")
    var events = 500

    func validate() throws {
        guard events > 0 else { throw ValidationError("--events must be 1 or more") }
    }

    func run() throws {
        try ClusterSimulator.trace(seed: seed, eventsMax: events) { print($0) }
    }
}
