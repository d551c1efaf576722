// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import GRPCCore
internal import GroupCore
internal import LogAPI
internal import Records
internal import SwiftProtobuf

/// cordwood.v1.GroupService: lists, describes, resets and deletes consumer groups.
struct GroupServiceProvider: Cordwood_V1_GroupService.SimpleServiceProtocol {
    /// The most groups on one page.
    static let pageSizeMax = 1000
    /// The states that groups can be in.
    static let states = [
        "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead",
    ]

    private let surroundings: Surroundings

    private var broker: Broker { surroundings.broker }

    init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
    }

    func listGroups(
        request: Cordwood_V1_ListGroupsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ListGroupsResponse {
        try await withStatus {
            if let unknown = request.states.first(where: { !Self.states.contains($0) }) {
                throw Fault(
                    .invalidArgument, "groups are never in a state '\(unknown)'",
                    hint: "The states are \(Self.states.joined(separator: ", ")).")
            }
            guard request.pageSize >= 0 else {
                throw Fault(.invalidArgument, "a page has no \(request.pageSize) groups")
            }
            let found = try await broker.groups.listGroups()
                .filter { request.states.isEmpty || request.states.contains($0.state) }
                .filter { request.pageToken.isEmpty || $0.id > request.pageToken }
                .sorted { $0.id < $1.id }
            let pageSize =
                request.pageSize == 0
                ? Self.pageSizeMax : min(Int(request.pageSize), Self.pageSizeMax)
            var response = Cordwood_V1_ListGroupsResponse()
            response.groups = found.prefix(pageSize).map {
                message(
                    $0.id, state: $0.state, protocolType: $0.protocolType,
                    memberCount: $0.memberCount)
            }
            if found.count > pageSize { response.nextPageToken = found[pageSize - 1].id }
            return response
        }
    }

    func describeGroup(
        request: Cordwood_V1_DescribeGroupRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DescribeGroupResponse {
        try await withStatus {
            try RequestChecks.groupName(request.group)
            let group = try await broker.groups.describeGroup(request.group)
            var response = Cordwood_V1_DescribeGroupResponse()
            response.group = message(
                group.id, state: group.state, protocolType: group.protocolType,
                memberCount: group.members.count)
            response.protocol = group.protocolName
            response.generation = group.generation
            response.members = group.members.map(Cordwood_V1_GroupMember.init)
            response.offsets = offsets(of: group)
            return response
        }
    }

    func resetOffsets(
        request: Cordwood_V1_ResetOffsetsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ResetOffsetsResponse {
        try await withStatus {
            try RequestChecks.groupName(request.group)
            let target = try OffsetTarget(request.to, now: surroundings.clock.wall())
            let steps = try await ResetPlan(request, target, surroundings).steps
            // What would be refused is refused before anything is done.
            var resets = try await carryOut(steps, of: request.group, validateOnly: true)
            if !request.dryRun {
                resets = try await carryOut(steps, of: request.group, validateOnly: false)
            }
            var response = Cordwood_V1_ResetOffsetsResponse()
            response.resets = resets.map(Cordwood_V1_OffsetReset.init)
            return response
        }
    }

    func deleteOffsets(
        request: Cordwood_V1_DeleteOffsetsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DeleteOffsetsResponse {
        try await withStatus {
            try RequestChecks.groupName(request.group)
            let named = try ResetPlan.partitions(of: request.topics, surroundings)
            guard !named.isEmpty else {
                throw Fault(.invalidArgument, "the request names no topic")
            }
            let committed = try await broker.groups.describeGroup(request.group).offsets
            let chosen = committed.filter { offset in
                named.contains {
                    $0.topic == offset.topic && $0.partitions?.contains(offset.partition) != false
                }
            }
            try await broker.groups.forget(chosen, of: request.group)
            var response = Cordwood_V1_DeleteOffsetsResponse()
            response.deleted = chosen.map { Cordwood_V1_TopicPartition($0.topic, $0.partition) }
            return response
        }
    }

    func deleteGroup(
        request: Cordwood_V1_DeleteGroupRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DeleteGroupResponse {
        try await withStatus {
            try RequestChecks.groupName(request.group)
            try await broker.groups.deleteGroup(request.group)
            return Cordwood_V1_DeleteGroupResponse()
        }
    }

    // MARK: - How it is done

    private func message(
        _ name: String, state: String, protocolType: String, memberCount: Int
    ) -> Cordwood_V1_Group {
        .with {
            $0.name = name
            $0.state = state
            $0.protocolType = protocolType
            $0.memberCount = Int32(clamping: memberCount)
            $0.coordinator.nodeID = broker.nodeID
            $0.coordinator.address = surroundings.settings.advertisedAddress()
        }
    }

    /// What was committed, and what was assigned and never committed.
    private func offsets(of group: GroupDescription) -> [Cordwood_V1_GroupOffset] {
        var rows: [OwnedPartition: Cordwood_V1_GroupOffset] = [:]
        for offset in group.offsets {
            rows[OwnedPartition(topic: offset.topic, partition: offset.partition)] =
                Cordwood_V1_GroupOffset(offset)
        }
        for member in group.members {
            for owned in member.partitions where rows[owned] == nil {
                rows[owned] = row(of: owned, member.id)
            }
        }
        return rows.sorted { $0.key < $1.key }.map(\.value)
    }

    private func row(of owned: OwnedPartition, _ member: String) -> Cordwood_V1_GroupOffset {
        var row = Cordwood_V1_GroupOffset()
        row.partition = Cordwood_V1_TopicPartition(owned.topic, owned.partition)
        row.memberID = member
        do throws(Fault) {
            let partition = try broker.partition(owned.topic, owned.partition)
            row.logStartOffset = partition.logStartOffset.rawValue
            row.highWatermark = partition.highWatermark.rawValue
        } catch {
            // A partition that is gone has no bounds, which is all there is to say of it here.
        }
        return row
    }

    private func carryOut(
        _ steps: [ResetPlan.Step], of group: String, validateOnly: Bool
    ) async throws(Fault) -> [OffsetReset] {
        var resets: [OffsetReset] = []
        for step in steps {
            resets += try await broker.groups.resetOffsets(
                of: group, topic: step.topic, partitions: step.partitions, to: step.query,
                validateOnly: validateOnly)
        }
        return resets.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
    }
}

extension GroupCoordinator {
    /// Forgets committed offsets.
    fileprivate func forget(
        _ offsets: [GroupOffsetDescription], of group: String
    ) async throws(Fault) {
        guard !offsets.isEmpty else { return }
        let answer = await offsetDelete(
            OffsetDelete(
                groupID: group,
                entries: offsets.map {
                    .init(topic: $0.topic, partition: Int32(clamping: $0.partition))
                }))
        let refusals = zip(offsets, answer.errors).compactMap { offset, error in
            error.map { (offset.topic, $0) }
        }
        switch (answer.error, refusals.first) {
        case (nil, nil): return
        case (.groupIDNotFound, _): throw Fault(.groupNotFound, "there is no group \(group)")
        case (.nonEmptyGroup, _): throw Fault(.groupNotEmpty, "the group \(group) has members")
        case (nil, (let topic, .groupSubscribedToTopic)?):
            throw Fault(.groupNotEmpty, "members of \(group) are subscribed to \(topic)")
        case (let error, let refusal):
            let reason = error ?? refusal?.1 ?? .coordinatorNotAvailable
            throw Fault(.overloaded, "the groups cannot be asked now: \(reason)")
        }
    }
}

extension Cordwood_V1_TopicPartition {
    /// The message of a partition.
    init(_ topic: String, _ partition: Int) {
        self.init()
        self.topic = topic
        self.partition = Int32(clamping: partition)
    }
}

extension Cordwood_V1_GroupMember {
    /// The message of a member.
    init(_ member: GroupMemberDescription) {
        self.init()
        id = member.id
        if let instance = member.instanceID { instanceID = instance }
        clientID = member.clientID
        clientHost = member.clientHost
        assignment = member.partitions.sorted().map {
            Cordwood_V1_TopicPartition($0.topic, $0.partition)
        }
    }
}

extension Cordwood_V1_GroupOffset {
    /// The message of a committed offset.
    init(_ offset: GroupOffsetDescription) {
        self.init()
        partition = Cordwood_V1_TopicPartition(offset.topic, offset.partition)
        committedOffset = offset.committedOffset.rawValue
        metadata = offset.metadata
        commitTimeMs = offset.commitTime.rawValue
        if let start = offset.logStartOffset { logStartOffset = start.rawValue }
        if let end = offset.highWatermark { highWatermark = end.rawValue }
        if let lag = offset.lag { lagRecords = lag }
        if let lag = offset.lagMilliseconds { lagMs = lag }
        memberID = offset.memberID ?? ""
    }
}

extension Cordwood_V1_OffsetReset {
    /// The message of a reset.
    init(_ reset: OffsetReset) {
        self.init()
        partition = Cordwood_V1_TopicPartition(reset.topic, reset.partition)
        if let before = reset.before { oldOffset = before.rawValue }
        newOffset = reset.after.rawValue
    }
}
