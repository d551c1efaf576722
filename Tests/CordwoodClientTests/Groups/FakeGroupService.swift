// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import LogAPI
import Synchronization

@testable import CordwoodClient

/// A cordwood.v1.GroupService of a few groups, which answers two groups a page.
final class FakeGroupService: Cordwood_V1_GroupService.SimpleServiceProtocol {
    /// The names of the groups, in order.
    static let names = ["a", "b", "c", "d", "e"]

    /// What was asked for.
    let resets = Mutex<[Cordwood_V1_ResetOffsetsRequest]>([])
    /// Whether pages lead back to the first one.
    let goesRound: Bool

    init(goesRound: Bool = false) { self.goesRound = goesRound }

    func listGroups(
        request: Cordwood_V1_ListGroupsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ListGroupsResponse {
        var response = Cordwood_V1_ListGroupsResponse()
        let rest = Self.names.filter { $0 > request.pageToken }
        response.groups = rest.prefix(2).map(Self.group)
        if rest.count > 2 { response.nextPageToken = goesRound ? "a" : rest[1] }
        return response
    }

    func describeGroup(
        request: Cordwood_V1_DescribeGroupRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DescribeGroupResponse {
        guard Self.names.contains(request.group) else {
            throw FakeLog.failure(.groupNotFound, .notFound, "there is no group \(request.group)")
        }
        var response = Cordwood_V1_DescribeGroupResponse()
        response.group = Self.group(request.group)
        response.protocol = "range"
        response.generation = 3
        var member = Cordwood_V1_GroupMember()
        member.id = "m-1"
        member.clientID = "app"
        member.clientHost = "/127.0.0.1"
        member.assignment = [Self.partition(0), Self.partition(1)]
        response.members = [member]
        var read = Cordwood_V1_GroupOffset()
        read.partition = Self.partition(0)
        read.committedOffset = 5
        read.commitTimeMs = 1000
        read.logStartOffset = 2
        read.highWatermark = 9
        read.lagRecords = 4
        read.lagMs = 2500
        read.memberID = "m-1"
        var unread = Cordwood_V1_GroupOffset()
        unread.partition = Self.partition(1)
        response.offsets = [read, unread]
        return response
    }

    func resetOffsets(
        request: Cordwood_V1_ResetOffsetsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ResetOffsetsResponse {
        resets.withLock { $0.append(request) }
        var response = Cordwood_V1_ResetOffsetsResponse()
        var first = Cordwood_V1_OffsetReset()
        first.partition = Self.partition(0)
        first.oldOffset = 0
        first.newOffset = 7
        var second = first
        second.partition = Self.partition(1)
        second.clearOldOffset()
        response.resets = [first, second]
        return response
    }

    func deleteOffsets(
        request: Cordwood_V1_DeleteOffsetsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DeleteOffsetsResponse {
        var response = Cordwood_V1_DeleteOffsetsResponse()
        response.deleted = request.topics.flatMap { $0.partitions.map(Self.partition) }
        return response
    }

    func deleteGroup(
        request: Cordwood_V1_DeleteGroupRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DeleteGroupResponse {
        throw FakeLog.failure(.groupNotEmpty, .failedPrecondition, "the group has members")
    }

    private static func group(_ name: String) -> Cordwood_V1_Group {
        var group = Cordwood_V1_Group()
        group.name = name
        group.state = "Stable"
        group.protocolType = "consumer"
        group.memberCount = 1
        group.coordinator.nodeID = "node-1"
        group.coordinator.address = "127.0.0.1:8400"
        return group
    }

    private static func partition(_ number: Int32) -> Cordwood_V1_TopicPartition {
        var partition = Cordwood_V1_TopicPartition()
        partition.topic = "t"
        partition.partition = number
        return partition
    }
}
