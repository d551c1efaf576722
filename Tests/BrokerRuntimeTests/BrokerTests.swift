// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import CommitLog
import Disk
import Faults
import PosixDisk
import Records
import SimulatedDisk
import Testing

@Suite("A broker", .timeLimit(.minutes(1)))
struct BrokerTests {
    @Test("gives back what was appended, in order, and after a restart")
    func roundTrip() async throws {
        let disk = SimulatedFileSystem()
        let broker = try BrokerFixture.open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 2, settings: [:])
        let partition = try broker.partition("logs", 1)
        for number in 0..<10 {
            let offset = try await partition.append(BrokerFixture.record(number)).offset
            #expect(offset == Offset(Int64(number)))
        }
        #expect(try await BrokerFixture.numbers(partition) == Array(0..<10))
        await broker.close()

        let again = try BrokerFixture.open(disk)
        #expect(again.topics.map(\.name) == ["logs"])
        #expect(again.storeID == broker.storeID)
        let reopened = try again.partition("logs", 1)
        #expect(reopened.highWatermark == Offset(10))
        #expect(try await BrokerFixture.numbers(reopened, from: 4) == Array(4..<10))
        #expect(try await reopened.append(BrokerFixture.record(10)).offset == Offset(10))
        await again.close()
    }

    @Test("keeps what it acknowledged through a power cut")
    func powerCut() async throws {
        let disk = SimulatedFileSystem(seed: 7)
        let broker = try BrokerFixture.open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        let partition = try broker.partition("logs", 0)
        _ = try await partition.append(BrokerFixture.batch(0..<20))
        _ = try await partition.append(BrokerFixture.batch(20..<30))
        disk.crash()
        let again = try BrokerFixture.open(disk)
        let numbers = try await BrokerFixture.numbers(again.partition("logs", 0))
        #expect(numbers == Array(0..<30))
        await again.close()
        await broker.close()
    }

    @Test("lets no second server use its directory")
    func lock() async throws {
        let disk = SimulatedFileSystem()
        let broker = try BrokerFixture.open(disk)
        #expect(throws: Fault.self) { try BrokerFixture.open(disk) }
        await broker.close()
        let again = try BrokerFixture.open(disk)
        await again.close()
    }

    @Test("refuses names, counts and settings that make no sense, and changes nothing")
    func refusals() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem())
        for name in [
            "", ".", "..", "../../etc", "a b", "a\u{0}b", "ä", String(repeating: "x", count: 250),
        ] {
            await #expect(throws: Fault.self, "\(name)") {
                try await broker.createTopic(name, partitionCount: 1, settings: [:])
            }
        }
        for count in [0, -1, 1025, Int.max, Int.min] {
            await #expect(throws: Fault.self) {
                try await broker.createTopic("logs", partitionCount: count, settings: [:])
            }
        }
        for (name, value) in [
            ("durability", "maybe"), ("retention.ms", "-2"), ("segment.bytes", "1"),
            ("colour", "red"),
            ("max.message.bytes", "99999999999999999999"),
        ] {
            await #expect(throws: Fault.self) {
                try await broker.createTopic("logs", partitionCount: 1, settings: [name: value])
            }
        }
        _ = try await broker.createTopic(
            "logs", partitionCount: 1, settings: [:], validateOnly: true)
        #expect(broker.topics.isEmpty)
        #expect(throws: Fault.self) { try broker.partition("logs", 0) }
        await broker.close()
    }

    @Test("configures a topic while it is written, for good")
    func configures() async throws {
        let disk = SimulatedFileSystem()
        let broker = try BrokerFixture.open(disk)
        _ = try await broker.createTopic(
            "logs", partitionCount: 1, settings: ["durability": "os"])
        let partition = try broker.partition("logs", 0)
        _ = try await partition.append(BrokerFixture.batch(0..<5))
        let changed = try await broker.configureTopic(
            "logs", set: ["max.message.bytes": "2048"], reset: ["durability"])
        #expect(changed.settings.first { $0.name == "durability" }?.value == "fsync")
        #expect(partition.batchSizeMax == 2048)
        _ = try await partition.append(BrokerFixture.batch(5..<10))
        await #expect(throws: Fault.self) {
            try await partition.append(BrokerFixture.batch(10..<11, size: 4000))
        }
        await broker.close()
        let again = try BrokerFixture.open(disk)
        #expect(try again.topic("logs").settings == changed.settings)
        #expect(try await BrokerFixture.numbers(again.partition("logs", 0)) == Array(0..<10))
        await again.close()
    }

    @Test("deletes a topic with its files, and ends those who wait for it")
    func deletes() async throws {
        let disk = SimulatedFileSystem()
        let broker = try BrokerFixture.open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 3, settings: [:])
        let partition = try broker.partition("logs", 0)
        let waiting = Task { try await partition.waitForRecords(beyond: .zero) }
        try await broker.deleteTopic("logs")
        await #expect(throws: Fault.self) { try await waiting.value }
        await #expect(throws: Fault.self) {
            try await partition.append(BrokerFixture.batch(0..<1))
        }
        #expect(throws: Fault.self) { try broker.partition("logs", 0) }
        await broker.close()
        #expect(try disk.list("/data/partitions").isEmpty)
        let again = try BrokerFixture.open(disk)
        _ = try await again.createTopic("logs", partitionCount: 1, settings: [:])
        #expect(try again.partition("logs", 0).highWatermark == .zero)
        await again.close()
    }

    @Test("serves other partitions when one cannot be opened")
    func onePartitionIsDamaged() async throws {
        let disk = SimulatedFileSystem()
        let broker = try BrokerFixture.open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 2, settings: [:])
        for number in 0..<2 {
            _ = try await broker.partition("logs", number).append(BrokerFixture.batch(0..<5))
        }
        await broker.close()
        let folder = try #require(
            try disk.list("/data/partitions").first { $0.hasSuffix("-1") })
        let store = "/data/partitions/\(folder)/00000000000000000000.store"
        disk.mutate(store) { $0[300] ^= 1 }
        disk.mutate("/data/partitions/\(folder)/checkpoint") {
            $0[30] ^= 1
            $0[542] ^= 1
        }
        try disk.rename(store, to: store + ".gone")
        let again = try BrokerFixture.open(disk)
        _ = try await again.partition("logs", 0).append(BrokerFixture.batch(5..<6))
        #expect(try await BrokerFixture.numbers(again.partition("logs", 0)) == Array(0..<6))
        await again.close()
    }

    @Test("answers what waits when it is closed, and refuses what comes after")
    func closes() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem())
        _ = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        let partition = try broker.partition("logs", 0)
        let pending = try (0..<100).map { try partition.append(BrokerFixture.record($0)) }
        let waiting = Task { try await partition.waitForRecords(beyond: Offset(1000)) }
        await broker.close()
        for (number, record) in pending.enumerated() {
            #expect(try await record.offset == Offset(Int64(number)))
        }
        await #expect(throws: Fault.self) { try await waiting.value }
        #expect(throws: Fault.self) { try partition.append(BrokerFixture.record(0)) }
        await broker.close()
    }
}
