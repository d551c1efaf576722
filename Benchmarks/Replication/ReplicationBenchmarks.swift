// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import Foundation
import Logging
import PosixDisk

/// Measures three replicas in one process, on real files and with a network of memory, beside a group
/// of one on the same disk.
@main
struct ReplicationBenchmarks {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let root = option("--dir", arguments) ?? ".build/benchmarks-replication"
        let rounds = option("--rounds", arguments).flatMap { Int($0) } ?? 5
        let only = option("--only", arguments)
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let appends = AppendBenchmarks(root: root, rounds: rounds)
        let groups = GroupBenchmarks(root: root)
        let measures: [(String, @Sendable () async throws -> [Outcome])] = [
            ("alone", { try await appends.alone() }),
            ("latency", { try await appends.latency() }),
            ("throughput", { try await appends.throughput() }),
            ("bulk", { try await appends.bulk() }),
            ("groups", { try await groups.thousand() }),
        ]
        var misses = 0
        for (name, measure) in measures where only == nil || only == name {
            for outcome in try await measure() {
                print(outcome.line)
                if !outcome.passes { misses += 1 }
            }
        }
        try? FileManager.default.removeItem(atPath: root)
        if misses > 0 { exit(1) }
    }

    private static func option(_ name: String, _ arguments: ArraySlice<String>) -> String? {
        guard let place = arguments.firstIndex(of: name) else { return nil }
        return arguments.indices.contains(place + 1) ? arguments[place + 1] : nil
    }
}

/// A cluster in folders of its own, which are removed with it.
struct BenchmarkCluster {
    let cluster: LocalCluster
    private let path: String

    init(
        _ root: String, nodes: Int, groups: Int = 1, isSynced: Bool = true, quietTicks: Int? = 20
    ) async throws {
        path = root + "/" + UUID().uuidString
        var directories: [String] = []
        for node in 0..<nodes {
            directories.append(path + "/node-\(node)")
            try FileManager.default.createDirectory(
                atPath: directories[node], withIntermediateDirectories: true)
        }
        var settings = LocalCluster.Settings(directories: directories)
        settings.groupCount = groups
        settings.isSynced = isSynced
        settings.quietTicks = quietTicks
        var logger = Logger(label: "benchmark")
        logger.logLevel = .error
        cluster = try LocalCluster(settings, on: PosixFileSystem(), logger: logger)
        try await waitForLeaders()
    }

    func waitForLeaders() async throws {
        for _ in 0..<6000 {
            if cluster.leaderlessCount == 0 { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw BenchmarkError.noLeader
    }

    func leader() throws -> Partition {
        guard let node = cluster.leader() else { throw BenchmarkError.noLeader }
        return cluster.partition(node: node)
    }

    func close() async {
        await cluster.close()
        try? FileManager.default.removeItem(atPath: path)
    }
}

enum BenchmarkError: Error {
    case noLeader
}
