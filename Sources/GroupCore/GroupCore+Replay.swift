// SPDX-License-Identifier: Apache-2.0

/// From records to groups, and back.
extension GroupCore {
    /// Takes in a record of an earlier life, in the order of the log.
    public mutating func replay(_ record: GroupRecord) {
        precondition(!isServing, "a record is replayed while requests are served")
        let id = record.groupID
        if !groups.contains(id) { groups.insert(Group(id: id, at: turn.time)) }
        groups.change(id) { $0.apply([record]) }
    }

    /// Begins to serve, once every record was replayed.
    ///
    /// Members that were in a stable generation still are, and have a whole session timeout to be
    /// heard of.
    public mutating func finishReplay(at time: GroupTime) {
        precondition(!isServing, "the replay ends twice")
        isServing = true
        turn.time = time
        var hasExpiry = turn.settings.offsetRetention != nil
        for id in groups.ids {
            change(id) { group, turn in
                group.revive(&turn)
                hasExpiry =
                    hasExpiry || !group.offsets.partitions { $0.expireTime != nil }.isEmpty
            }
        }
        if hasExpiry { scheduleRetentionCheck() }
        // Groups of which nothing was left in the log are no news.
        turn.effects = []
    }

    /// A place in the records of a snapshot.
    public struct SnapshotPosition: Sendable, Equatable {
        var group: String
        /// How many records of the group were given.
        var count: Int
    }

    /// Records that stand for all that is durable, a part at a time, ordered by group, topic and
    /// partition.
    ///
    /// They say what replaying all records that became durable so far would say, and nothing of
    /// appends that are under way: those are to be appended behind them. To take time over it, copy
    /// the coordinator first: a copy is cheap and stands still.
    ///
    /// - Parameters:
    ///   - position: Where the part before ended; `nil` at first.
    ///   - countMax: The most records of the part.
    /// - Returns: The records, and where to go on; `nil` behind the last.
    public func snapshotRecords(
        from position: SnapshotPosition?, countMax: Int
    ) -> (records: [GroupRecord], next: SnapshotPosition?) {
        precondition(countMax > 0, "a part has room for \(countMax) records")
        var records: [GroupRecord] = []
        let start = position.map { groups.place(of: $0.group) } ?? 0
        for id in groups.ids[start...] {
            guard let group = groups[id] else { continue }
            let all = group.records
            let given = id == position?.group ? min(position?.count ?? 0, all.count) : 0
            let taken = all[given...].prefix(countMax - records.count)
            records += taken
            if given + taken.count < all.count || records.count == countMax {
                return (records, SnapshotPosition(group: id, count: given + taken.count))
            }
        }
        return (records, nil)
    }

    // MARK: Questions

    /// A group with its members and offsets; `nil` if it is not there.
    public func overview(of groupID: String) -> GroupOverview? { groups[groupID]?.overview }

    /// The ids of the topics that offsets were committed of, ascending, without 0.
    ///
    /// Behind a replay, those that are there no more are to be handed in as ``Input/topicDeleted(_:at:)``.
    public var topicIDs: [UInt128] {
        var ids: Set<UInt128> = []
        for id in groups.ids { groups[id]?.offsets.walk { ids.insert($1.topicID) } }
        ids.remove(0)
        return ids.sorted()
    }

    /// The number of groups.
    public var groupCount: Int { groups.count }
}

extension Group {
    /// The records that a replay makes the group's durable part of.
    var records: [GroupRecord] {
        var records: [GroupRecord] = []
        if let durable { records.append(.group(id: id, durable)) }
        offsets.walk { partition, committed in
            records.append(.offset(group: id, partition, committed))
        }
        return records
    }

    /// Goes on from what a replay has made durable.
    mutating func revive(_ turn: inout Turn) {
        phase = .empty(since: turn.now)
        guard let durable else { return }
        generation = durable.generation
        protocolType = durable.protocolType
        stateTime = durable.stateTime
        for stored in durable.members {
            // Only bytes that are not ours name a member or an instance twice.
            guard !members.contains(stored.memberID),
                stored.instanceID.map({ !instances.contains($0) }) ?? true
            else { continue }
            let deadline = turn.now + stored.sessionTimeout
            insert(Member(stored, sessionDeadline: deadline))
            turn.wake(at: deadline)
        }
        guard !members.isEmpty else { return }
        if let protocolName = durable.protocolName, let leaderID = durable.leaderID,
            members.contains(leaderID), members.values.allSatisfy({ $0.supports(protocolName) })
        {
            let agreement = Phase.Agreement(protocolName: protocolName, leaderID: leaderID)
            phase = .stable(
                Phase.Stable(
                    agreement: agreement, syncDeadline: turn.now, unsynced: SortedMap()))
        } else {
            // Not a generation that was ever agreed on: the members are to find a new one.
            let deadline = turn.now + rebalanceTimeout
            phase = .preparing(Phase.Preparing(deadline: deadline))
            for index in members.values.indices { assign([], at: index) }
            turn.wake(at: deadline)
        }
    }
}
