// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Measures what a member of a cluster costs, and whether it stands a flood.
///
/// The other members live in a process of their own, this program once more.
@main
struct GossipBenchmarks {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == Neighbours.argument {
            try await Neighbours.serve(arguments)
            return
        }
        let seconds = option("--seconds", arguments).flatMap { Int($0) } ?? 60
        let only = option("--only", arguments)
        let measures: [(String, () async throws -> [Outcome])] = [
            ("idle", { try await IdleBenchmark.run(seconds: seconds) }),
            ("flood", { try await FloodBenchmark.run(seconds: 10) }),
        ]
        var misses = 0
        for (name, measure) in measures where only == nil || only == name {
            for outcome in try await measure() {
                print(outcome.line)
                if !outcome.passes { misses += 1 }
            }
        }
        if misses > 0 { exit(1) }
    }

    static func option(_ name: String, _ arguments: [String]) -> String? {
        guard let place = arguments.firstIndex(of: name) else { return nil }
        return arguments.indices.contains(place + 1) ? arguments[place + 1] : nil
    }
}

enum BenchmarkError: Error {
    case overdue(String)
    case unreadable(String)
    case noSocket(CInt)
    case neighboursEnded
}
