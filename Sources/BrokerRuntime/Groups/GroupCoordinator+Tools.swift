// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
public import Faults
public import GroupCore
internal import Records

extension GroupCoordinator {
    /// All groups, by id.
    ///
    /// - Throws: ``Faults/ErrorCode/overloaded`` when too many wait, ``Faults/ErrorCode/shuttingDown``.
    public func listGroups() async throws(Fault) -> [GroupListing] {
        let response = await perform(.listGroups(ListGroups()), evenWhileLoading: true)
        guard case .listGroups(let answer) = response else { mismatch() }
        if let error = answer.error { throw Fault(error, group: "") }
        return answer.groups.map {
            GroupListing(
                id: $0.groupID, state: $0.state.rawValue, protocolType: $0.protocolType,
                memberCount: $0.memberCount)
        }
    }

    /// A group with its members, its offsets, and how far behind they are.
    ///
    /// - Throws: ``Faults/ErrorCode/groupNotFound``.
    public func describeGroup(_ id: String) async throws(Fault) -> GroupDescription {
        guard let overview = try await inspect().overview(of: id) else {
            throw Fault(.groupIDNotFound, group: id)
        }
        let members = overview.members.map { member in
            GroupMemberDescription(
                id: member.memberID, instanceID: member.instanceID, clientID: member.clientID,
                clientHost: member.clientHost,
                partitions: member.partitions.map {
                    OwnedPartition(topic: $0.topic, partition: Int($0.partition))
                })
        }
        return GroupDescription(
            id: id, state: overview.state.rawValue, protocolType: overview.protocolType,
            protocolName: overview.protocolName, generation: overview.generation,
            members: members, offsets: await describe(overview.commits, ownedBy: members))
    }

    /// Looks at so many partitions at a time.
    private static let looksMax = 8

    private func describe(
        _ commits: [GroupOverview.Commit], ownedBy members: [GroupMemberDescription]
    ) async -> [GroupOffsetDescription] {
        var owners: [OwnedPartition: String] = [:]
        for member in members {
            for partition in member.partitions { owners[partition] = member.id }
        }
        let current = commits.filter { isCurrent($0.committed, $0.partition.topic) }
        let now = storage.host.clock.now
        let offsets = await withTaskGroup(
            of: (Int, GroupOffsetDescription).self
        ) { group in
            var described: [GroupOffsetDescription?] = Array(repeating: nil, count: current.count)
            for (place, commit) in current.enumerated() {
                if place >= Self.looksMax, let (done, offset) = await group.next() {
                    described[done] = offset
                }
                group.addTask { (place, await self.describe(commit, now: now)) }
            }
            for await (done, offset) in group { described[done] = offset }
            return described.compactMap { $0 }
        }
        return offsets.map { offset in
            var offset = offset
            offset.memberID =
                owners[OwnedPartition(topic: offset.topic, partition: offset.partition)]
            return offset
        }
    }

    private func describe(
        _ commit: GroupOverview.Commit, now: Timestamp
    ) async -> GroupOffsetDescription {
        let (topic, number) = (commit.partition.topic, Int(commit.partition.partition))
        var backlog: Backlog?
        do throws(Fault) {
            if let partition = try broker?.partition(topic, number) {
                backlog = try await Backlog.measure(
                    partition, from: commit.committed.offset, now: now)
            }
        } catch {
            // What is committed is told even of a partition that cannot be asked.
            backlog = nil
        }
        return GroupOffsetDescription(
            topic: topic, partition: number, committedOffset: commit.committed.offset,
            metadata: commit.committed.metadata, commitTime: commit.committed.commitTime,
            logStartOffset: backlog?.logStartOffset, highWatermark: backlog?.highWatermark,
            lag: backlog?.records, lagMilliseconds: backlog?.milliseconds, memberID: nil)
    }

    /// Whether an offset was committed of the topic that has this name now.
    ///
    /// One of an earlier topic may have been on its way when that was deleted.
    public func isCurrent(_ committed: CommittedOffset, _ topic: String) -> Bool {
        guard committed.topicID != 0 else { return true }
        do throws(Fault) {
            return try broker?.topic(topic).topicID.number == committed.topicID
        } catch {
            return false
        }
    }

    // MARK: Changing

    /// Puts the committed offsets of a group without members elsewhere.
    ///
    /// - Parameters:
    ///   - topic: The topic; the group need not have committed anything of it.
    ///   - partitions: The numbers; all of the topic's when `nil`.
    ///   - target: Where to. An offset outside of a partition is moved to its nearer bound.
    ///   - validateOnly: Say what would be done and change nothing.
    /// - Returns: What was changed, by partition.
    /// - Throws: ``Faults/ErrorCode/groupNotEmpty``, ``Faults/ErrorCode/invalidGroup``,
    ///   ``Faults/ErrorCode/topicNotFound``, ``Faults/ErrorCode/partitionNotFound``.
    public func resetOffsets(
        of group: String, topic: String, partitions: [Int]?, to target: OffsetQuery,
        validateOnly: Bool = false
    ) async throws(Fault) -> [OffsetReset] {
        guard !group.isEmpty else { throw Fault(.invalidGroupID, group: group) }
        guard let broker else { throw Broker.stopping }
        let description = try broker.topic(topic)
        let numbers = Set(partitions ?? Array(0..<description.partitionCount)).sorted()
        let overview = try await inspect().overview(of: group)
        if let overview, !overview.members.isEmpty { throw Fault(.nonEmptyGroup, group: group) }
        var resets: [OffsetReset] = []
        for number in numbers {
            let partition = try broker.partition(topic, number)
            let before = overview?.commits.first {
                $0.partition.topic == topic && Int($0.partition.partition) == number
                    && isCurrent($0.committed, topic)
            }
            resets.append(
                OffsetReset(
                    topic: topic, partition: number, before: before?.committed.offset,
                    after: try await place(target, in: partition)))
        }
        guard !validateOnly, !resets.isEmpty else { return resets }
        let request = OffsetCommit(
            groupID: group,
            entries: resets.map {
                OffsetCommit.Entry(
                    topic: topic, topicID: description.topicID.number,
                    partition: Int32($0.partition), offset: $0.after)
            })
        let response = await perform(.offsetCommit(request), evenWhileLoading: true)
        guard case .offsetCommit(let answer) = response else { mismatch() }
        if let error = answer.errors.compactMap({ $0 }).first { throw Fault(error, group: group) }
        return resets
    }

    private func place(
        _ target: OffsetQuery, in partition: Partition
    ) async throws(Fault) -> Offset {
        guard case .offset(let offset) = target else {
            return try await partition.find(target).offset
        }
        let bounds = try partition.bounds
        return min(max(offset, bounds.lowerBound), bounds.upperBound)
    }

    /// Deletes a group without members, and its offsets.
    ///
    /// - Throws: ``Faults/ErrorCode/groupNotFound``, ``Faults/ErrorCode/groupNotEmpty``.
    public func deleteGroup(_ id: String) async throws(Fault) {
        let response = await perform(
            .deleteGroups(DeleteGroups(groupIDs: [id])), evenWhileLoading: true)
        guard case .deleteGroups(let answer) = response else { mismatch() }
        if let error = answer.errors.compactMap({ $0 }).first { throw Fault(error, group: id) }
    }
}

extension Fault {
    /// What a tool is told when the coordinator refuses.
    fileprivate init(_ error: GroupError, group: String) {
        switch error {
        case .groupIDNotFound:
            self.init(.groupNotFound, "there is no group \(group)")
        case .invalidGroupID:
            self.init(.invalidGroup, "a group's id is not empty")
        case .nonEmptyGroup, .unknownMemberID, .illegalGeneration, .rebalanceInProgress,
            .fencedInstanceID:
            self.init(.groupNotEmpty, "the group \(group) has members")
        case .coordinatorLoadInProgress, .coordinatorNotAvailable:
            self.init(.overloaded, "the groups cannot be asked now")
        default:
            self.init(.invalidGroup, "the group \(group) refuses: \(error)")
        }
    }
}
