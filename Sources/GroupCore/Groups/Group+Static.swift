// SPDX-License-Identifier: Apache-2.0

/// Static members, which keep their place over restarts (KIP-345, KIP-814).
extension Group {
    /// A static member came back without its id: it gets a new one, and the old one is fenced.
    ///
    /// In a stable group nothing else changes, if the member wants what it wanted before: it takes
    /// over what its predecessor owned, once its new id is durable. Kafka compares only the protocol
    /// that would be chosen; we also look at the subscription, so that a member that was given other
    /// topics while it was down gets them.
    mutating func replace(
        _ oldID: String, by newID: String, _ id: RequestID, _ request: JoinGroup,
        _ turn: inout Turn
    ) {
        guard let old = extract(oldID) else { return }
        Self.answerWaiting(of: old, .fencedInstanceID, &turn)
        turn.observe(.memberRemoved(group: self.id, memberID: oldID, reason: .replaced))
        var member = Member(
            id: newID, request, sessionDeadline: turn.now + turn.settings.newMemberJoinTimeout)
        member.assignment = old.assignment
        member.waiting = .join(id)
        insert(member)
        turn.wait(id, in: self.id)
        turn.wake(at: member.sessionDeadline)
        rename(oldID, to: newID)
        switch phase {
        case .stable(let stable)
        where stable.agreement.protocolName == chosenProtocol()
            && Self.wantsTheSame(old, member, protocolType, stable.agreement.protocolName):
            let replacement = PendingAppend.Replacement(
                group: self.id, generation: generation, request: id, newID: newID,
                replaced: old,
                supportsSkippingAssignment: request.supportsSkippingAssignment)
            append(
                [.group(id: self.id, metadata())], .replacement(replacement), &turn)
        case .empty, .preparing, .completing, .stable, .dead:
            beginRebalance(.memberRejoined, &turn)
        }
    }

    /// A static member's new id is durable, or is not.
    mutating func endReplacement(
        _ replacement: PendingAppend.Replacement, isDurable: Bool, _ turn: inout Turn
    ) {
        // A rebalance that began meanwhile answers the member, and stores its id.
        guard case .stable = phase, generation == replacement.generation,
            let index = members.index(of: replacement.newID),
            members.values[index].waiting == .join(replacement.request)
        else { return }
        members.values[index].waiting = .nothing
        guard isDurable else {
            _ = extract(replacement.newID)
            var old = replacement.replaced
            old.waiting = .nothing
            insert(old)
            rename(replacement.newID, to: old.id)
            touch(old.id, &turn)
            let answer = JoinGroup.Answer(error: .coordinatorNotAvailable, memberID: "")
            return turn.finish(replacement.request, .joinGroup(answer))
        }
        members.values[index].isNew = false
        touch(at: index, &turn)
        var answer = generationAnswer(for: members.values[index])
        if answer.leaderID == replacement.newID {
            // The leader is not to assign anew: what it assigned still holds. Members that cannot be
            // told so are told of another leader.
            answer.skipAssignment = replacement.supportsSkippingAssignment
            if !replacement.supportsSkippingAssignment {
                answer.leaderID = replacement.replaced.id
                answer.members = []
            }
        }
        turn.finish(replacement.request, .joinGroup(answer))
    }

    /// Lets a member's new id stand wherever its old one did.
    private mutating func rename(_ oldID: String, to newID: String) {
        func renamed(_ unsynced: SortedMap<String, Void>) -> SortedMap<String, Void> {
            var unsynced = unsynced
            if unsynced.remove(oldID) != nil { unsynced.set(newID, ()) }
            return unsynced
        }
        switch phase {
        case .preparing(var preparing):
            if preparing.leaderID == oldID { preparing.leaderID = newID }
            phase = .preparing(preparing)
        case .completing(var completing):
            if completing.agreement.leaderID == oldID { completing.agreement.leaderID = newID }
            completing.unsynced = renamed(completing.unsynced)
            phase = .completing(completing)
        case .stable(var stable):
            if stable.agreement.leaderID == oldID { stable.agreement.leaderID = newID }
            stable.unsynced = renamed(stable.unsynced)
            phase = .stable(stable)
        case .empty, .dead: break
        }
    }

    private static func wantsTheSame(
        _ old: Member, _ new: Member, _ protocolType: String, _ protocolName: String
    ) -> Bool {
        let before = old.metadata(for: protocolName)
        let now = new.metadata(for: protocolName)
        guard before != now else { return true }
        // What consumers say of partitions that they own changes with each life; their topics do not.
        guard protocolType == "consumer", let before = ConsumerSubscription(before),
            let now = ConsumerSubscription(now)
        else { return false }
        return before.topics.sorted() == now.topics.sorted()
    }
}
