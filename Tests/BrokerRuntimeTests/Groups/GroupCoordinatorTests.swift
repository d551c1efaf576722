// SPDX-License-Identifier: Apache-2.0

import ClusterCore
import CommitLog
import Disk
import Faults
import GroupCore
import Records
import SimulatedDisk
import Testing

@testable import BrokerRuntime

@Suite("The coordinator of groups", .timeLimit(.minutes(1)))
struct GroupCoordinatorTests {
    @Test("keeps committed offsets through a power cut, and members of a stable generation")
    func powerCut() async throws {
        let disk = try GroupFixture.disk(seed: 11)
        let broker = try await GroupFixture.open(disk)
        let topic = try await broker.createTopic("logs", partitionCount: 2, settings: [:])
        let member = try await GroupFixture.join(broker, "readers")
        #expect(
            await GroupFixture.commit(broker, "readers", topic, [0: 17, 1: 4], as: member) == [
                nil, nil,
            ])
        await GroupFixture.powerCut(broker, disk)

        let again = try await GroupFixture.open(disk)
        #expect(await GroupFixture.committed(again, "readers", "logs", 2) == [17, 4])
        // Nobody has to join again.
        let heartbeat = Heartbeat(
            groupID: "readers", generation: member.generation, memberID: member.memberID)
        #expect(await again.groups.heartbeat(heartbeat) == nil)
        #expect(await GroupFixture.commit(again, "readers", topic, [0: 20], as: member) == [nil])
        #expect(await GroupFixture.committed(again, "readers", "logs", 2) == [20, 4])
        await again.close()
    }

    @Test("acknowledges no offset that a power cut takes, wherever it comes")
    func crashPoints() async throws {
        var stops = 0
        for call in stride(from: 1, through: 160, by: 7) {
            let disk = try GroupFixture.disk(seed: UInt64(call))
            let broker = try await GroupFixture.open(disk) { $0.groupSnapshotBytes = 2000 }
            let topic = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
            disk.crashAfter(calls: call)
            var acknowledged: Int64 = -1
            for offset in 0..<Int64(60) {
                let errors = await GroupFixture.commit(broker, "readers", topic, [0: offset])
                guard errors == [nil] else { break }
                acknowledged = offset
            }
            stops += disk.isStopped ? 1 : 0
            await GroupFixture.powerCut(broker, disk)
            let again = try await GroupFixture.open(disk)
            let found = try #require(
                await GroupFixture.committed(again, "readers", "logs", 1).first)
            // The one that was under way may have come through.
            #expect(found == acknowledged || found == acknowledged + 1, "call \(call)")
            await again.close()
        }
        #expect(stops > 10)
    }

    @Test("writes its state anew as it grows, and comes back with all of it")
    func growth() async throws {
        let disk = try GroupFixture.disk(seed: 2)
        for life in 0..<Int64(12) {
            let broker = try await GroupFixture.open(disk) { $0.groupSnapshotBytes = 1 << 10 }
            if life == 0 {
                _ = try await broker.createTopic("logs", partitionCount: 3, settings: [:])
            }
            let topic = try broker.topic("logs")
            // All at once, so that there is always something on its way when a snapshot is due.
            await withTaskGroup { tasks in
                for group in 0..<Int64(20) {
                    tasks.addTask {
                        for number in (life * 20)..<(life * 20 + 15 + life) {
                            let errors = await GroupFixture.commit(
                                broker, "group \(group)", topic,
                                [0: number, 1: number + group, 2: group],
                                metadata: String(repeating: "m", count: 100))
                            #expect(errors == [nil, nil, nil])
                        }
                    }
                }
            }
            await broker.close()
            let again = try await GroupFixture.open(disk)
            let last = life * 20 + 14 + life
            for group in 0..<Int64(20) {
                #expect(
                    await GroupFixture.committed(again, "group \(group)", "logs", 3)
                        == [last, last + group, group])
            }
            #expect(try await again.groups.listGroups().count == 20)
            await again.close()
        }
        let size = try disk.list("/data/groups").reduce(0) { size, name in
            size + (disk.contents("/data/groups/" + name)?.count ?? 0)
        }
        // The commits took twice as much; a segment that is being filled is not cut.
        #expect(size < 2 << 20)
    }

    @Test("says that an offset was not committed when the disk does not take it")
    func diskFailure() async throws {
        let disk = try GroupFixture.disk(seed: 2)
        let broker = try await GroupFixture.open(disk)
        let topic = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        #expect(await GroupFixture.commit(broker, "readers", topic, [0: 1]) == [nil])
        var faults = FaultPlan()
        faults.sync = .always
        faults.pathPart = "groups"
        disk.faults = faults
        let errors = await GroupFixture.commit(broker, "readers", topic, [0: 2])
        #expect(errors == [.coordinatorNotAvailable])
        #expect(await GroupFixture.committed(broker, "readers", "logs", 1) == [1])
        await broker.close()
    }

    @Test("answers those who wait when it stops, and nobody afterwards")
    func stop() async throws {
        let broker = try await GroupFixture.open(try GroupFixture.disk(seed: 2)) {
            $0.groups.initialRebalanceDelay = 3_600_000
        }
        async let waiting = broker.groups.joinGroup(GroupFixture.joining("readers"))
        while try await broker.groups.listGroups().isEmpty { await Task.yield() }
        await broker.close()
        #expect(await waiting.error == .coordinatorNotAvailable)
        let late = await broker.groups.heartbeat(
            Heartbeat(groupID: "readers", generation: 1, memberID: "x"))
        #expect(late == .coordinatorNotAvailable)
        await #expect(throws: Fault.self) { try await broker.groups.listGroups() }
    }

    @Test("lets go of a member that joined and whose caller went away")
    func cancellation() async throws {
        let broker = try await GroupFixture.open(try GroupFixture.disk(seed: 2)) {
            $0.groups.initialRebalanceDelay = 3_600_000
        }
        let task = Task { await broker.groups.joinGroup(GroupFixture.joining("readers")) }
        while try await broker.groups.listGroups().first?.memberCount != 1 { await Task.yield() }
        task.cancel()
        #expect(await task.value.error == .coordinatorNotAvailable)
        while try await broker.groups.listGroups().first?.memberCount == 1 { await Task.yield() }
        await broker.close()
    }

    @Test("forgets the offsets of a deleted topic, also if it was not told of it")
    func deletedTopic() async throws {
        let disk = try GroupFixture.disk(seed: 2)
        let broker = try await GroupFixture.open(disk)
        let logs = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        var gone = try await broker.createTopic("gone", partitionCount: 1, settings: [:])
        _ = await GroupFixture.commit(broker, "readers", logs, [0: 5])
        _ = await GroupFixture.commit(broker, "readers", gone, [0: 6])
        try await broker.deleteTopic("gone")
        while await GroupFixture.committed(broker, "readers", "gone", 1) != [-1] {
            await Task.yield()
        }
        // As if the server had stopped between the two.
        gone.topicID = TopicID(high: 1, low: 2)
        _ = await GroupFixture.commit(broker, "readers", gone, [0: 7])
        #expect(await GroupFixture.committed(broker, "readers", "gone", 1) == [7])
        await broker.close()
        let again = try await GroupFixture.open(disk)
        while await GroupFixture.committed(again, "readers", "gone", 1) != [-1] {
            await Task.yield()
        }
        #expect(await GroupFixture.committed(again, "readers", "logs", 1) == [5])
        await again.close()
    }

    @Test("serves nobody when its log is damaged, and says so")
    func damage() async throws {
        let disk = try GroupFixture.disk(seed: 2)
        let broker = try await GroupFixture.open(disk)
        let topic = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        for offset in 0..<Int64(20) {
            _ = await GroupFixture.commit(broker, "readers", topic, [0: offset])
        }
        await broker.close()
        disk.flipBit("/data/groups/00000000000000000000.store", at: 400)
        let again = try BrokerFixture.open(disk)
        await #expect(throws: Fault.self) { try await again.groups.describeGroup("readers") }
        let errors = await GroupFixture.commit(again, "readers", topic, [0: 1])
        #expect(errors == [.coordinatorNotAvailable])
        await again.close()

        // Who repairs the log accepts the loss; what was not damaged is there.
        let report = try LogRepair.repair(directory: "/data/groups", on: disk)
        #expect(report.givenUp.count == 1)
        let repaired = try await GroupFixture.open(disk)
        #expect(await GroupFixture.committed(repaired, "readers", "logs", 1) == [19])
        #expect(await GroupFixture.commit(repaired, "readers", topic, [0: 20]) == [nil])
        await repaired.close()
        let last = try await GroupFixture.open(disk)
        #expect(await GroupFixture.committed(last, "readers", "logs", 1) == [20])
        await last.close()
    }
}
