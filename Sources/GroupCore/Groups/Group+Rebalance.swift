// SPDX-License-Identifier: Apache-2.0

/// The way from one generation to the next.
extension Group {
    /// Asks all members to join, unless that is under way; the rebalance ends at once if all have.
    mutating func beginRebalance(_ reason: RebalanceReason, _ turn: inout Turn) {
        let deadline: Int64
        var initial: Phase.Initial?
        var leaderID: String?
        switch phase {
        case .dead: return
        case .preparing: return endRebalanceIfAllJoined(&turn)
        case .empty:
            let delay = turn.settings.initialRebalanceDelay
            deadline = turn.now + delay
            leaderID = members.keys.first
            if delay > 0 {
                initial = Phase.Initial(
                    remaining: max(rebalanceTimeout - delay, 0), hasNewMember: false)
            }
        case .completing, .stable:
            deadline = turn.now + rebalanceTimeout
            leaderID = phase.agreement?.leaderID
            for index in members.values.indices {
                assign([], at: index)
                if members.values[index].syncRequest != nil {
                    answerWaiting(at: index, .rebalanceInProgress, &turn)
                    touch(at: index, &turn)
                }
            }
        }
        turn.wake(at: deadline)
        enter(
            .preparing(
                Phase.Preparing(deadline: deadline, initial: initial, leaderID: leaderID)), turn)
        turn.observe(.rebalanceBegan(group: id, generation: generation, reason: reason))
        endRebalanceIfAllJoined(&turn)
    }

    private mutating func endRebalanceIfAllJoined(_ turn: inout Turn) {
        guard case .preparing(let preparing) = phase, preparing.initial == nil, pending.isEmpty,
            members.values.allSatisfy({ $0.joinRequest != nil })
        else { return }
        endRebalance(&turn)
    }

    /// The deadline of a rebalance has come.
    mutating func expireRebalance(_ turn: inout Turn) {
        guard case .preparing(var preparing) = phase else { return }
        if var initial = preparing.initial, initial.hasNewMember, initial.remaining > 0 {
            let delay = min(turn.settings.initialRebalanceDelay, initial.remaining)
            initial.hasNewMember = false
            initial.remaining -= delay
            preparing.initial = initial
            preparing.deadline = turn.now + delay
            phase = .preparing(preparing)
            turn.wake(at: preparing.deadline)
        } else {
            endRebalance(&turn)
        }
    }

    /// Begins the next generation with those that have joined, and static members that have not.
    private mutating func endRebalance(_ turn: inout Turn) {
        guard case .preparing(var preparing) = phase else { return }
        for member in members.values where member.joinRequest == nil && !member.isStatic {
            turn.observe(
                .memberRemoved(group: id, memberID: member.id, reason: .rebalanceTimeout))
            _ = extract(member.id)
        }
        guard !members.isEmpty else { return becomeEmpty(&turn) }
        let former = preparing.leaderID.flatMap { members[$0] }
        guard
            let leader = former?.joinRequest != nil
                ? former : members.values.first(where: { $0.joinRequest != nil })
        else {
            // Only static members that are away: they have until their sessions time out.
            preparing.initial = nil
            preparing.deadline = turn.now + rebalanceTimeout
            phase = .preparing(preparing)
            return turn.wake(at: preparing.deadline)
        }
        advanceGeneration()
        var unsynced = SortedMap<String, Void>()
        for member in members.values where member.joinRequest != nil { unsynced.set(member.id, ()) }
        let agreement = Phase.Agreement(protocolName: chosenProtocol(), leaderID: leader.id)
        let deadline = turn.now + rebalanceTimeout
        enter(
            .completing(
                Phase.Completing(
                    agreement: agreement, syncDeadline: deadline, unsynced: unsynced)), turn)
        turn.wake(at: deadline)
        turn.observe(
            .generationBegan(
                group: id, generation: generation, memberCount: members.count,
                protocolName: agreement.protocolName))
        for index in members.values.indices {
            guard let request = members.values[index].joinRequest else { continue }
            members.values[index].waiting = .nothing
            members.values[index].isNew = false
            touch(at: index, &turn)
            turn.finish(request, .joinGroup(generationAnswer(for: members.values[index])))
        }
    }

    private mutating func becomeEmpty(_ turn: inout Turn) {
        advanceGeneration()
        enter(.empty(since: turn.now), turn)
        turn.observe(.becameEmpty(group: id, generation: generation))
        append([.group(id: id, metadata())], .emptiness(group: id), &turn)
    }

    private mutating func advanceGeneration() {
        generation = generation == .max ? 1 : generation + 1
    }

    /// The protocol that all members support and that most of them prefer of those.
    ///
    /// Between equals, the order of the first member decides.
    func chosenProtocol() -> String {
        guard let first = members.values.first else { return "" }
        let candidates = first.protocols.map(\.name).filter { name in
            members.values.allSatisfy { $0.supports(name) }
        }
        var votes = [Int](repeating: 0, count: candidates.count)
        for member in members.values {
            let vote = member.protocols.lazy.compactMap { candidates.firstIndex(of: $0.name) }.first
            if let vote { votes[vote] += 1 }
        }
        let most = votes.max() ?? 0
        // Records of an earlier life may hold members that share nothing; each that joins again is
        // refused then, so that the name is never used.
        return zip(candidates, votes).first { $0.1 == most }?.0 ?? ""
    }

    // MARK: Members that go

    /// Takes members out, and lets the others share what they had.
    mutating func remove(
        _ memberIDs: [String], _ reason: MemberRemovalReason, _ error: GroupError,
        _ turn: inout Turn
    ) {
        var removedCount = 0
        for memberID in memberIDs {
            guard let member = extract(memberID) else { continue }
            Self.answerWaiting(of: member, error, &turn)
            turn.observe(.memberRemoved(group: id, memberID: memberID, reason: reason))
            removedCount += 1
        }
        guard removedCount > 0 else { return }
        switch reason {
        case .left, .connectionClosed: beginRebalance(.memberLeft, &turn)
        case .syncTimeout: beginRebalance(.memberDidNotSync, &turn)
        case .sessionTimeout, .rebalanceTimeout, .replaced, .groupFull:
            beginRebalance(.memberExpired, &turn)
        }
    }

    /// Takes an id back that was told and never used.
    mutating func removePending(_ memberID: String, _ turn: inout Turn) {
        pending.remove(memberID)
        endRebalanceIfAllJoined(&turn)
    }

    /// Somebody who waits for an answer does no longer.
    mutating func abandon(_ request: RequestID, _ turn: inout Turn) {
        guard
            let index = members.values.firstIndex(where: {
                $0.joinRequest == request || $0.syncRequest == request
            })
        else { return }
        let member = members.values[index]
        members.values[index].waiting = .nothing
        if member.isNew, !member.isStatic {
            // It may not know its id: then it comes back as somebody else. If it does know it, it
            // learns that it has to join anew.
            remove([member.id], .connectionClosed, .unknownMemberID, &turn)
        } else {
            members.values[index].isNew = false
            touch(at: index, &turn)
        }
    }

    // MARK: Time

    /// Does what is due, and asks to be woken for what is not.
    mutating func expire(_ turn: inout Turn) {
        for memberID in pending.keys where (pending[memberID] ?? .max) <= turn.now {
            removePending(memberID, &turn)
        }
        let silent = members.values.filter { ($0.deadline ?? .max) <= turn.now }.map(\.id)
        remove(silent, .sessionTimeout, .unknownMemberID, &turn)
        switch phase {
        case .preparing(let preparing) where preparing.deadline <= turn.now:
            expireRebalance(&turn)
        case .completing(let completing) where completing.syncDeadline <= turn.now:
            expire(unsynced: completing.unsynced.keys, &turn)
        case .stable(let stable) where stable.syncDeadline <= turn.now && !stable.unsynced.isEmpty:
            expire(unsynced: stable.unsynced.keys, &turn)
        case .preparing, .completing, .stable, .empty, .dead: break
        }
        if let removalTime = removalTime(turn.settings), removalTime <= turn.now {
            delete(.removal(group: id), &turn)
        }
        // What was asked for on the way may be settled by now.
        turn.wakeTime = deadline
    }

    private mutating func expire(unsynced: [String], _ turn: inout Turn) {
        if case .completing(var completing) = phase, unsynced.isEmpty {
            // All wait for the log, which answers in time or not.
            completing.syncDeadline = turn.now + rebalanceTimeout
            phase = .completing(completing)
            return
        }
        remove(unsynced, .syncTimeout, .unknownMemberID, &turn)
    }

    /// When there is next something to do, as far as only time is waited for.
    var deadline: Int64? {
        var deadline = Int64.max
        for value in pending.values { deadline = min(deadline, value) }
        for member in members.values { deadline = min(deadline, member.deadline ?? .max) }
        switch phase {
        case .preparing(let preparing): deadline = min(deadline, preparing.deadline)
        case .completing(let completing): deadline = min(deadline, completing.syncDeadline)
        case .stable(let stable) where !stable.unsynced.isEmpty:
            deadline = min(deadline, stable.syncDeadline)
        case .stable, .empty, .dead: break
        }
        return deadline == .max ? nil : deadline
    }
}
