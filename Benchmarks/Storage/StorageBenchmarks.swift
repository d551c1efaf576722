// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Measures the storage engine against the plain calls that it is made of.
///
/// Each figure is the median of several rounds after one that is not counted; yardstick and engine
/// take turns, so that both write to equally warm memory.
@main
struct StorageBenchmarks {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let root = option("--dir", arguments) ?? ".build/benchmarks"
        let rounds = option("--rounds", arguments).flatMap { Int($0) } ?? 5
        let megabytes = option("--megabytes", arguments).flatMap { Int($0) } ?? 256
        let openGigabytes = option("--open-gigabytes", arguments).flatMap { Int($0) } ?? 10
        let only = option("--only", arguments)
        let append = AppendMeasures(root: root, rounds: rounds, bytes: megabytes << 20)
        let read = ReadMeasures(root: root, rounds: rounds, bytes: megabytes << 20)
        let measures: [(String, @Sendable () async throws -> Outcome)] = [
            ("append", { try append.appendToPageCache() }),
            ("fsync", { try await append.appendSynced() }),
            ("records", { try await append.appendSingleRecords() }),
            ("read", { try read.readSequentially() }),
            ("recover", { try read.recover() }),
            ("open", { try read.openCleanly(bytes: openGigabytes << 30, segments: 1000) }),
            ("many", { try read.openManyLogs(10_000) }),
        ]
        var misses = 0
        for (name, measure) in measures where only == nil || only == name {
            let outcome = try await Task.detached { try await measure() }.value
            print(outcome.line)
            if !outcome.passes { misses += 1 }
        }
        try? FileManager.default.removeItem(atPath: root)
        if misses > 0 { exit(1) }
    }

    private static func option(_ name: String, _ arguments: ArraySlice<String>) -> String? {
        guard let place = arguments.firstIndex(of: name) else { return nil }
        return arguments.indices.contains(place + 1) ? arguments[place + 1] : nil
    }
}
