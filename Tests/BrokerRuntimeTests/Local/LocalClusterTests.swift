// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Faults
import Logging
import Records
import SimulatedDisk
import Testing

@testable import BrokerRuntime

/// Three log threads, three disks, and messages between them.
@Suite("A cluster in one process")
struct LocalClusterTests {
    private func withCluster(
        groups: Int = 1, _ body: (LocalCluster) async throws -> Void
    ) async throws {
        let disk = SimulatedFileSystem()
        var directories: [String] = []
        for node in 1...3 {
            directories.append("/node-\(node)")
            try disk.createDirectory("/node-\(node)")
        }
        var settings = LocalCluster.Settings(directories: directories)
        settings.groupCount = groups
        settings.quietTicks = 4
        let cluster = try LocalCluster(settings, on: disk, logger: Logger(label: "test"))
        do {
            try await body(cluster)
        } catch {
            await cluster.close()
            throw error
        }
        await cluster.close()
    }

    /// Waits until something holds; gives up after a minute.
    private func wait(until holds: () -> Bool) async throws {
        for _ in 0..<6000 {
            if holds() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("it never came to hold")
    }

    @Test("acknowledges what a majority has, and shows it on every node")
    func replicates() async throws {
        try await withCluster { cluster in
            try await wait { cluster.leader() != nil }
            let leader = try #require(cluster.leader())
            for step in 0..<20 {
                let appended = try await cluster.partition(node: leader)
                    .append(BrokerFixture.batch(step..<(step + 1)))
                #expect(appended.baseOffset == Offset(Int64(step)))
            }
            for node in 0..<3 {
                let partition = cluster.partition(node: node)
                try await wait { partition.highWatermark == Offset(20) }
                let batches = try partition.readBlocking(from: .zero, bytesMax: 1 << 20)
                #expect(batches.nextOffset == Offset(20))
            }
        }
    }

    @Test("a cut leader acknowledges nothing, and its followers find another one")
    func failover() async throws {
        try await withCluster { cluster in
            try await wait { cluster.leader() != nil }
            let first = try #require(cluster.leader())
            _ = try await cluster.partition(node: first).append(BrokerFixture.batch(0..<3))
            cluster.cut(first)
            let lost = cluster.partition(node: first)
            await #expect(throws: Fault.self) {
                let appended = try await lost.append(BrokerFixture.batch(0..<5))
                Issue.record("a lone leader acknowledged \(appended)")
            }
            try await wait { cluster.leader() != nil }
            let second = try #require(cluster.leader())
            #expect(second != first)
            let appended = try await cluster.partition(node: second)
                .append(BrokerFixture.batch(0..<2))
            #expect(appended.baseOffset == Offset(3))
            #expect(appended.term > Term(1))
            cluster.cut(nil)
            try await wait { lost.highWatermark == Offset(5) }
            #expect(!lost.isLeading)
        }
    }

    @Test("many groups share three journals and are all led, and led again")
    func manyGroups() async throws {
        try await withCluster(groups: 40) { cluster in
            try await wait { cluster.leaderlessCount == 0 }
            let lost = try #require(cluster.leader(of: 7))
            cluster.cut(lost)
            try await wait { cluster.leaderlessCount == 0 }
        }
    }
}
