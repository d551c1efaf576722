// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import GroupCore
import KafkaProtocol
import Records
import Testing

@testable import KafkaService

@Suite("Members and their connections", .timeLimit(.minutes(1)))
struct GroupConnectionTests {
    private func joining(memberID: String = "") -> JoinGroupRequest {
        var request = JoinGroupRequest()
        request.groupId = "readers"
        request.sessionTimeoutMs = 10_000
        request.rebalanceTimeoutMs = 20_000
        request.memberId = memberID
        request.protocolType = "consumer"
        var offer = JoinGroupRequest.JoinGroupRequestProtocol()
        offer.name = "range"
        request.protocols = [offer]
        return request
    }

    @Test("a member whose connection closes while it joins is in the group no more")
    func closedWhileJoining() async throws {
        try await withListener(
            broker: brokerSettings { $0.groups.initialRebalanceDelay = 3_600_000 }
        ) {
            listener, broker in
            // Before the groups were read nobody can join.
            _ = try await broker.groups.listGroups()
            try await KafkaTestClient.connect(to: listener) { client in
                _ = try await client.send(.joinGroup, 3, joining())
                while try await broker.groups.listGroups().first?.memberCount != 1 {
                    await Task.yield()
                }
            }
            while try await broker.groups.listGroups().first?.memberCount == 1 {
                await Task.yield()
            }
        }
    }

    @Test("a member joins, syncs, commits and leaves over one connection")
    func life() async throws {
        try await withListener(broker: brokerSettings { $0.groups.initialRebalanceDelay = 0 }) {
            listener, broker in
            _ = try await broker.groups.listGroups()
            _ = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { client in
                let first = try await client.ask(
                    .joinGroup, 9, joining(), JoinGroupResponse.self)
                #expect(first.errorCode == .memberIdRequired)
                let joined = try await client.ask(
                    .joinGroup, 9, joining(memberID: first.memberId), JoinGroupResponse.self)
                #expect(joined.errorCode == .none)
                var sync = SyncGroupRequest()
                sync.groupId = "readers"
                sync.generationId = joined.generationId
                sync.memberId = joined.memberId
                sync.protocolType = "consumer"
                sync.protocolName = "range"
                let synced = try await client.ask(.syncGroup, 5, sync, SyncGroupResponse.self)
                #expect(synced.errorCode == .none)
                var commit = OffsetCommitRequest()
                commit.groupId = "readers"
                commit.generationIdOrMemberEpoch = joined.generationId
                commit.memberId = joined.memberId
                var topic = OffsetCommitRequest.OffsetCommitRequestTopic()
                topic.name = "logs"
                topic.partitions = [OffsetCommitRequest.OffsetCommitRequestPartition()]
                commit.topics = [topic]
                var leave = LeaveGroupRequest()
                leave.groupId = "readers"
                var member = LeaveGroupRequest.MemberIdentity()
                member.memberId = joined.memberId
                leave.members = [member]
                // Pipelined: the commit comes before the leaving.
                let committing = try await client.send(.offsetCommit, 9, commit)
                let leaving = try await client.send(.leaveGroup, 5, leave)
                let committed = try await client.answer(
                    .offsetCommit, 9, committing, OffsetCommitResponse.self)
                #expect(committed.topics.first?.partitions.map(\.errorCode) == [.none])
                let left = try await client.answer(
                    .leaveGroup, 5, leaving, LeaveGroupResponse.self)
                #expect(left.members.map(\.errorCode) == [.none])
            }
            let group = try await broker.groups.describeGroup("readers")
            #expect(group.state == "Empty")
            #expect(group.offsets.map(\.committedOffset) == [0])
        }
    }
}
