// SPDX-License-Identifier: Apache-2.0

/// Joining: who may become or stay a member.
extension Group {
    /// The longest id or name that is taken from a request, in bytes: it stands in every record.
    static let textSizeMax = 1024
    /// The most protocols that a member may offer: all are compared with those of all others.
    static let protocolsMax = 64

    /// Why a request cannot be asked of any group; `nil` if it can.
    static func refusal(of request: JoinGroup, _ settings: GroupSettings) -> GroupError? {
        guard !request.groupID.isEmpty, request.groupID.utf8.count <= textSizeMax else {
            return .invalidGroupID
        }
        guard request.sessionTimeout >= settings.sessionTimeoutMin,
            request.sessionTimeout <= min(settings.sessionTimeoutMax, Int64(Int32.max))
        else { return .invalidSessionTimeout }
        guard !request.protocolType.isEmpty, !request.protocols.isEmpty else {
            return .inconsistentGroupProtocol
        }
        let texts = [
            request.instanceID ?? "", request.clientID, request.clientHost, request.protocolType,
        ]
        guard request.protocols.count <= protocolsMax,
            texts.allSatisfy({ $0.utf8.count <= textSizeMax }),
            request.protocols.allSatisfy({ $0.name.utf8.count <= textSizeMax })
        else { return .invalidRequest }
        return nil
    }

    /// A request to join, which was judged by ``refusal(of:_:)-static``.
    mutating func join(_ id: RequestID, _ request: JoinGroup, _ turn: inout Turn) {
        if let error = refusal(of: request, &turn) {
            turn.answer(
                id, .joinGroup(JoinGroup.Answer(error: error, memberID: request.memberID)))
        } else if request.memberID.isEmpty {
            joinUnknown(id, request, &turn)
        } else if pending.contains(request.memberID), request.instanceID == nil {
            pending.remove(request.memberID)
            add(request.memberID, id, request, &turn)
        } else if let error = refusal(
            ofMember: request.memberID, instanceID: request.instanceID)
        {
            turn.answer(
                id, .joinGroup(JoinGroup.Answer(error: error, memberID: request.memberID)))
        } else {
            rejoin(id, request, &turn)
        }
    }

    /// Why nobody like this may join now; `nil` if one may.
    private mutating func refusal(of request: JoinGroup, _ turn: inout Turn) -> GroupError? {
        if case .dead = phase { return .coordinatorNotAvailable }
        let known = request.instanceID.flatMap { instances[$0] } ?? request.memberID
        guard accepts(known, turn.settings) else {
            remove([request.memberID], .groupFull, .groupMaxSizeReached, &turn)
            return .groupMaxSizeReached
        }
        guard sharesProtocol(request, without: known) else { return .inconsistentGroupProtocol }
        let size = Member(id: known, request, sessionDeadline: 0).size
        let present = members[known]?.size ?? 0
        guard memberBytes - present + size <= turn.settings.memberBytesMax else {
            return .groupMaxSizeReached
        }
        return nil
    }

    /// Whether there is room for a member, or it has its place already.
    ///
    /// While members join, only those that have done so count: the places of dead members are free,
    /// and the last to come back find none if others were faster.
    private func accepts(_ memberID: String, _ settings: GroupSettings) -> Bool {
        switch phase {
        case .empty, .dead: true
        case .preparing:
            members[memberID]?.joinRequest != nil || waitingJoinCount < settings.membersMax
        case .completing, .stable:
            members.contains(memberID) || members.count < settings.membersMax
        }
    }

    /// Whether there is a protocol that this one and all others support.
    private func sharesProtocol(_ request: JoinGroup, without memberID: String) -> Bool {
        guard !members.isEmpty else { return true }
        guard protocolType == request.protocolType else { return false }
        return request.protocols.contains { offer in
            members.values.allSatisfy { $0.id == memberID || $0.supports(offer.name) }
        }
    }

    private mutating func joinUnknown(
        _ id: RequestID, _ request: JoinGroup, _ turn: inout Turn
    ) {
        let newID = turn.makeMemberID(request)
        if let instanceID = request.instanceID {
            if let oldID = instances[instanceID] {
                replace(oldID, by: newID, id, request, &turn)
            } else {
                add(newID, id, request, &turn)
            }
        } else if request.requiresKnownMemberID {
            guard pending.count < turn.settings.membersMax else {
                let answer = JoinGroup.Answer(error: .groupMaxSizeReached, memberID: "")
                return turn.answer(id, .joinGroup(answer))
            }
            let deadline = turn.now + request.sessionTimeout
            pending.set(newID, deadline)
            turn.wake(at: deadline)
            turn.answer(
                id, .joinGroup(JoinGroup.Answer(error: .memberIDRequired, memberID: newID)))
        } else {
            add(newID, id, request, &turn)
        }
    }

    private mutating func add(
        _ memberID: String, _ id: RequestID, _ request: JoinGroup, _ turn: inout Turn
    ) {
        let deadline = turn.now + turn.settings.newMemberJoinTimeout
        var member = Member(id: memberID, request, sessionDeadline: deadline)
        member.waiting = .join(id)
        if members.isEmpty { protocolType = request.protocolType }
        insert(member)
        turn.wait(id, in: self.id)
        turn.wake(at: deadline)
        if case .preparing(var preparing) = phase {
            preparing.initial?.hasNewMember = true
            preparing.leaderID = preparing.leaderID ?? memberID
            phase = .preparing(preparing)
        }
        beginRebalance(.memberJoined, &turn)
    }

    /// A member asks again: because a rebalance began, or it wants one, or it missed the answer.
    private mutating func rejoin(_ id: RequestID, _ request: JoinGroup, _ turn: inout Turn) {
        guard let index = members.index(of: request.memberID) else { return }
        let member = members.values[index]
        guard !missedAnswer(member, request) else {
            touch(at: index, &turn)
            return turn.answer(id, .joinGroup(generationAnswer(for: member)))
        }
        memberBytes -= member.size
        members.values[index].update(request)
        memberBytes += members.values[index].size
        waitForJoin(id, at: index, &turn)
        beginRebalance(.memberRejoined, &turn)
    }

    /// Whether a member that joins again has only not heard that it is in the generation.
    ///
    /// In a stable group, a leader that joins again wants to assign anew.
    private func missedAnswer(_ member: Member, _ request: JoinGroup) -> Bool {
        guard member.protocols == request.protocols else { return false }
        return switch phase {
        case .completing: true
        case .stable(let stable):
            stable.agreement.leaderID != member.id && member.waiting == .nothing
        case .empty, .preparing, .dead: false
        }
    }

    /// The current generation, as a member of it is told.
    func generationAnswer(for member: Member) -> JoinGroup.Answer {
        var answer = JoinGroup.Answer(error: nil, memberID: member.id)
        guard let agreement = phase.agreement else {
            preconditionFailure("a generation is told in phase \(phase.name.rawValue)")
        }
        answer.generation = generation
        answer.protocolType = protocolType
        answer.protocolName = agreement.protocolName
        answer.leaderID = agreement.leaderID
        if agreement.leaderID == member.id { answer.members = joined(agreement.protocolName) }
        return answer
    }

    /// All members, as their leader is told of them.
    func joined(_ protocolName: String) -> [JoinGroup.Joined] {
        members.values.map {
            JoinGroup.Joined(
                memberID: $0.id, instanceID: $0.instanceID,
                metadata: $0.metadata(for: protocolName))
        }
    }
}
