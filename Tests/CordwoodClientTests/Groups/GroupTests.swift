// SPDX-License-Identifier: Apache-2.0

import LogAPI
import Synchronization
import Testing

@testable import CordwoodClient

@Suite("Groups", .timeLimit(.minutes(1)))
struct GroupTests {
    private func withFakeGroups(
        _ service: FakeGroupService, _ body: (CordwoodClient) async throws -> Void
    ) async throws {
        let log = FakeLog(topic: "t", partitionCount: 2)
        try await withFakeServer(log, groups: service) { client, _ in try await body(client) }
    }

    @Test("all pages of groups are asked for")
    func pages() async throws {
        try await withFakeGroups(FakeGroupService()) { client in
            let groups = try await client.listGroups()
            #expect(groups.map(\.name) == FakeGroupService.names)
            #expect(groups.first?.state == .stable)
            #expect(groups.first?.memberCount == 1)
            #expect(groups.first?.coordinator.nodeID == "node-1")
        }
    }

    @Test("a server whose pages lead back is given up")
    func endlessPages() async throws {
        try await withFakeGroups(FakeGroupService(goesRound: true)) { client in
            let thrown = await #expect(throws: CordwoodError.self) {
                _ = try await client.listGroups()
            }
            #expect(thrown?.code == .unexpectedAnswer)
        }
    }

    @Test("what a server does not say of an offset is not known, rather than nothing")
    func describe() async throws {
        try await withFakeGroups(FakeGroupService()) { client in
            let description = try await client.describeGroup("a")
            #expect(description.assignor == "range")
            #expect(description.generation == 3)
            let member = try #require(description.members.first)
            #expect(member.instanceID == nil)
            #expect(member.assignment.map(\.partition) == [0, 1])
            let read = try #require(description.offsets.first)
            #expect(read.committedOffset == Offset(5))
            #expect(read.lag == 4)
            #expect(read.lagTime == .milliseconds(2500))
            #expect(read.commitTime == Timestamp(milliseconds: 1000))
            #expect(read.memberID == "m-1")
            let unread = try #require(description.offsets.last)
            #expect(unread.committedOffset == nil)
            #expect(unread.lag == nil)
            #expect(unread.lagTime == nil)
            #expect(unread.highWatermark == nil)
            #expect(unread.memberID == nil)
            let missing = await #expect(throws: CordwoodError.self) {
                _ = try await client.describeGroup("z")
            }
            #expect(missing?.code == .groupNotFound)
        }
    }

    @Test(
        "every target is sent as what it is",
        arguments: [
            (.position(.start), .earliest(.init())), (.position(.end), .latest(.init())),
            (.position(.offset(Offset(4))), .offset(4)), (.position(.last(10)), .last(10)),
            (.position(.timestamp(Timestamp(milliseconds: 9))), .timestampMs(9)),
            (.ago(.seconds(2.5)), .agoMs(2500)), (.ago(.seconds(Int64.max)), .agoMs(.max)),
            (.shift(-3), .shift(-3)),
        ] as [(OffsetTarget, Cordwood_V1_ResetOffsetsRequest.OneOf_To)])
    func targets(
        target: OffsetTarget, message: Cordwood_V1_ResetOffsetsRequest.OneOf_To
    ) {
        #expect(target.message == message)
    }

    @Test("a reset names the partitions that it was given, and says what was before")
    func reset() async throws {
        let service = FakeGroupService()
        try await withFakeGroups(service) { client in
            let resets = try await client.resetOffsets(
                of: "a", topics: ["t", TopicPartitions("u", partitions: [2, 0])],
                to: .position(.end), dryRun: true)
            #expect(resets.map(\.before) == [Offset(0), nil])
            #expect(resets.map(\.after) == [Offset(7), Offset(7)])
            let request = try #require(service.resets.withLock { $0.first })
            #expect(request.group == "a")
            #expect(request.dryRun)
            #expect(request.topics.map(\.topic) == ["t", "u"])
            #expect(request.topics.map(\.partitions) == [[], [2, 0]])
        }
    }

    @Test("no partitions of a topic are none, and not all of what the group has")
    func resetOfNothing() async throws {
        let service = FakeGroupService()
        try await withFakeGroups(service) { client in
            let resets = try await client.resetOffsets(
                of: "a", topics: [TopicPartitions("t", partitions: [])], to: .position(.end))
            #expect(resets.isEmpty)
            #expect(service.resets.withLock { $0.isEmpty })
            let thrown = await #expect(throws: CordwoodError.self) {
                try await client.resetOffsets(
                    of: "a", topics: [TopicPartitions("t", partitions: [-1])], to: .shift(1))
            }
            #expect(thrown?.code == .partitionNotFound)
        }
    }

    @Test("offsets are forgotten of the partitions that were named, and of nothing else")
    func deleteOffsets() async throws {
        try await withFakeGroups(FakeGroupService()) { client in
            let deleted = try await client.deleteOffsets(
                of: "a",
                topics: [
                    TopicPartitions("t", partitions: [1]), TopicPartitions("u", partitions: []),
                ])
            #expect(deleted == [GroupPartition(topic: "t", partition: 1)])
            #expect(try await client.deleteOffsets(of: "a", topics: []).isEmpty)
        }
    }

    @Test("a group with members is not deleted, and the error says so")
    func deleteWithMembers() async throws {
        try await withFakeGroups(FakeGroupService()) { client in
            let thrown = await #expect(throws: CordwoodError.self) {
                try await client.deleteGroup("a")
            }
            #expect(thrown?.code == .groupNotEmpty)
            #expect(thrown?.isRetryable == false)
        }
    }
}
