// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import CommitLog
import Disk
import Faults
import Foundation
import PosixDisk
import Records
import SimulatedDisk
import Testing

@Suite("A partition", .timeLimit(.minutes(1)))
struct PartitionTests {
    private func withPartition(
        _ disk: SimulatedFileSystem = SimulatedFileSystem(), settings: [String: String] = [:],
        _ change: (inout BrokerSettings) -> Void = { _ in },
        _ body: (Partition, Broker) async throws -> Void
    ) async throws {
        let broker = try BrokerFixture.open(disk, change)
        _ = try await broker.createTopic("logs", partitionCount: 1, settings: settings)
        try await body(broker.partition("logs", 0), broker)
        await broker.close()
    }

    @Test("keeps the order of each of many writers, with offsets given once")
    func manyWriters() async throws {
        try await withPartition { partition, _ in
            let offsets = try await withThrowingTaskGroup { group in
                for writer in 0..<32 {
                    group.addTask {
                        var offsets: [Offset] = []
                        for step in 0..<50 {
                            if step % 7 == 0 {
                                let number = writer * 1000 + step
                                let appended = try await partition.append(
                                    BrokerFixture.batch(number..<(number + 1)))
                                offsets.append(appended.baseOffset)
                            } else {
                                let record = BrokerFixture.record(writer * 1000 + step)
                                offsets.append(try await partition.append(record).offset)
                            }
                        }
                        return (writer, offsets)
                    }
                }
                var all: [(Int, [Offset])] = []
                for try await result in group { all.append(result) }
                return all
            }
            let stored = try await BrokerFixture.numbers(partition)
            #expect(stored.count == 32 * 50)
            for (writer, given) in offsets {
                for (step, offset) in given.enumerated() {
                    #expect(stored[Int(offset.rawValue)] == writer * 1000 + step)
                }
            }
        }
    }

    @Test("answers pipelined records in order without a sync for each")
    func pipelines() async throws {
        let disk = GatedDisk()
        let broker = try BrokerFixture.open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        let partition = try broker.partition("logs", 0)
        let before = disk.syncCount
        disk.hold()
        let pending = try (0..<2000).map { try partition.append(BrokerFixture.record($0)) }
        disk.release()
        for (number, record) in pending.enumerated() {
            #expect(try await record.offset == Offset(Int64(number)))
        }
        #expect(disk.syncCount - before < 20)
        await broker.close()
    }

    @Test("syncs many partitions in one round")
    func wideRounds() async throws {
        let disk = GatedDisk()
        let broker = try BrokerFixture.open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 40, settings: [:])
        let partitions = try (0..<40).map { try broker.partition("logs", $0) }
        for round in 0..<5 {
            disk.hold()
            let pending = try partitions.map { try $0.append(BrokerFixture.record(round)) }
            disk.release()
            for record in pending { #expect(try await record.offset == Offset(Int64(round))) }
        }
        await broker.close()
    }

    @Test("wakes who waits at the tail, once there is something, and not before")
    func tail() async throws {
        try await withPartition { partition, _ in
            let reader = Task { () -> [Int] in
                var seen: [Int] = []
                var offset = Offset.zero
                while seen.count < 20 {
                    try await partition.waitForRecords(beyond: offset)
                    let batches = try await partition.read(from: offset, bytesMax: 1 << 16)
                    #expect(!batches.isEmpty)
                    seen += Array(Int(offset.rawValue)..<Int(batches.nextOffset.rawValue))
                    offset = batches.nextOffset
                }
                return seen
            }
            for number in 0..<20 {
                _ = try await partition.append(BrokerFixture.record(number)).offset
            }
            #expect(try await reader.value == Array(0..<20))
        }
    }

    @Test("lets go of a reader that is cancelled while it waits")
    func cancelledReader() async throws {
        try await withPartition { partition, _ in
            let reader = Task { try await partition.waitForRecords(beyond: Offset(10)) }
            reader.cancel()
            await #expect(throws: Fault.self) { try await reader.value }
        }
    }

    @Test("refuses what is too large, damaged, or not a batch, before it is queued")
    func badBatches() async throws {
        try await withPartition(settings: ["max.message.bytes": "2048"]) { partition, _ in
            func code(_ bytes: [UInt8]) async -> ErrorCode? {
                do throws(Fault) {
                    _ = try await partition.append(BatchBuffer(copying: bytes))
                    return nil
                } catch {
                    return error.code
                }
            }
            let good = BrokerFixture.batch(0..<3)
            let bytes = good.bytes.withMemoryRebound(to: UInt8.self) { Array($0) }
            #expect(await code([]) == .invalidBatch)
            #expect(await code(Array(bytes.prefix(60))) == .invalidBatch)
            #expect(await code(bytes + [0]) == .invalidBatch)
            #expect(await code([UInt8](repeating: 0, count: 4000)) == .batchTooLarge)
            var flipped = bytes
            flipped[70] ^= 1
            #expect(await code(flipped) == .corruptBatch)
            for (position, value) in [(16, UInt8(1)), (7, 9), (60, 4), (57, 0x80), (8, 0x7f)] {
                var changed = bytes
                changed[position] = value
                #expect(await code(changed) == .invalidBatch, "byte \(position)")
            }
            #expect(throws: Fault.self) {
                try partition.append(BrokerFixture.record(0, size: 3000))
            }
            #expect(partition.highWatermark == .zero)
            #expect(await code(bytes) == nil)
            #expect(partition.highWatermark == Offset(3))
        }
    }

    @Test("says when its queue is full, and when there is room again")
    func fullQueue() async throws {
        try await withPartition { settings in
            settings.queueBytesMax = 4096
        } _: { partition, _ in
            var refused = 0
            for number in 0..<2000 {
                do throws(Fault) {
                    _ = try partition.append(BrokerFixture.record(number, size: 200))
                } catch {
                    #expect(error.code == .overloaded)
                    refused += 1
                    try await partition.waitForRoom()
                }
            }
            #expect(refused > 0)
        }
    }

    @Test("stops taking records after a failed sync, and goes on serving what it had")
    func failedSync() async throws {
        let disk = SimulatedFileSystem()
        try await withPartition(disk) { partition, _ in
            _ = try await partition.append(BrokerFixture.batch(0..<5))
            disk.faults.sync = .always
            await #expect(throws: Fault.self) {
                try await partition.append(BrokerFixture.batch(5..<6))
            }
            disk.faults.sync = .never
            do throws(Fault) {
                _ = try await partition.append(BrokerFixture.batch(6..<7))
                Issue.record("a failed partition took a batch")
            } catch {
                #expect(error.code == .storageFailed)
            }
            #expect(try await BrokerFixture.numbers(partition) == Array(0..<5))
            #expect(await partition.describe().state == "failed")
        }
    }

    @Test("refuses appends on a full disk, reads on, and resumes by itself")
    func fullDisk() async throws {
        let disk = SimulatedFileSystem()
        try await withPartition(disk) { partition, broker in
            _ = try await partition.append(BrokerFixture.batch(0..<5))
            disk.faults.capacity = disk.usedSpace + 64
            do throws(Fault) {
                _ = try await partition.append(BrokerFixture.batch(5..<6, size: 5000))
                Issue.record("a full disk took a batch")
            } catch {
                #expect(error.code == .diskFull)
            }
            // The batch is refused a moment before the broker knows the disk's state.
            while broker.diskState == .ok { await Task.yield() }
            #expect(try await BrokerFixture.numbers(partition) == Array(0..<5))
            disk.faults.capacity = 1 << 44
            while broker.diskState != .ok { await Task.yield() }
            _ = try await partition.append(BrokerFixture.batch(5..<7))
            #expect(try await BrokerFixture.numbers(partition) == Array(0..<7))
        }
    }

    @Test("finds offsets from both ends and by time, whatever is asked for")
    func finds() async throws {
        try await withPartition { partition, _ in
            _ = try await partition.append(BrokerFixture.batch(0..<10))
            #expect(try await partition.deleteRecords(before: Offset(3)) == Offset(3))
            for (query, expected) in [
                (OffsetQuery.earliest, 3), (.latest, 10), (.last(4), 6), (.last(100), 3),
                (.last(.max), 3), (.last(.min), 10), (.offset(Offset(5)), 5),
                (.timestamp(Timestamp(milliseconds: 1007)), 7),
                (.timestamp(Timestamp(milliseconds: .max)), 10),
                (.timestamp(Timestamp(milliseconds: .min)), 3),
            ] as [(OffsetQuery, Int64)] {
                #expect(try await partition.find(query).offset == Offset(expected), "\(query)")
            }
            for offset in [Int64.min, -1, 2, 11, .max] {
                await #expect(throws: Fault.self) {
                    try await partition.find(.offset(Offset(offset)))
                }
                await #expect(throws: Fault.self) {
                    try await partition.read(from: Offset(offset), bytesMax: 100)
                }
            }
        }
    }

    @Test("keeps house by the clock: old segments are closed and removed")
    func keepsHouse() async throws {
        let disk = SimulatedFileSystem()
        let time = TestClock()
        let broker = try BrokerFixture.open(disk, clock: time.clock) {
            $0.housekeepingMilliseconds = 10
        }
        _ = try await broker.createTopic(
            "logs", partitionCount: 1, settings: ["segment.ms": "1000", "retention.ms": "5000"])
        let partition = try broker.partition("logs", 0)
        _ = try await partition.append(BrokerFixture.batch(0..<5))
        time.advance(milliseconds: 60_000)
        while partition.logStartOffset < Offset(5) { await Task.yield() }
        while try stores(disk) > 1 { await Task.yield() }
        _ = try await partition.append(BrokerFixture.batch(5..<6))
        #expect(try await BrokerFixture.numbers(partition, from: 5) == [5])
        await broker.close()
    }

    @Test("finds damage in closed segments while nobody reads them")
    func scrubs() async throws {
        let disk = SimulatedFileSystem()
        let broker = try BrokerFixture.open(disk) { $0.scrubBytesPerSecond = 1 << 30 }
        _ = try await broker.createTopic(
            "logs", partitionCount: 1, settings: ["segment.bytes": "\(1 << 20)"])
        let partition = try broker.partition("logs", 0)
        for number in 0..<30 {
            _ = try await partition.append(
                BrokerFixture.batch(number..<(number + 1), size: 100_000))
        }
        let folder = try disk.list("/data/partitions")[0]
        disk.mutate("/data/partitions/\(folder)/00000000000000000000.store") { $0[5000] ^= 1 }
        while await partition.describe().damaged.isEmpty { await Task.yield() }
        #expect(await partition.describe().damaged == [0..<1])
        await broker.close()
    }

    @Test("opens many logs of ten segments with few descriptors")
    func manyLogs() async throws {
        // Some of them here, on a real disk; the benchmarks open ten thousand.
        let root = FileManager.default.temporaryDirectory.path + "/cordwood-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let disk = PosixFileSystem(descriptorLimit: 64)
        var logs: [Log] = []
        for number in 0..<200 {
            let directory = root + "/\(number)"
            try disk.createDirectory(directory)
            var settings = LogSettings()
            settings.segmentSizeMax = 1024
            settings.commitRule = .whenWritten
            let log = try Log(
                directory: directory, group: UInt64(number), on: disk, settings: settings,
                now: Timestamp(milliseconds: 1), seed: UInt64(number))
            for step in 0..<10 {
                let result = log.append(
                    [BrokerFixture.batch(step..<(step + 1), size: 900)],
                    now: Timestamp(milliseconds: 1))
                #expect(result.failure == nil)
            }
            try log.sync()
            logs.append(log)
        }
        #expect(disk.openDescriptors <= 64)
        for log in logs {
            #expect(log.snapshot.segmentCount == 10)
            let batches = try log.snapshot.read(
                from: .zero, bytesMax: 1 << 16, verifying: true
            ).batches
            #expect(!batches.isEmpty)
        }
        #expect(disk.openDescriptors <= 64)
    }

    private func stores(_ disk: SimulatedFileSystem) throws -> Int {
        let folder = try disk.list("/data/partitions")[0]
        return try disk.list("/data/partitions/" + folder).filter { $0.hasSuffix(".store") }.count
    }
}
