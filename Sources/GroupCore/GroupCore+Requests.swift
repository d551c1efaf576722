// SPDX-License-Identifier: Apache-2.0

/// Who answers which request.
extension GroupCore {
    mutating func perform(_ request: GroupRequest, _ id: RequestID) {
        switch request {
        case .joinGroup(let request): join(request, id)
        case .syncGroup(let body):
            ask(body.groupID, id, request, absent: request.refused(.unknownMemberID)) {
                $0.sync(id, body, &$1)
            }
        case .heartbeat(let body):
            ask(body.groupID, id, request, absent: request.refused(.unknownMemberID)) {
                let error = $0.heartbeat(body, &$1)
                $1.answer(id, .heartbeat(error))
            }
        case .leaveGroup(let body):
            let outcomes = body.members.map {
                LeaveGroup.Outcome(member: $0, error: .unknownMemberID)
            }
            let absent = GroupResponse.leaveGroup(LeaveGroup.Answer(outcomes: outcomes))
            ask(body.groupID, id, request, absent: absent) {
                let answer = $0.leave(body, &$1)
                $1.answer(id, .leaveGroup(answer))
            }
        case .offsetCommit(let request): commit(request, id)
        case .offsetFetch(let request):
            let group = groups[request.groupID] ?? Group(id: request.groupID, at: turn.time)
            turn.answer(id, .offsetFetch(group.fetch(request)))
        case .describeGroups(let request): describe(request, id)
        case .listGroups(let request): list(request, id)
        case .deleteGroups(let request): delete(request, id)
        case .offsetDelete(let body):
            ask(body.groupID, id, request, absent: request.refused(.groupIDNotFound)) {
                $0.deleteOffsets(id, body, &$1)
            }
        }
    }

    /// Asks a group, or answers for one that is not there.
    private mutating func ask(
        _ groupID: String, _ id: RequestID, _ request: GroupRequest, absent: GroupResponse,
        _ body: (inout Group, inout Turn) -> Void
    ) {
        if groupID.isEmpty {
            turn.answer(id, request.refused(.invalidGroupID))
        } else if change(groupID, body) == nil {
            turn.answer(id, absent)
        }
    }

    private mutating func join(_ request: JoinGroup, _ id: RequestID) {
        if let error = Group.refusal(of: request, turn.settings) ?? refusalOfNew(request) {
            let answer = JoinGroup.Answer(error: error, memberID: request.memberID)
            return turn.answer(id, .joinGroup(answer))
        }
        change(request.groupID) { $0.join(id, request, &$1) }
    }

    /// Makes the group that a new member wants to join; why not, if it cannot be made.
    private mutating func refusalOfNew(_ request: JoinGroup) -> GroupError? {
        guard !groups.contains(request.groupID) else { return nil }
        guard request.memberID.isEmpty else { return .unknownMemberID }
        return makeGroup(request.groupID) ? nil : .coordinatorNotAvailable
    }

    private mutating func commit(_ request: OffsetCommit, _ id: RequestID) {
        if let error = refusalOfNew(request) {
            return turn.answer(id, GroupRequest.offsetCommit(request).refused(error))
        }
        change(request.groupID) { $0.commit(id, request, &$1) }
        if request.retention != nil { scheduleRetentionCheck() }
    }

    /// Makes the group that somebody outside of it commits to; why not, if it cannot be made.
    private mutating func refusalOfNew(_ request: OffsetCommit) -> GroupError? {
        guard !groups.contains(request.groupID) else { return nil }
        guard request.generation < 0 else { return .illegalGeneration }
        guard request.groupID.utf8.count <= Group.textSizeMax else { return .invalidGroupID }
        return makeGroup(request.groupID) ? nil : .coordinatorNotAvailable
    }

    /// Makes a group, unless there are too many.
    private mutating func makeGroup(_ id: String) -> Bool {
        guard groups.count < turn.settings.groupsMax else { return false }
        groups.insert(Group(id: id, at: turn.time))
        return true
    }

    /// Has offsets looked through from now on for those that are too old.
    mutating func scheduleRetentionCheck() {
        nextRetentionCheck =
            nextRetentionCheck ?? turn.now + max(turn.settings.offsetRetentionCheckInterval, 1)
    }

    private mutating func describe(_ request: DescribeGroups, _ id: RequestID) {
        var seen: Set<String> = []
        let described = request.groupIDs.map { groupID in
            // Who names a group again and again asks for more bytes than there are.
            let isNew = seen.insert(groupID).inserted
            if isNew, let group = groups[groupID] { return group.description }
            return DescribeGroups.Group(
                groupID: groupID, error: isNew ? .groupIDNotFound : .invalidRequest, state: .dead,
                protocolType: "", protocolName: "", members: [])
        }
        turn.answer(id, .describeGroups(DescribeGroups.Answer(groups: described)))
    }

    private mutating func list(_ request: ListGroups, _ id: RequestID) {
        let states = request.states.map { $0.lowercased() }
        let types = request.types.map { $0.lowercased() }
        var answer = ListGroups.Answer(error: nil, groups: [])
        if types.isEmpty || types.contains(ListGroups.Answer.type) {
            answer.groups = groups.ids.compactMap { groups[$0]?.listing }.filter {
                states.isEmpty || states.contains($0.state.rawValue.lowercased())
            }
        }
        turn.answer(id, .listGroups(answer))
    }

    private mutating func delete(_ request: DeleteGroups, _ id: RequestID) {
        var deletion = Deletion(errors: [], waitingCount: 0)
        for (row, groupID) in request.groupIDs.enumerated() {
            let error: GroupError?
            switch groups[groupID]?.phase {
            case nil: error = .groupIDNotFound
            case .dead: error = .coordinatorNotAvailable
            case .preparing, .completing, .stable: error = .nonEmptyGroup
            case .empty:
                error = nil
                deletion.waitingCount += 1
                change(groupID) { $0.delete(.deletion(id, group: groupID, row: row), &$1) }
            }
            deletion.errors.append(error)
        }
        if deletion.waitingCount == 0 {
            turn.answer(id, .deleteGroups(DeleteGroups.Answer(errors: deletion.errors)))
        } else {
            deletions[id] = deletion
        }
    }

    /// Forgets what was committed of a topic.
    mutating func deleteTopic(_ topicID: UInt128) {
        guard topicID != 0 else { return }
        for id in groups.ids {
            var gone = groups[id]?.offsets.partitions { $0.topicID == topicID } ?? []
            let committed = Set(gone)
            gone += turn.partitionsUnderWay(in: id) { $0.topicID == topicID }
                .filter { !committed.contains($0) }
            guard !gone.isEmpty else { continue }
            turn.append(gone.map { .offset(group: id, $0, nil) }, .topicDeletion(topicID))
            // Readers of a topic that is made anew under the name must not be given these offsets.
            change(id) { group, _ in
                for partition in gone { group.offsets.set(partition, nil) }
            }
        }
    }
}
