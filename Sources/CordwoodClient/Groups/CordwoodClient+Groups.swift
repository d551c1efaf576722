// SPDX-License-Identifier: Apache-2.0

internal import LogAPI
internal import Records

extension CordwoodClient {
    /// All consumer groups, by name.
    ///
    /// - Parameter states: Those in one of these states; all when empty.
    /// - Throws: ``CordwoodError/Code/invalidArgument`` for a state that the server does not know.
    public func listGroups(
        states: [ConsumerGroup.State] = []
    ) async throws(CordwoodError) -> [ConsumerGroup] {
        var request = Cordwood_V1_ListGroupsRequest()
        request.states = states.map(\.rawValue)
        var groups: [ConsumerGroup] = []
        repeat {
            let page = request
            let answer = try await connection.call { options in
                try await connection.groups.listGroups(page, options: options)
            }
            groups += answer.groups.map(ConsumerGroup.init)
            // A server that goes round in circles would never end.
            guard answer.nextPageToken.isEmpty || answer.nextPageToken > request.pageToken else {
                throw CordwoodError(
                    .unexpectedAnswer, "the server's pages of groups are not in order")
            }
            request.pageToken = answer.nextPageToken
        } while !request.pageToken.isEmpty
        return groups
    }

    /// A group, its members, what each was assigned, and how far the group is behind.
    ///
    /// - Throws: ``CordwoodError/Code/groupNotFound``.
    public func describeGroup(_ name: String) async throws(CordwoodError) -> GroupDescription {
        var request = Cordwood_V1_DescribeGroupRequest()
        request.group = name
        let answer = try await connection.call { options in
            try await connection.groups.describeGroup(request, options: options)
        }
        return GroupDescription(
            group: ConsumerGroup(answer.group), assignor: answer.protocol,
            generation: Int(answer.generation), members: answer.members.map(GroupMember.init),
            offsets: answer.offsets.map(GroupOffset.init))
    }

    /// Commits other offsets for a group, so that it goes on elsewhere.
    ///
    /// The group's members must be stopped: they would go on where they are.
    ///
    /// - Parameters:
    ///   - group: The group. One that is not known is made, if `topics` names some.
    ///   - topics: What to reset; all that the group has committed offsets of, when empty.
    ///   - target: Where the group is to go on.
    ///   - dryRun: Say what would be done, and do nothing.
    /// - Returns: One a partition, by topic and number.
    /// - Throws: ``CordwoodError/Code/groupNotFound``, ``CordwoodError/Code/groupNotEmpty``,
    ///   ``CordwoodError/Code/topicNotFound``, ``CordwoodError/Code/partitionNotFound``,
    ///   ``CordwoodError/Code/invalidArgument``.
    @discardableResult
    public func resetOffsets(
        of group: String, topics: [TopicPartitions] = [], to target: OffsetTarget,
        dryRun: Bool = false
    ) async throws(CordwoodError) -> [OffsetReset] {
        var request = Cordwood_V1_ResetOffsetsRequest()
        request.group = group
        request.topics = try messages(of: topics)
        guard topics.isEmpty || !request.topics.isEmpty else { return [] }
        request.to = target.message
        request.dryRun = dryRun
        let answer = try await connection.call { options in
            try await connection.groups.resetOffsets(request, options: options)
        }
        return answer.resets.map(OffsetReset.init)
    }

    /// Forgets committed offsets of topics that no member of the group is subscribed to.
    ///
    /// - Parameters:
    ///   - group: The group.
    ///   - topics: What to forget.
    /// - Returns: What there was to forget, by topic and number.
    /// - Throws: ``CordwoodError/Code/groupNotFound``, ``CordwoodError/Code/groupNotEmpty``,
    ///   ``CordwoodError/Code/topicNotFound``, ``CordwoodError/Code/partitionNotFound``.
    @discardableResult
    public func deleteOffsets(
        of group: String, topics: [TopicPartitions]
    ) async throws(CordwoodError) -> [GroupPartition] {
        var request = Cordwood_V1_DeleteOffsetsRequest()
        request.group = group
        request.topics = try messages(of: topics)
        guard !request.topics.isEmpty else { return [] }
        let answer = try await connection.call { options in
            try await connection.groups.deleteOffsets(request, options: options)
        }
        return answer.deleted.map {
            GroupPartition(topic: $0.topic, partition: Int($0.partition))
        }
    }

    /// Deletes a group without members, and its committed offsets.
    ///
    /// - Throws: ``CordwoodError/Code/groupNotFound``, ``CordwoodError/Code/groupNotEmpty``.
    public func deleteGroup(_ name: String) async throws(CordwoodError) {
        var request = Cordwood_V1_DeleteGroupRequest()
        request.group = name
        _ = try await connection.call { options in
            try await connection.groups.deleteGroup(request, options: options)
        }
    }

    /// The partitions as the wire has them.
    private func messages(
        of topics: [TopicPartitions]
    ) throws(CordwoodError) -> [Cordwood_V1_TopicPartitions] {
        var messages: [Cordwood_V1_TopicPartitions] = []
        for topic in topics {
            var message = Cordwood_V1_TopicPartitions()
            message.topic = topic.topic
            for partition in topic.partitions ?? [] {
                message.partitions.append(try partitionNumber(partition))
            }
            // No numbers mean all to the server, and none to the caller.
            if topic.partitions?.isEmpty != true { messages.append(message) }
        }
        return messages
    }
}

extension ConsumerGroup {
    init(_ message: Cordwood_V1_Group) {
        self.init(
            name: message.name, state: State(rawValue: message.state),
            protocolType: message.protocolType, memberCount: Int(message.memberCount),
            coordinator: Coordinator(
                nodeID: message.coordinator.nodeID, address: message.coordinator.address))
    }
}

extension GroupMember {
    init(_ message: Cordwood_V1_GroupMember) {
        self.init(
            id: message.id, instanceID: message.hasInstanceID ? message.instanceID : nil,
            clientID: message.clientID, clientHost: message.clientHost,
            assignment: message.assignment.map {
                GroupPartition(topic: $0.topic, partition: Int($0.partition))
            })
    }
}

extension GroupOffset {
    init(_ message: Cordwood_V1_GroupOffset) {
        self.init(
            topic: message.partition.topic, partition: Int(message.partition.partition),
            committedOffset: message.hasCommittedOffset ? Offset(message.committedOffset) : nil,
            metadata: message.metadata,
            commitTime: message.hasCommitTimeMs
                ? Timestamp(milliseconds: message.commitTimeMs) : nil,
            logStartOffset: message.hasLogStartOffset ? Offset(message.logStartOffset) : nil,
            highWatermark: message.hasHighWatermark ? Offset(message.highWatermark) : nil,
            lag: message.hasLagRecords ? Int(clamping: message.lagRecords) : nil,
            lagTime: message.hasLagMs ? .milliseconds(message.lagMs) : nil,
            memberID: message.memberID.isEmpty ? nil : message.memberID)
    }
}

extension OffsetReset {
    init(_ message: Cordwood_V1_OffsetReset) {
        self.init(
            topic: message.partition.topic, partition: Int(message.partition.partition),
            before: message.hasOldOffset ? Offset(message.oldOffset) : nil,
            after: Offset(message.newOffset))
    }
}

extension OffsetTarget {
    /// The target as the wire has it.
    var message: Cordwood_V1_ResetOffsetsRequest.OneOf_To {
        switch self {
        case .position(.start): .earliest(.init())
        case .position(.end): .latest(.init())
        case .position(.offset(let offset)): .offset(offset.rawValue)
        case .position(.timestamp(let timestamp)): .timestampMs(timestamp.rawValue)
        case .position(.last(let count)): .last(Int64(max(0, count)))
        case .ago(let duration): .agoMs(duration.wholeMilliseconds)
        case .shift(let count): .shift(Int64(count))
        }
    }
}

extension Duration {
    /// The time in milliseconds, cut; the largest there are where it is longer.
    fileprivate var wholeMilliseconds: Int64 {
        let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return components.seconds < 0 ? .min : .max }
        let (sum, overflows) = seconds.addingReportingOverflow(
            components.attoseconds / 1_000_000_000_000_000)
        return overflows ? .max : sum
    }
}
