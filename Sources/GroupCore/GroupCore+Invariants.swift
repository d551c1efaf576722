// SPDX-License-Identifier: Apache-2.0

/// What holds after every input.
extension GroupCore {
    /// Traps if the coordinator contradicts itself; costs a walk through all of it.
    public func checkInvariants() {
        precondition(turn.effects.isEmpty, "\(turn.effects.count) effects were not handed out")
        precondition(groups.ids == groups.ids.sorted(), "the groups are not in order")
        precondition(deadlines.count <= 2 * groups.count + 64, "\(deadlines.count) deadlines")
        var waitingCount = 0
        for id in groups.ids {
            guard let group = groups[id] else {
                preconditionFailure("the group \(id) is listed and not there")
            }
            group.checkInvariants(turn)
            let underWay = turn.appends.filter { $0.group == id }
            precondition(
                group.appendsUnderWay == underWay.count,
                "\(id): \(group.appendsUnderWay) appends, not \(underWay.count)")
            precondition(
                group.removalTime(turn.settings) != .min, "\(id) should have been forgotten")
            if let deadline = group.deadline {
                precondition(
                    (group.wakeTime ?? .max) <= deadline,
                    "\(id): looked at \(String(describing: group.wakeTime)), due \(deadline)")
            }
            if let wakeTime = group.wakeTime {
                precondition(
                    (nextDeadline ?? .max) <= wakeTime,
                    "\(id): next deadline \(String(describing: nextDeadline)), not \(wakeTime)")
            }
            for member in group.members.values {
                guard let request = member.joinRequest ?? member.syncRequest else { continue }
                waitingCount += 1
                precondition(
                    turn.waiting[request] == id, "\(id): a request of \(member.id) is lost")
            }
        }
        precondition(turn.waiting.count == waitingCount, "\(turn.waiting.count) requests wait")
        for append in turn.appends {
            guard let id = append.group else { continue }
            precondition(groups[id] != nil, "the group \(id) of an append is gone")
        }
    }
}

extension Group {
    fileprivate func checkInvariants(_ turn: Turn) {
        precondition(members.keys == members.keys.sorted(), "\(id): members are not in order")
        precondition(members.keys == members.values.map(\.id), "\(id): keys of other members")
        let statics = members.values.compactMap { member in
            member.instanceID.map { ($0, member.id) }
        }
        precondition(statics.count == instances.count, "\(id): \(instances.count) instances")
        for (instanceID, memberID) in statics {
            precondition(instances[instanceID] == memberID, "\(id): \(instanceID) is another's")
        }
        let size = members.values.reduce(0) { $0 + $1.size }
        precondition(memberBytes == size, "\(id): \(memberBytes) bytes, not \(size)")
        precondition(offsetsUnderWay >= 0, "\(id): \(offsetsUnderWay) offsets are under way")
        precondition(
            appendsUnderWay > 0 || (offsetsUnderWay == 0 && offsetBytesUnderWay == 0),
            "\(id): \(offsetBytesUnderWay) bytes of offsets are under way")
        var offsetCount = 0
        var offsetBytes = 0
        offsets.walk { partition, committed in
            offsetCount += 1
            offsetBytes += OffsetTable.size(partition.topic, committed.metadata)
        }
        precondition(
            offsets.bytes == offsetBytes, "\(id): \(offsets.bytes) of \(offsetBytes) bytes")
        precondition(
            offsets.count == offsetCount, "\(id): \(offsets.count) of \(offsetCount) offsets")
        switch phase {
        case .empty, .dead:
            precondition(members.isEmpty, "\(id): members in phase \(phase.name.rawValue)")
        case .preparing:
            precondition(
                members.values.allSatisfy { $0.syncRequest == nil && $0.assignment.isEmpty },
                "\(id): an assignment or a sync while members join")
        case .completing(let completing):
            precondition(
                members.values.allSatisfy { $0.joinRequest == nil && $0.assignment.isEmpty },
                "\(id): an assignment or a join while members sync")
            for member in members.values where member.syncRequest != nil {
                precondition(
                    !completing.unsynced.contains(member.id), "\(id): \(member.id) has synced")
            }
            check(completing.agreement, completing.unsynced)
            precondition(
                completing.assignments != nil
                    || completing.unsynced.contains(completing.agreement.leaderID),
                "\(id): the leader has synced without assignments")
        case .stable(let stable):
            precondition(
                members.values.allSatisfy { $0.syncRequest == nil }, "\(id): a sync waits")
            for member in members.values where member.joinRequest != nil {
                precondition(member.isStatic, "\(id): the join of \(member.id) waits")
            }
            check(stable.agreement, stable.unsynced)
        }
    }

    private func check(_ agreement: Phase.Agreement, _ unsynced: SortedMap<String, Void>) {
        precondition(members.contains(agreement.leaderID), "\(id): the leader is no member")
        precondition(
            members.values.allSatisfy { $0.supports(agreement.protocolName) },
            "\(id): not all support \(agreement.protocolName)")
        precondition(
            unsynced.keys.allSatisfy { members.contains($0) }, "\(id): a stranger is to sync")
    }
}
