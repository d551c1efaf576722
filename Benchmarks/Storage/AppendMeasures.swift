// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import CommitLog
import Disk
import Faults
import Logging
import PosixDisk
import Records

/// How fast records go in, beside the plain calls that put as many bytes into a file.
struct AppendMeasures {
    let root: String
    let rounds: Int
    /// Bytes that each round writes.
    let bytes: Int

    /// Batches of 64 KiB by one caller, handed to the operating system.
    func appendToPageCache() throws -> Outcome {
        let batch = Workload.batch()
        let count = bytes / batch.count
        var plain: [Double] = []
        var engine: [Double] = []
        for round in 0...rounds {
            // Each goes first in turn: the second finds the memory that the first gave back.
            let isFirst = round % 2 == 0
            let early = isFirst ? try writePlainly(batch, count: count) : 0
            let second = try appendToLog(batch, count: count)
            let first = isFirst ? early : try writePlainly(batch, count: count)
            guard round > 0 else { continue }
            plain.append(Double(batch.count * count) / first)
            engine.append(Double(batch.count * count) / second)
        }
        return ratio("append 64 KiB, os", engine, plain, bound: 0.70)
    }

    private func writePlainly(_ batch: BatchBuffer, count: Int) throws -> Double {
        let scratch = try Scratch(root, "plain")
        defer { try? scratch.clear() }
        let file = try scratch.fileSystem.open(scratch.path + "/file", .create)
        return try Measure.seconds {
            for number in 0..<count {
                try file.write(
                    [UnsafeRawBufferPointer(batch.bytes)], at: UInt64(number * batch.count))
            }
        }.0
    }

    private func appendToLog(_ batch: BatchBuffer, count: Int) throws -> Double {
        let scratch = try Scratch(root, "log")
        defer { try? scratch.clear() }
        let log = try Log(
            directory: scratch.path, group: 1, on: scratch.fileSystem,
            settings: Workload.settings(.whenWritten), now: Timestamp(milliseconds: 1), seed: 1)
        _ = log.append([batch], now: Timestamp(milliseconds: 1))
        return try Measure.seconds {
            for _ in 0..<count {
                Workload.reset(batch)
                _ = try BatchContent.check(batch.bytes, sizeMax: 1 << 20)
                let result = log.append([batch], now: Timestamp(milliseconds: 1))
                if let failure = result.failure { throw failure }
            }
        }.0
    }

    /// 64 callers with batches of 64 KiB, each answered after the sync.
    func appendSynced() async throws -> Outcome {
        let count = max(1, bytes / 2 / (1 << 20))
        var plain: [Double] = []
        var engine: [Double] = []
        for round in 0...rounds {
            let first = try syncPlainly(count: count)
            let second = try await appendFromManyCallers(megabytes: count)
            guard round > 0 else { continue }
            plain.append(Double(count << 20) / first)
            engine.append(second)
        }
        return ratio("append 64 KiB, fsync, 64 callers", engine, plain, bound: 0.70)
    }

    private func syncPlainly(count: Int) throws -> Double {
        let scratch = try Scratch(root, "plain")
        defer { try? scratch.clear() }
        let file = try scratch.fileSystem.open(scratch.path + "/file", .create)
        let block = [UInt8](repeating: 0x61, count: 1 << 20)
        return try Measure.seconds {
            for number in 0..<count {
                try file.write(block, at: UInt64(number << 20))
                try file.sync()
            }
        }.0
    }

    private func appendFromManyCallers(megabytes: Int) async throws -> Double {
        let scratch = try Scratch(root, "broker")
        defer { try? scratch.clear() }
        let broker = try openBroker(scratch)
        _ = try await broker.createTopic(
            "bench", partitionCount: 1,
            settings: ["durability": "fsync", "segment.bytes": "\(1 << 30)"])
        let partition = try broker.partition("bench", 0)
        let size = Workload.batch().count
        let each = max(1, (megabytes << 20) / size / 64)
        let seconds = try await Measure.asyncSeconds {
            try await withThrowingTaskGroup { group in
                for _ in 0..<64 {
                    group.addTask {
                        let batch = Workload.batch()
                        for _ in 0..<each {
                            Workload.reset(batch)
                            _ = try await partition.append(batch)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        await broker.close()
        return Double(each * 64 * size) / seconds
    }

    /// Single records by one caller, batched underneath.
    func appendSingleRecords() async throws -> Outcome {
        let count = bytes / Workload.recordSize
        var rates: [Double] = []
        var plain: [Double] = []
        let batch = Workload.batch()
        for round in 0...rounds {
            let first = try writePlainly(batch, count: bytes / batch.count)
            let second = try await appendRecords(count)
            guard round > 0 else { continue }
            plain.append(Double(bytes / batch.count * batch.count) / first)
            rates.append(second)
        }
        let yardstick = Measure.median(plain)
        let rate = Measure.median(rates)
        return Outcome(
            name: "append single 100 B records, os", value: rate, unit: "records/s",
            bound: 4e6 * yardstick / 3e9,
            detail: "4 M/s where pwrite gives 3 GB/s; here it gives \(gigabytes(yardstick))")
    }

    private func appendRecords(_ count: Int) async throws -> Double {
        let scratch = try Scratch(root, "broker")
        defer { try? scratch.clear() }
        let broker = try openBroker(scratch)
        _ = try await broker.createTopic(
            "bench", partitionCount: 1,
            settings: ["durability": "os", "segment.bytes": "\(1 << 30)"])
        let partition = try broker.partition("bench", 0)
        let record = Record(
            value: [UInt8](repeating: 0x61, count: Workload.recordSize),
            timestamp: Timestamp(milliseconds: 1_000_000))
        let seconds = try await Measure.asyncSeconds {
            var last: PendingRecord?
            for _ in 0..<count {
                do {
                    last = try partition.append(record)
                } catch let fault as Fault where fault.code == .overloaded {
                    try await partition.waitForRoom()
                    last = try partition.append(record)
                }
            }
            _ = try await last?.offset
        }
        await broker.close()
        return Double(count) / seconds
    }

    private func openBroker(_ scratch: Scratch) throws -> Broker {
        var settings = BrokerSettings()
        settings.diskReserveBytes = 0
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        return try Broker.open(
            dataDirectory: scratch.path, fileSystem: scratch.fileSystem, settings: settings,
            logger: logger)
    }

    func ratio(
        _ name: String, _ engine: [Double], _ plain: [Double], bound: Double
    ) -> Outcome {
        let (ours, yardstick) = (Measure.median(engine), Measure.median(plain))
        return Outcome(
            name: name, value: ours / yardstick, unit: "of plain calls", bound: bound,
            detail: "\(gigabytes(ours)) against \(gigabytes(yardstick))")
    }

    func gigabytes(_ bytesPerSecond: Double) -> String {
        "\((bytesPerSecond / 1e7).rounded() / 100) GB/s"
    }
}
