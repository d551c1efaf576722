// SPDX-License-Identifier: Apache-2.0

/// Synchronising: the leader's assignments reach the members; and what members say in between.
extension Group {
    mutating func sync(_ id: RequestID, _ request: SyncGroup, _ turn: inout Turn) {
        func refuse(_ error: GroupError) {
            turn.answer(id, .syncGroup(SyncGroup.Answer(error: error)))
        }
        if let error = refusal(of: request) { return refuse(error) }
        guard let index = members.index(of: request.memberID) else {
            return refuse(.unknownMemberID)
        }
        switch phase {
        case .empty, .dead: refuse(.unknownMemberID)
        case .preparing: refuse(.rebalanceInProgress)
        case .stable(var stable):
            stable.unsynced.remove(request.memberID)
            phase = .stable(stable)
            touch(at: index, &turn)
            turn.answer(id, .syncGroup(assignmentAnswer(at: index, stable.agreement)))
        case .completing(var completing):
            let isLeader = completing.agreement.leaderID == request.memberID
            // The first assignment that the leader brings is the generation's, whatever comes of a
            // retry: it may be durable already.
            if isLeader, completing.assignments == nil {
                guard let assignments = assignments(of: request, turn.settings) else {
                    return refuse(.groupMaxSizeReached)
                }
                completing.assignments = assignments
                append(
                    [.group(id: self.id, metadata(assignments: assignments))],
                    .assignments(group: self.id, generation: generation), &turn)
            }
            completing.unsynced.remove(request.memberID)
            phase = .completing(completing)
            answerWaiting(at: index, .rebalanceInProgress, &turn)
            members.values[index].waiting = .sync(id)
            turn.wait(id, in: self.id)
        }
    }

    private func refusal(of request: SyncGroup) -> GroupError? {
        if case .dead = phase { return .coordinatorNotAvailable }
        if let error = refusal(ofMember: request.memberID, instanceID: request.instanceID) {
            return error
        }
        guard request.generation == generation else { return .illegalGeneration }
        if let named = request.protocolType, named != protocolType {
            return .inconsistentGroupProtocol
        }
        if let named = request.protocolName, let agreed = phase.agreement?.protocolName,
            named != agreed
        {
            return .inconsistentGroupProtocol
        }
        return nil
    }

    /// The leader's assignments to members, without those to others; `nil` if they are too large.
    private func assignments(
        of request: SyncGroup, _ settings: GroupSettings
    ) -> SortedMap<String, [UInt8]>? {
        var assignments = SortedMap<String, [UInt8]>()
        for entry in request.assignments where members.contains(entry.memberID) {
            assignments.set(entry.memberID, entry.assignment)
        }
        let size = assignments.values.reduce(memberBytes) { $0 + $1.count }
        return size <= settings.memberBytesMax ? assignments : nil
    }

    private func assignmentAnswer(
        at index: Int, _ agreement: Phase.Agreement
    ) -> SyncGroup.Answer {
        var answer = SyncGroup.Answer(error: nil)
        answer.protocolType = protocolType
        answer.protocolName = agreement.protocolName
        answer.assignment = members.values[index].assignment
        return answer
    }

    /// A generation's assignments are durable, or are not.
    mutating func endAssigning(generation: Int32, isDurable: Bool, _ turn: inout Turn) {
        // A rebalance that began meanwhile has told those who waited.
        guard case .completing(let completing) = phase, self.generation == generation,
            let assignments = completing.assignments
        else { return }
        guard isDurable else {
            for index in members.values.indices where members.values[index].syncRequest != nil {
                answerWaiting(at: index, .coordinatorNotAvailable, &turn)
                touch(at: index, &turn)
            }
            return beginRebalance(.assignmentNotStored, &turn)
        }
        enter(
            .stable(
                Phase.Stable(
                    agreement: completing.agreement, syncDeadline: completing.syncDeadline,
                    unsynced: completing.unsynced)), turn)
        turn.observe(.becameStable(group: id, generation: generation))
        for index in members.values.indices {
            assign(assignments[members.keys[index]] ?? [], at: index)
            guard let request = members.values[index].syncRequest else { continue }
            members.values[index].waiting = .nothing
            touch(at: index, &turn)
            turn.finish(request, .syncGroup(assignmentAnswer(at: index, completing.agreement)))
        }
    }

    /// A member says that it is alive; what it is to know.
    mutating func heartbeat(_ request: Heartbeat, _ turn: inout Turn) -> GroupError? {
        if case .dead = phase { return .coordinatorNotAvailable }
        if let error = refusal(ofMember: request.memberID, instanceID: request.instanceID) {
            return error
        }
        guard request.generation == generation else { return .illegalGeneration }
        switch phase {
        case .empty, .dead: return .unknownMemberID
        case .completing, .stable:
            touch(request.memberID, &turn)
            return nil
        case .preparing:
            touch(request.memberID, &turn)
            return .rebalanceInProgress
        }
    }

    /// Members leave.
    mutating func leave(_ request: LeaveGroup, _ turn: inout Turn) -> LeaveGroup.Answer {
        if case .dead = phase {
            return LeaveGroup.Answer(error: .coordinatorNotAvailable)
        }
        var answer = LeaveGroup.Answer()
        var leaving: [String] = []
        for leaver in request.members {
            let outcome: GroupError?
            var memberID = leaver.memberID
            if memberID.isEmpty, let instanceID = leaver.instanceID {
                memberID = instances[instanceID] ?? ""
            }
            if pending.contains(memberID), leaver.instanceID == nil {
                removePending(memberID, &turn)
                outcome = nil
            } else if let error = refusal(ofMember: memberID, instanceID: leaver.instanceID) {
                outcome = error
            } else {
                outcome = leaving.contains(memberID) ? .unknownMemberID : nil
                leaving.append(memberID)
            }
            answer.outcomes.append(LeaveGroup.Outcome(member: leaver, error: outcome))
        }
        remove(leaving, .left, .unknownMemberID, &turn)
        return answer
    }
}
