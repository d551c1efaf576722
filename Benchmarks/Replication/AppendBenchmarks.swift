// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import CommitLog
import Disk
import Foundation
import PosixDisk
import Records

/// What an append costs with one replica and with three.
struct AppendBenchmarks {
    let root: String
    let rounds: Int

    private func batch(_ bytes: Int) -> BatchBuffer {
        var builder = BatchBuilder(capacity: bytes + 256)
        builder.append(
            key: nil, value: [UInt8](repeating: 0x61, count: bytes),
            timestamp: Timestamp(milliseconds: 1_000_000))
        return builder.finish(nextCapacity: 0)
    }

    // MARK: A group of one beside the bare log

    /// Batches of 64 KiB to the page cache: by the log alone, and by a replica without peers.
    func alone() async throws -> [Outcome] {
        let count = 4096
        var bare: [Double] = []
        var replica: [Double] = []
        for round in 0...rounds {
            let left = try bareAppends(count)
            let right = try replicaAppends(count)
            if round > 0 {
                bare.append(left)
                replica.append(right)
            }
        }
        let ratio = Measure.median(zip(replica, bare).map { $0 / $1 })
        return [
            Outcome(
                name: "append 64 KiB, group of one beside the bare log", value: ratio, unit: "×",
                bound: 1.03, isCeiling: true,
                detail: "\(Int(Measure.median(bare) * 1e9) / count) ns bare, "
                    + "\(Int(Measure.median(replica) * 1e9) / count) ns")
        ]
    }

    private func bareAppends(_ count: Int) throws -> Double {
        let scratch = try Scratch(root, "bare")
        defer { try? scratch.clear() }
        var settings = LogSettings()
        settings.commitRule = .whenWritten
        settings.segmentSizeMax = 1 << 30
        let log = try Log(
            directory: scratch.path, group: 1, on: scratch.fileSystem, settings: settings,
            now: Timestamp(milliseconds: 1), seed: 1)
        let batch = batch(64 << 10)
        return try Measure.seconds {
            for _ in 0..<count {
                BatchHeader.stamp(batch.mutableBytes, baseOffset: .zero, leaderEpoch: -1)
                let result = log.append([batch], now: Timestamp(milliseconds: 1))
                if let failure = result.failure { throw failure }
            }
        }.0
    }

    private func replicaAppends(_ count: Int) throws -> Double {
        let scratch = try Scratch(root, "replica")
        defer { try? scratch.clear() }
        let replica = try LoneReplica(scratch.path, on: scratch.fileSystem)
        let batch = batch(64 << 10)
        return try Measure.seconds {
            for _ in 0..<count {
                BatchHeader.stamp(batch.mutableBytes, baseOffset: .zero, leaderEpoch: -1)
                try replica.append(batch)
            }
        }.0
    }

    // MARK: Three replicas

    /// One caller, one record of 1 KiB at a time, synced on a majority.
    func latency() async throws -> [Outcome] {
        let disk = try syncLatency()
        let three = try await BenchmarkCluster(root, nodes: 3)
        let one = try await BenchmarkCluster(root, nodes: 1)
        let single = try await latencies(one, count: 500)
        let replicated = try await latencies(three, count: 500)
        await three.close()
        await one.close()
        let after = try syncLatency()
        let device = (Measure.median(disk) + Measure.median(after)) / 2
        let p50 = Measure.median(replicated)
        let p99 = replicated.sorted()[replicated.count * 99 / 100]
        return [
            Outcome(
                name: "three replicas, one caller, p50", value: p50 * 1e6, unit: "µs",
                bound: (1.5 * device + 0.0003) * 1e6, isCeiling: true,
                detail: "fdatasync \(Int(device * 1e6)) µs, group of one "
                    + "\(Int(Measure.median(single) * 1e6)) µs, p99 \(Int(p99 * 1e6)) µs")
        ]
    }

    /// The time of `fdatasync` behind 4 KiB that lengthen a file.
    private func syncLatency() throws -> [Double] {
        let scratch = try Scratch(root, "sync")
        defer { try? scratch.clear() }
        let file = try scratch.fileSystem.open(scratch.path + "/file", .create)
        let block = [UInt8](repeating: 1, count: 4096)
        var times: [Double] = []
        for step in 0..<300 {
            try file.write(block, at: UInt64(step * 4096))
            times.append(try Measure.seconds { try file.sync() }.0)
        }
        return times
    }

    private func latencies(_ cluster: BenchmarkCluster, count: Int) async throws -> [Double] {
        let partition = try cluster.leader()
        var times: [Double] = []
        for step in 0..<(count + 50) {
            let batch = batch(1024)
            let seconds = try await Measure.asyncSeconds { _ = try await partition.append(batch) }
            if step >= 50 { times.append(seconds) }
        }
        return times
    }

    /// 64 callers, each with one record of 1 KiB at a time.
    func throughput() async throws -> [Outcome] {
        var ratios: [Double] = []
        var figures: [(Double, Double)] = []
        for round in 0...rounds {
            let one = try await rate(nodes: 1, callers: 64, bytes: 1024, seconds: 2)
            let three = try await rate(nodes: 3, callers: 64, bytes: 1024, seconds: 2)
            guard round > 0 else { continue }
            ratios.append(three / one)
            figures.append((one, three))
        }
        return [
            Outcome(
                name: "three replicas, 64 callers, beside a group of one",
                value: Measure.median(ratios), unit: "×", bound: 0.8,
                detail: "\(Int(Measure.median(figures.map(\.1)))) appends/s, "
                    + "\(Int(Measure.median(figures.map(\.0)))) with one")
        ]
    }

    /// 16 callers with batches of 64 KiB: every byte is written three times.
    func bulk() async throws -> [Outcome] {
        var ratios: [Double] = []
        var rates: [Double] = []
        for round in 0...rounds {
            let one = try await rate(nodes: 1, callers: 16, bytes: 64 << 10, seconds: 2)
            let three = try await rate(nodes: 3, callers: 16, bytes: 64 << 10, seconds: 2)
            guard round > 0 else { continue }
            ratios.append(three / one)
            rates.append(three * 65_536 / 1e6)
        }
        return [
            Outcome(
                name: "three replicas, 64 KiB batches, beside a group of one",
                value: Measure.median(ratios), unit: "×", bound: 0.3,
                detail: "\(Int(Measure.median(rates))) MB/s, each byte handled three times")
        ]
    }

    private func rate(
        nodes: Int, callers: Int, bytes: Int, seconds: Int
    ) async throws -> Double {
        let cluster = try await BenchmarkCluster(root, nodes: nodes)
        let partition = try cluster.leader()
        let end = ContinuousClock.now + .seconds(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    var count = 0
                    while ContinuousClock.now < end {
                        _ = try await partition.append(batch(bytes))
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        await cluster.close()
        return Double(count) / Double(seconds)
    }
}

/// A folder for one measure, made empty and removed afterwards.
struct Scratch {
    let path: String
    let fileSystem = PosixFileSystem()

    init(_ root: String, _ name: String) throws {
        path = root + "/" + name
        try clear()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func clear() throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }
}
