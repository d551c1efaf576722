// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import ClusterCore
import Disk
import Faults
import Records
import SimulatedDisk
import Testing

@Suite("A broker's topics", .timeLimit(.minutes(1)))
struct BrokerTopicsTests {
    @Test("get more partitions while the old ones are written, for good")
    func grow() async throws {
        let disk = SimulatedFileSystem()
        let broker = try BrokerFixture.open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        let old = try broker.partition("logs", 0)
        _ = try await old.append(BrokerFixture.batch(0..<5))
        let grown = try await broker.createPartitions("logs", count: 3)
        #expect(grown.partitionCount == 3)
        #expect(try broker.partition("logs", 0) === old)
        #expect(throws: Fault.self) { try broker.partition("logs", 3) }
        for number in 0..<3 {
            _ = try await broker.partition("logs", number).append(BrokerFixture.batch(5..<8))
        }
        await broker.close()
        let again = try BrokerFixture.open(disk)
        #expect(try again.topic("logs") == grown)
        #expect(try await BrokerFixture.numbers(again.partition("logs", 0)) == Array(0..<8))
        #expect(try await BrokerFixture.numbers(again.partition("logs", 2)) == Array(5..<8))
        await again.close()
    }

    @Test("do not shrink, nor grow beyond the limit, nor when it is only asked whether they can")
    func growthRefused() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem())
        _ = try await broker.createTopic("logs", partitionCount: 3, settings: [:])
        for count in [-1, 0, 1, 3, 1025, Int.max] {
            let fault = await #expect(throws: Fault.self) {
                try await broker.createPartitions("logs", count: count)
            }
            #expect(fault?.code == .invalidPartitionCount)
        }
        let fault = await #expect(throws: Fault.self) {
            try await broker.createPartitions("no-such", count: 4)
        }
        #expect(fault?.code == .topicNotFound)
        let trial = try await broker.createPartitions("logs", count: 4, validateOnly: true)
        #expect(trial.partitionCount == 4)
        #expect(try broker.topic("logs").partitionCount == 3)
        await broker.close()
    }

    @Test("have their new partitions all or none when power fails at any step of growing")
    func growthThroughCrashes() async throws {
        let prepared = SimulatedFileSystem(seed: 3)
        let first = try BrokerFixture.open(prepared)
        _ = try await first.createTopic("logs", partitionCount: 1, settings: [:])
        _ = try await first.partition("logs", 0).append(BrokerFixture.batch(0..<4))
        await first.close()

        var counts: Set<Int> = []
        for step in 1...200 {
            let disk = prepared.copy(seed: UInt64(step))
            let broker = try BrokerFixture.open(disk)
            disk.crashAfter(calls: step)
            var isDone = false
            do {
                _ = try await broker.createPartitions("logs", count: 3)
                isDone = true
            } catch {}
            let wasStopped = disk.isStopped
            disk.crashAfter(calls: nil)
            disk.crash()
            let again = try BrokerFixture.open(disk)
            let count = try again.topic("logs").partitionCount
            #expect(count == 3 || (count == 1 && !isDone), "step \(step)")
            counts.insert(count)
            if count == 1 { _ = try await again.createPartitions("logs", count: 3) }
            for number in 1..<3 {
                let partition = try again.partition("logs", number)
                #expect(partition.highWatermark == .zero, "step \(step)")
                _ = try await partition.append(BrokerFixture.batch(0..<2))
            }
            #expect(try await BrokerFixture.numbers(again.partition("logs", 0)) == Array(0..<4))
            await again.close()
            await broker.close()
            if isDone, !wasStopped { break }
            #expect(step < 200, "growing never ends")
        }
        #expect(counts == [1, 3])
    }

    @Test("are found by id, which a topic made anew does not inherit")
    func ids() async throws {
        let disk = SimulatedFileSystem()
        let broker = try BrokerFixture.open(disk)
        let old = try await broker.createTopic("logs", partitionCount: 2, settings: [:])
        #expect(try broker.topic(id: old.topicID) == old)
        #expect(
            try broker.partition(id: old.topicID, number: 1) === broker.partition("logs", 1))
        #expect(throws: Fault.self) { try broker.partition(id: old.topicID, number: 2) }
        try await broker.deleteTopic("logs", id: old.topicID)
        let new = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        #expect(throws: Fault.self) { try broker.topic(id: old.topicID) }
        #expect(throws: Fault.self) { try broker.partition(id: old.topicID, number: 0) }
        let fault = await #expect(throws: Fault.self) {
            try await broker.deleteTopic("logs", id: old.topicID)
        }
        #expect(fault?.code == .topicNotFound)
        await broker.close()
        let again = try BrokerFixture.open(disk)
        #expect(try again.topic(id: new.topicID).name == "logs")
        await again.close()
    }

    @Test("of the server's own are not for users to make, change or delete")
    func internalTopics() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem())
        let name = "__cordwood_groups"
        let faults = [
            await #expect(throws: Fault.self) {
                try await broker.createTopic(name, partitionCount: 1, settings: [:])
            },
            await #expect(throws: Fault.self) {
                try await broker.createTopic(
                    "mine", partitionCount: 1, settings: [:], isInternal: true)
            },
        ]
        #expect(broker.topics.isEmpty)
        let topic = try await broker.createTopic(
            name, partitionCount: 1, settings: ["durability": "os"], isInternal: true)
        #expect(topic.isInternal)
        let others = [
            await #expect(throws: Fault.self) { try await broker.deleteTopic(name) },
            await #expect(throws: Fault.self) {
                try await broker.createPartitions(name, count: 2)
            },
            await #expect(throws: Fault.self) {
                try await broker.configureTopic(name, set: ["durability": "fsync"], reset: [])
            },
        ]
        #expect((faults + others).allSatisfy { $0?.code == .invalidTopicName })
        #expect(try broker.topic(name) == topic)
        await broker.close()
    }

    @Test("asked for by many at once are made once")
    func concurrentCreation() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem())
        let made = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do {
                        _ = try await broker.createTopic(
                            "logs", partitionCount: 2, settings: [:])
                        return true
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(made == 1)
        #expect(broker.topics.count == 1)
        await broker.close()
    }

    @Test("take no max.message.bytes above the server's record limit")
    func recordLimit() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem()) {
            $0.messageBytesLimit = 2 << 20
        }
        let over = ["max.message.bytes": "2097153"]
        let fault = await #expect(throws: Fault.self) {
            try await broker.createTopic("logs", partitionCount: 1, settings: over)
        }
        #expect(fault?.code == .invalidSetting)
        _ = try await broker.createTopic(
            "logs", partitionCount: 1, settings: ["max.message.bytes": "2097152"])
        await #expect(throws: Fault.self) {
            try await broker.configureTopic("logs", set: over, reset: [])
        }
        #expect(try broker.partition("logs", 0).batchSizeMax == 2_097_152)
        await broker.close()
    }

    @Test("can have all their settings replaced, or only be asked whether they could")
    func replacingSettings() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem())
        _ = try await broker.createTopic(
            "logs", partitionCount: 1,
            settings: ["retention.ms": "1000", "cleanup.policy": "delete"])
        let trial = try await broker.configureTopic(
            "logs", set: ["segment.ms": "5000"], reset: [], replacesAll: true,
            validateOnly: true)
        #expect(trial.settings.filter(\.isSet).map(\.name) == ["segment.ms"])
        #expect(
            try broker.topic("logs").settings.filter(\.isSet).map(\.name)
                == ["cleanup.policy", "retention.ms"])
        let done = try await broker.configureTopic(
            "logs", set: ["segment.ms": "5000"], reset: [], replacesAll: true)
        #expect(try done == broker.topic("logs") && done == trial)
        await broker.close()
    }
}

@Suite("Producer ids", .timeLimit(.minutes(1)))
struct ProducerIDTests {
    @Test("are given out once, through blocks, restarts and kills")
    func neverAgain() async throws {
        let disk = SimulatedFileSystem(seed: 11)
        var given: Set<Int64> = []
        for life in 0..<6 {
            let broker = try BrokerFixture.open(disk)
            for _ in 0..<(life == 0 ? 2500 : 3) {
                let id = try await broker.allocateProducerID()
                #expect(id >= 0)
                #expect(given.insert(id).inserted, "\(id) was given twice")
            }
            switch life % 3 {
            case 0: await broker.close()
            case 1: disk.crashKeepingCache()
            default: disk.crash()
            }
            if life % 3 != 0 { await broker.close() }
        }
    }

    @Test("are given out once when power fails at any step of reserving them")
    func throughCrashes() async throws {
        let prepared = SimulatedFileSystem(seed: 5)
        await (try BrokerFixture.open(prepared)).close()
        for step in 1...12 {
            let disk = prepared.copy(seed: UInt64(step))
            let broker = try BrokerFixture.open(disk)
            disk.crashAfter(calls: step)
            var given: Set<Int64> = []
            do {
                while given.count < 1500 { given.insert(try await broker.allocateProducerID()) }
            } catch {}
            disk.crashAfter(calls: nil)
            disk.crash()
            let again = try BrokerFixture.open(disk)
            let id = try await again.allocateProducerID()
            #expect(!given.contains(id), "step \(step)")
            await again.close()
            await broker.close()
        }
    }

    @Test("differ for all who ask at once")
    func concurrent() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem())
        let ids = try await withThrowingTaskGroup(of: Int64.self) { group in
            for _ in 0..<50 { group.addTask { try await broker.allocateProducerID() } }
            return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
        }
        #expect(ids.count == 50)
        await broker.close()
    }
}
