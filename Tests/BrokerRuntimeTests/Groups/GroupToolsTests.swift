// SPDX-License-Identifier: Apache-2.0

import Faults
import GroupCore
import Records
import Testing

@testable import BrokerRuntime

@Suite("What tools see of groups, and change", .timeLimit(.minutes(1)))
struct GroupToolsTests {
    @Test("a group is described with its members and how far behind it is, in records and in time")
    func describe() async throws {
        let clock = TestClock()
        let broker = try await GroupFixture.open(
            try GroupFixture.disk(seed: 1), clock: clock.clock)
        let topic = try await broker.createTopic("logs", partitionCount: 3, settings: [:])
        let now = clock.clock.wall().rawValue
        var builder = BatchBuilder()
        for number in 0..<Int64(10) {
            builder.append(
                key: nil, value: [1], timestamp: Timestamp(milliseconds: now + number * 1000))
        }
        _ = try await broker.partition("logs", 0).append(builder.finish())
        _ = try await broker.partition("logs", 1).append(BrokerFixture.batch(0..<4))
        let member = try await GroupFixture.join(broker, "readers")
        _ = await GroupFixture.commit(
            broker, "readers", topic, [0: 6, 1: 4, 2: 0], metadata: "note", as: member)
        clock.advance(milliseconds: 9000)

        let group = try await broker.groups.describeGroup("readers")
        #expect(group.state == "Stable")
        #expect(group.protocolType == "consumer")
        #expect(group.protocolName == "range")
        #expect(group.generation == member.generation)
        #expect(group.members.map(\.id) == [member.memberID])
        #expect(group.members.first?.clientID == "test")
        #expect(group.members.first?.clientHost == "127.0.0.1")
        #expect(
            group.members.first?.partitions
                == [
                    OwnedPartition(topic: "logs", partition: 0),
                    OwnedPartition(topic: "logs", partition: 1),
                ])
        #expect(group.offsets.map(\.partition) == [0, 1, 2])
        #expect(group.offsets.map(\.committedOffset) == [6, 4, 0])
        #expect(group.offsets.map(\.highWatermark) == [10, 4, 0])
        #expect(group.offsets.map(\.lag) == [4, 0, 0])
        // The record at offset 6 was made 6 s after the start, 3 s ago.
        #expect(group.offsets.map(\.lagMilliseconds) == [3000, 0, 0])
        #expect(group.offsets.map(\.memberID) == [member.memberID, member.memberID, nil])
        #expect(group.offsets.allSatisfy { $0.metadata == "note" })
        #expect(group.offsets.allSatisfy { $0.commitTime.rawValue == now })

        let listed = try await broker.groups.listGroups()
        #expect(
            listed == [
                GroupListing(
                    id: "readers", state: "Stable", protocolType: "consumer", memberCount: 1)
            ])
        await #expect(throws: Fault.self) { try await broker.groups.describeGroup("nobody") }
        await broker.close()
    }

    @Test("records that were deleted are not waited for")
    func deletedRecords() async throws {
        let broker = try await GroupFixture.open(try GroupFixture.disk(seed: 1))
        let topic = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        let partition = try broker.partition("logs", 0)
        _ = try await partition.append(BrokerFixture.batch(0..<10))
        _ = await GroupFixture.commit(broker, "readers", topic, [0: 2])
        _ = try await partition.deleteRecords(before: 7)
        let offset = try #require(try await broker.groups.describeGroup("readers").offsets.first)
        #expect(offset.committedOffset == 2)
        #expect(offset.logStartOffset == 7)
        #expect(offset.lag == 3)
        await broker.close()
    }

    @Test("offsets of a group without members are put elsewhere, and stay there")
    func reset() async throws {
        let disk = try GroupFixture.disk(seed: 1)
        let broker = try await GroupFixture.open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 2, settings: [:])
        _ = try await broker.partition("logs", 1).append(BrokerFixture.batch(0..<10))
        let groups = broker.groups
        let trial = try await groups.resetOffsets(
            of: "readers", topic: "logs", partitions: nil, to: .latest, validateOnly: true)
        #expect(trial.map(\.after) == [0, 10])
        #expect(try await groups.listGroups().isEmpty)
        let first = try await groups.resetOffsets(
            of: "readers", topic: "logs", partitions: nil, to: .latest)
        #expect(first == trial)
        let second = try await groups.resetOffsets(
            of: "readers", topic: "logs", partitions: [1],
            to: .timestamp(Timestamp(milliseconds: 1004)))
        #expect(second == [OffsetReset(topic: "logs", partition: 1, before: 10, after: 4)])
        let third = try await groups.resetOffsets(
            of: "readers", topic: "logs", partitions: [1], to: .offset(99))
        #expect(third.map(\.after) == [10])
        await broker.close()
        let again = try await GroupFixture.open(disk)
        #expect(await GroupFixture.committed(again, "readers", "logs", 2) == [0, 10])
        await again.close()
    }

    @Test(
        "groups with members, groups that are not there and topics that are not there are refused")
    func refusals() async throws {
        let broker = try await GroupFixture.open(try GroupFixture.disk(seed: 1))
        _ = try await broker.createTopic("logs", partitionCount: 2, settings: [:])
        _ = try await GroupFixture.join(broker, "readers")
        let groups = broker.groups
        let reset = { (group: String, topic: String, partitions: [Int]) -> ErrorCode? in
            do throws(Fault) {
                _ = try await groups.resetOffsets(
                    of: group, topic: topic, partitions: partitions, to: .earliest)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(await reset("readers", "logs", [0]) == .groupNotEmpty)
        #expect(await reset("", "logs", [0]) == .invalidGroup)
        #expect(await reset("others", "none", [0]) == .topicNotFound)
        #expect(await reset("others", "logs", [2]) == .partitionNotFound)
        let delete = { (group: String) -> ErrorCode? in
            do throws(Fault) {
                try await groups.deleteGroup(group)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(await delete("readers") == .groupNotEmpty)
        #expect(await delete("others") == .groupNotFound)
        _ = try await groups.resetOffsets(
            of: "others", topic: "logs", partitions: nil, to: .earliest)
        #expect(await delete("others") == nil)
        #expect(try await groups.listGroups().map(\.id) == ["readers"])
        await broker.close()
    }
}
