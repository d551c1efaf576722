// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import GroupCore
import KafkaProtocol
import SimulatedDisk
import Testing

@testable import KafkaService

/// What tests of the handlers of groups share: a broker with a topic `logs` of two partitions, and
/// members that come and go.
struct GroupHandlersFixture {
    let base: AdminFixture

    init() async throws {
        base = try AdminFixture(SimulatedFileSystem(), { $0.groups.initialRebalanceDelay = 0 })
        _ = try await base.makeTopic("logs", partitions: 2)
        // The groups have been read when this is answered.
        _ = try await base.broker.groups.listGroups()
    }

    func close() async { await base.broker.close() }

    func joining(
        _ group: String, memberID: String = "", instanceID: String? = nil
    ) -> JoinGroupRequest {
        var request = JoinGroupRequest()
        request.groupId = group
        request.sessionTimeoutMs = 10_000
        request.rebalanceTimeoutMs = 20_000
        request.memberId = memberID
        request.groupInstanceId = instanceID
        request.protocolType = "consumer"
        var offer = JoinGroupRequest.JoinGroupRequestProtocol()
        offer.name = "range"
        // Version 0 of a subscription to `logs`.
        offer.metadata = [0, 0, 0, 0, 0, 1, 0, 4] + Array("logs".utf8) + [0, 0, 0, 0]
        request.protocols = [offer]
        return request
    }

    func join(_ request: JoinGroupRequest, version: Int16) async throws -> JoinGroupResponse {
        try await base.call(request, version: version) { $0.joinGroup }
    }

    /// A member alone in its group, with the assignment of these bytes.
    func member(
        of group: String, version: Int16 = 5, instanceID: String? = nil
    ) async throws -> JoinGroupResponse {
        var joined = try await join(joining(group, instanceID: instanceID), version: version)
        if joined.errorCode == .memberIdRequired {
            joined = try await join(
                joining(group, memberID: joined.memberId), version: version)
        }
        try #require(joined.errorCode == .none)
        let synced = try await sync(
            group, joined, version: 3, instanceID: instanceID, assignment: [0, 0, 9])
        try #require(synced.errorCode == .none)
        return joined
    }

    func sync(
        _ group: String, _ joined: JoinGroupResponse, version: Int16, instanceID: String? = nil,
        protocolName: String? = nil, assignment: [UInt8]
    ) async throws -> SyncGroupResponse {
        var request = SyncGroupRequest()
        request.groupId = group
        request.generationId = joined.generationId
        request.memberId = joined.memberId
        request.groupInstanceId = instanceID
        if let protocolName {
            request.protocolType = "consumer"
            request.protocolName = protocolName
        }
        var row = SyncGroupRequest.SyncGroupRequestAssignment()
        row.memberId = joined.memberId
        row.assignment = assignment
        request.assignments = [row]
        return try await base.call(request, version: version) { $0.syncGroup }
    }

    func heartbeat(
        _ group: String, _ joined: JoinGroupResponse, version: Int16
    ) async throws -> KafkaErrorCode {
        var request = HeartbeatRequest()
        request.groupId = group
        request.generationId = joined.generationId
        request.memberId = joined.memberId
        return try await base.call(request, version: version) { $0.heartbeat }.errorCode
    }

    /// Commits offsets of `logs` and gives each row's error.
    func commit(
        _ group: String, _ offsets: [Int32: Int64], topic: String = "logs", version: Int16,
        as member: JoinGroupResponse? = nil, metadata: String? = "note"
    ) async throws -> [KafkaErrorCode] {
        var request = OffsetCommitRequest()
        request.groupId = group
        request.generationIdOrMemberEpoch = member?.generationId ?? -1
        request.memberId = member?.memberId ?? ""
        var row = OffsetCommitRequest.OffsetCommitRequestTopic()
        row.name = topic
        row.partitions = offsets.sorted { $0.key < $1.key }.map { partition, offset in
            var cell = OffsetCommitRequest.OffsetCommitRequestPartition()
            cell.partitionIndex = partition
            cell.committedOffset = offset
            cell.committedLeaderEpoch = version >= 6 ? 3 : -1
            cell.committedMetadata = metadata
            return cell
        }
        request.topics = [row]
        let response: OffsetCommitResponse = try await base.call(request, version: version) {
            $0.offsetCommit
        }
        #expect(response.topics.map(\.name) == [topic])
        #expect(response.topics[0].partitions.map(\.partitionIndex) == offsets.keys.sorted())
        return response.topics[0].partitions.map(\.errorCode)
    }
}
