// SPDX-License-Identifier: Apache-2.0

internal import Records

/// Committed offsets: who may commit, what is kept, what is forgotten.
extension Group {
    mutating func commit(_ id: RequestID, _ request: OffsetCommit, _ turn: inout Turn) {
        if let error = refusal(of: request) {
            let errors = request.entries.map { _ in Optional(error) }
            return turn.answer(id, .offsetCommit(OffsetCommit.Answer(errors: errors)))
        }
        if !request.memberID.isEmpty { touch(request.memberID, &turn) }
        let now = turn.time.wallTime
        let expireTime = request.retention.map { retention in
            let (time, overflow) = now.rawValue.addingReportingOverflow(max(retention, 0))
            return Timestamp(milliseconds: overflow ? .max : max(time, 0))
        }
        var room = OffsetRoom(self, turn.settings)
        var records: [GroupRecord] = []
        var errors: [GroupError?] = []
        for entry in request.entries {
            let error = room.refusal(of: entry, in: self)
            errors.append(error)
            guard error == nil else { continue }
            records.append(
                .offset(
                    group: self.id,
                    TopicPartition(topic: entry.topic, partition: entry.partition),
                    CommittedOffset(
                        topicID: entry.topicID, offset: entry.offset,
                        leaderEpoch: entry.leaderEpoch, metadata: entry.metadata,
                        commitTime: now, expireTime: expireTime)))
        }
        guard !records.isEmpty else {
            return turn.answer(id, .offsetCommit(OffsetCommit.Answer(errors: errors)))
        }
        append(records, .commit(id, group: self.id, errors: errors), &turn)
    }

    /// How many more offsets, and bytes of them, a group may have, while a request is worked off.
    private struct OffsetRoom {
        private let metadataSizeMax: Int
        private var count: Int
        private var bytes: Int
        private var requestBytes: Int

        init(_ group: Group, _ settings: GroupSettings) {
            metadataSizeMax = min(settings.offsetMetadataSizeMax, 32_767)
            count = settings.offsetsMax - group.offsets.count - group.offsetsUnderWay
            bytes =
                settings.offsetBytesMax - group.offsets.bytes
                - group.offsets.count * group.id.utf8.count - group.offsetBytesUnderWay
            requestBytes = settings.offsetBytesMax
        }

        mutating func refusal(of entry: OffsetCommit.Entry, in group: Group) -> GroupError? {
            guard entry.metadata.utf8.count <= metadataSizeMax else {
                return .offsetMetadataTooLarge
            }
            guard entry.topic.utf8.count <= textSizeMax else { return .invalidRequest }
            let partition = TopicPartition(topic: entry.topic, partition: entry.partition)
            let former = group.offsets[partition]
            let size = OffsetTable.size(entry.topic, entry.metadata) + group.id.utf8.count
            let growth =
                former.map { entry.metadata.utf8.count - $0.metadata.utf8.count } ?? size
            // What is known already may be committed again even in a full group.
            guard size <= requestBytes, growth <= max(bytes, 0), former != nil || count > 0 else {
                return .invalidCommitOffsetSize
            }
            requestBytes -= size
            bytes -= max(growth, 0)
            if former == nil { count -= 1 }
            return nil
        }
    }

    /// Why an offset is not taken: it must come from a member of this generation, or from somebody
    /// outside while there are no members.
    private func refusal(of request: OffsetCommit) -> GroupError? {
        if case .dead = phase { return .coordinatorNotAvailable }
        if request.generation < 0, case .empty = phase { return nil }
        guard
            request.generation >= 0 || !request.memberID.isEmpty || request.instanceID != nil
        else { return .unknownMemberID }
        if let error = refusal(ofMember: request.memberID, instanceID: request.instanceID) {
            return error
        }
        guard request.generation == generation else { return .illegalGeneration }
        // The member knows of the new generation, but not yet what it owns in it.
        if case .completing = phase { return .rebalanceInProgress }
        return nil
    }

    func fetch(_ request: OffsetFetch) -> OffsetFetch.Answer {
        var answer = OffsetFetch.Answer()
        guard let topics = request.topics else {
            for (topic, rows) in zip(offsets.topics.keys, offsets.topics.values) {
                answer.topics.append(
                    OffsetFetch.TopicRows(
                        name: topic,
                        rows: zip(rows.keys, rows.values).map {
                            OffsetFetch.Row(partition: $0, committed: $1)
                        }))
            }
            return answer
        }
        var foundCount = 0
        answer.topics = topics.map { topic in
            OffsetFetch.TopicRows(
                name: topic.name,
                rows: topic.partitions.map {
                    let committed = offsets[TopicPartition(topic: topic.name, partition: $0)]
                    foundCount += committed == nil ? 0 : 1
                    return OffsetFetch.Row(partition: $0, committed: committed)
                })
        }
        // Who names a partition again and again asks for more bytes than there are.
        guard foundCount <= offsets.count else { return OffsetFetch.Answer(error: .invalidRequest) }
        return answer
    }

    mutating func deleteOffsets(
        _ id: RequestID, _ request: OffsetDelete, _ turn: inout Turn
    ) {
        if let error = refusalOfDelete {
            return turn.answer(id, .offsetDelete(OffsetDelete.Answer(error: error)))
        }
        let subscribed = subscribedTopics
        let underWay = Set(turn.partitionsUnderWay(in: self.id))
        var errors: [GroupError?] = []
        var records: [GroupRecord] = []
        for entry in request.entries {
            guard !subscribed.mayContain(entry.topic) else {
                errors.append(.groupSubscribedToTopic)
                continue
            }
            errors.append(nil)
            let partition = TopicPartition(topic: entry.topic, partition: entry.partition)
            // Commits that are under way come before this one.
            if offsets[partition] != nil || underWay.contains(partition) {
                records.append(.offset(group: self.id, partition, nil))
            }
        }
        guard !records.isEmpty else {
            return turn.answer(
                id, .offsetDelete(OffsetDelete.Answer(error: nil, errors: errors)))
        }
        append(records, .offsetDelete(id, group: self.id, errors: errors), &turn)
    }

    private var refusalOfDelete: GroupError? {
        switch phase {
        case .dead: .coordinatorNotAvailable
        case .empty: nil
        case .preparing, .completing, .stable: protocolType == "consumer" ? nil : .nonEmptyGroup
        }
    }

    /// What members are subscribed to, as far as it can be read.
    private var subscribedTopics: Subscribed {
        var topics: [String] = []
        for member in members.values {
            for offer in member.protocols {
                guard let subscription = ConsumerSubscription(offer.metadata) else {
                    return .unknown
                }
                topics += subscription.topics
            }
        }
        return .topics(Set(topics))
    }

    private enum Subscribed {
        case topics(Set<String>)
        /// A member said something that cannot be read: it may want any topic.
        case unknown

        func mayContain(_ topic: String) -> Bool {
            switch self {
            case .topics(let topics): topics.contains(topic)
            case .unknown: true
            }
        }
    }

    // MARK: What is forgotten

    /// Tells the log to forget everything of a group without members.
    ///
    /// Until that is durable, the group is dead to everybody.
    mutating func delete(_ purpose: PendingAppend.Purpose, _ turn: inout Turn) {
        guard case .empty = phase else { return }
        var forgotten = offsets.partitions()
        forgotten += turn.partitionsUnderWay(in: id).filter { offsets[$0] == nil }
        var records = forgotten.map { GroupRecord.offset(group: id, $0, nil) }
        if durable != nil || appendsUnderWay > 0 || records.isEmpty {
            records.append(.group(id: id, nil))
        }
        phase = .dead
        append(records, purpose, &turn)
    }

    /// Everything of the group is forgotten, or is not.
    mutating func endDeletion(isDurable: Bool, _ turn: inout Turn) {
        guard case .dead = phase else { return }
        // What failed is tried again after as long a time as at first.
        phase = .empty(since: turn.now)
        // Who was told an id must find no group: a new one counts its generations from 1 again.
        if isDurable { pending = SortedMap() }
    }

    /// Tells the log to forget offsets that are too old, in a group without members.
    mutating func expireOffsets(_ turn: inout Turn) {
        guard case .empty = phase, pending.isEmpty, appendsUnderWay == 0 else { return }
        let now = turn.time.wallTime.rawValue
        let retention = turn.settings.offsetRetention
        let emptySince = protocolType.isEmpty ? Int64.min : stateTime
        let expired = offsets.partitions { committed in
            if let expireTime = committed.expireTime { return expireTime.rawValue <= now }
            guard let retention else { return false }
            let (age, overflow) = now.subtractingReportingOverflow(
                max(committed.commitTime.rawValue, emptySince))
            return !overflow && age >= retention
        }
        guard !expired.isEmpty else { return }
        append(
            expired.map { .offset(group: id, $0, nil) },
            .expiry(group: id, count: expired.count), &turn)
    }
}
