// SPDX-License-Identifier: Apache-2.0

import Foundation
import RaftCore
import Records
import Replication
import Testing

/// Replicas through whatever may happen to their messages and disks.
///
/// `CHAOS_RUNS=500` tries so many seeds of each kind, beginning at `CHAOS_SEED`.
@Suite("Replicas in disorder")
struct ReplicaChaosTests {
    private func run(
        _ seed: UInt64, nodes: Int = 3, steps: Int = 3000, _ manners: ChaosCluster.Manners
    ) throws -> ChaosCluster {
        let cluster = ChaosCluster(nodes, seed: seed, manners: manners)
        for number in cluster.ids.indices { try cluster.start(number) }
        for _ in 0..<steps { try cluster.step() }
        try cluster.converge()
        var values: [[Int64: String]] = []
        for number in cluster.ids.indices { values.append(try cluster.values(number)) }
        let all = values.reduce(into: [:]) { $0.merge($1) { left, _ in left } }
        for (number, own) in values.enumerated() {
            for (offset, value) in own {
                #expect(all[offset] == value, "seed \(seed), node \(number), offset \(offset)")
            }
        }
        if !manners.retention {
            #expect(values.allSatisfy { $0 == all }, "seed \(seed)")
            let kept = Set(all.values)
            #expect(cluster.acknowledged.isSubset(of: kept), "seed \(seed)")
            // Nothing is appended twice.
            #expect(kept.count == all.count, "seed \(seed)")
        }
        return cluster
    }

    private func hunt(_ usual: Range<UInt64>, _ manners: ChaosCluster.Manners) throws {
        var acknowledged = 0
        let wishes = ProcessInfo.processInfo.environment
        let count = wishes["CHAOS_RUNS"].flatMap { UInt64($0) } ?? UInt64(usual.count)
        let first = wishes["CHAOS_SEED"].flatMap { UInt64($0) } ?? usual.lowerBound
        let seeds = first..<(first + count)
        for seed in seeds {
            do {
                acknowledged += try run(seed, nodes: seed % 5 == 4 ? 5 : 3, manners)
                    .acknowledged.count
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
        #expect(acknowledged > seeds.count * 10)
    }

    @Test("agree through lost, repeated and late messages")
    func losses() throws {
        try hunt(0..<6, ChaosCluster.Manners(crashes: false))
    }

    @Test("keep what was acknowledged through crashes and power cuts at any step")
    func crashes() throws {
        try hunt(100..<112, ChaosCluster.Manners())
    }

    @Test("go on through full disks")
    func fullDisks() throws {
        try hunt(200..<208, ChaosCluster.Manners(fullDisks: true))
    }

    @Test("go on through disks that fail")
    func failingDisks() throws {
        try hunt(300..<308, ChaosCluster.Manners(failingDisks: true))
    }

    @Test("begin anew behind what retention has taken")
    func retention() throws {
        try hunt(400..<408, ChaosCluster.Manners(retention: true))
    }

    @Test("fall quiet, and wake")
    func quiet() throws {
        try hunt(500..<506, ChaosCluster.Manners(isQuiet: true))
    }
}
