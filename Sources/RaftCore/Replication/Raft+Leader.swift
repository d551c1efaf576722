// SPDX-License-Identifier: Apache-2.0

internal import Positions

// How a leader gets its entries to the others.
extension Raft {
    /// Sends all members what they lack, as far as their windows allow.
    mutating func replicateToAll(into effects: inout [Effect]) {
        for number in leadership.progress.indices { replicate(to: number, into: &effects) }
        // A leader that is alone has nobody to wait for but its disk.
        advanceCommit(into: &effects)
    }

    /// Sends one member what it lacks.
    ///
    /// - Parameter isProbing: Send something even if it lacks nothing: an answer is wanted.
    mutating func replicate(
        to number: Int, isProbing: Bool = false, into effects: inout [Effect]
    ) {
        var isProbing = isProbing
        while maySend(to: number), leadership.progress[number].next <= lastIndex || isProbing {
            guard sendNext(to: number, isProbing: isProbing, into: &effects) else { return }
            isProbing = false
        }
    }

    private mutating func maySend(to number: Int) -> Bool {
        let progress = leadership.progress[number]
        switch progress.state {
        case .snapshot: return false
        case .probe: return !progress.probeIsOut && !progress.storedIsOut
        case .replicate:
            guard !progress.storedIsOut else { return false }
            if progress.isFull(settings) {
                marks.insert(.windowFull)
                return false
            }
            return true
        }
    }

    /// Sends one message; false if the member has to wait for something first.
    private mutating func sendNext(
        to number: Int, isProbing: Bool, into effects: inout [Effect]
    ) -> Bool {
        let progress = leadership.progress[number]
        let first = progress.next
        guard first > startIndex, let previousTerm = entries.term(at: first.previous) else {
            sendSnapshot(to: number, into: &effects)
            return false
        }
        if first <= lastIndex, first < entries.tailFirst {
            sendStored(to: number, first: first, previousTerm: previousTerm, into: &effects)
            return false
        }
        let (infos, bytes) = batch(from: first)
        let append = Append(
            previousIndex: first.previous, previousTerm: previousTerm, entries: infos,
            commit: commit)
        send(.append(append), to: progress.id, into: &effects)
        noteSent(to: number, through: append.lastIndex, bytes: bytes)
        return true
    }

    private mutating func noteSent(to number: Int, through last: LogIndex, bytes: Int) {
        switch leadership.progress[number].state {
        case .probe: leadership.progress[number].probeIsOut = true
        case .replicate:
            guard last >= leadership.progress[number].next else { return }
            leadership.progress[number].next = last.next
            leadership.progress[number].note(sent: last, bytes: bytes)
        case .snapshot: break
        }
    }

    /// The entries of one message.
    private func batch(from first: LogIndex) -> (infos: [EntryInfo], bytes: Int) {
        var infos: [EntryInfo] = []
        var bytes = 0
        var index = first
        while let entry = entries.entry(at: index), infos.count < max(1, settings.messageEntriesMax)
        {
            guard infos.isEmpty || bytes + entry.size <= settings.messageBytesMax else { break }
            infos.append(entry)
            bytes += entry.size
            index = index.next
        }
        return (infos, bytes)
    }

    /// Has the shell send entries whose sizes only it knows.
    private mutating func sendStored(
        to number: Int, first: LogIndex, previousTerm: Term, into effects: inout [Effect]
    ) {
        marks.insert(.sentFromLog)
        leadership.progress[number].storedIsOut = true
        effects.append(
            .sendStored(
                StoredRequest(
                    to: leadership.progress[number].id, term: term, first: first,
                    last: min(
                        entries.tailFirst.previous,
                        first.advanced(by: max(1, settings.messageEntriesMax) - 1)),
                    bytesMax: settings.messageBytesMax,
                    append: StoredRequest.Envelope(previousTerm: previousTerm, commit: commit))))
    }

    mutating func storedSent(
        to follower: ReplicaID, first: LogIndex, last: LogIndex, term sentTerm: Term,
        into effects: inout [Effect]
    ) {
        guard leads, sentTerm == term, let number = leadership.number(of: follower) else { return }
        leadership.progress[number].storedIsOut = false
        guard last >= first else {
            // The entries could not be read: they may be gone from the front by now.
            if first <= startIndex { sendSnapshot(to: number, into: &effects) }
            return
        }
        // What was answered meanwhile may have changed the place.
        if leadership.progress[number].next == first {
            noteSent(to: number, through: last, bytes: settings.messageBytesMax)
        }
        replicate(to: number, into: &effects)
    }

    // MARK: Answers

    mutating func receive(
        _ reply: AppendReply, of message: Message, into effects: inout [Effect]
    ) {
        guard leads, let number = leadership.number(of: message.from) else { return }
        leadership.progress[number].isActive = true
        switch reply {
        case .accepted(let match): accepted(match, by: number, into: &effects)
        case .rejected(let previous, let hintIndex, let hintTerm):
            rejected(
                previous, by: number, hintIndex: hintIndex, hintTerm: hintTerm, into: &effects)
        }
    }

    private mutating func accepted(
        _ match: LogIndex, by number: Int, into effects: inout [Effect]
    ) {
        // Who says it has what the leader lacks says it of a log that is not the leader's.
        guard match <= lastIndex else { return }
        let follower = leadership.progress[number].id
        let isNews = match > leadership.progress[number].match
        if isNews {
            leadership.progress[number].match = match
            leadership.progress[number].widenWindow()
        }
        let known = leadership.progress[number].match
        switch leadership.progress[number].state {
        case .probe:
            leadership.progress[number].state = .replicate
            leadership.progress[number].probeIsOut = false
            leadership.progress[number].next = known.next
        case .snapshot where known >= startIndex:
            leadership.progress[number].state = .replicate
            leadership.progress[number].next = known.next
        case .snapshot, .replicate:
            leadership.progress[number].next = max(leadership.progress[number].next, known.next)
        }
        leadership.progress[number].release(upTo: known)
        if isNews {
            leadership.idleTicks = 0
            advanceCommit(into: &effects)
        }
        // The commit may have ended the leadership, or the follower's membership.
        guard leads, let number = leadership.number(of: follower) else { return }
        if isNews { askTarget(into: &effects) }
        replicate(to: number, into: &effects)
    }

    private mutating func rejected(
        _ previous: LogIndex, by number: Int, hintIndex: LogIndex, hintTerm: Term,
        into effects: inout [Effect]
    ) {
        let progress = leadership.progress[number]
        switch progress.state {
        case .snapshot: return
        case .replicate:
            guard previous > progress.match || planted(.rejectMovesMatchBack) else {
                marks.insert(.staleRejectIgnored)
                return
            }
        case .probe:
            guard previous == progress.next.previous || planted(.rejectMovesMatchBack) else {
                marks.insert(.staleRejectIgnored)
                return
            }
        }
        effects.append(.observed(.probing(progress.id)))
        let agreed = entries.lastIndex(
            upTo: min(hintIndex, previous.previous), ofTermUpTo: hintTerm)
        leadership.progress[number].next = max(progress.match.next, agreed.next)
        if planted(.rejectMovesMatchBack) {
            leadership.progress[number].match = min(progress.match, agreed)
            leadership.progress[number].next = agreed.next
        }
        leadership.progress[number].state = .probe
        leadership.progress[number].probeIsOut = false
        leadership.progress[number].narrowWindow()
        replicate(to: number, isProbing: true, into: &effects)
    }

    mutating func receive(
        _ reply: HeartbeatReply, of message: Message, into effects: inout [Effect]
    ) {
        guard leads, let number = leadership.number(of: message.from) else { return }
        leadership.progress[number].isActive = true
        leadership.progress[number].round = max(leadership.progress[number].round, reply.round)
        confirmReads(into: &effects)
        reopen(number, into: &effects)
    }

    /// Sends again to a member that is there and has not answered for what it was sent.
    private mutating func reopen(_ number: Int, into effects: inout [Effect]) {
        guard !planted(.windowNeverReopens) else { return }
        let progress = leadership.progress[number]
        switch progress.state {
        case .probe:
            leadership.progress[number].probeIsOut = false
            replicate(to: number, isProbing: progress.match < lastIndex, into: &effects)
        case .replicate:
            leadership.progress[number].matchAtHeartbeat = progress.match
            // Who has made headway since the last heartbeat needs no reminder.
            guard progress.match < lastIndex, progress.match == progress.matchAtHeartbeat else {
                return
            }
            if progress.isFull(settings) {
                // One message's worth, to learn whether what is on its way was lost.
                leadership.progress[number].releaseFirst()
                marks.insert(.windowReopenedByHeartbeat)
            }
            replicate(to: number, isProbing: true, into: &effects)
        case .snapshot:
            leadership.progress[number].snapshotTicks += 1
            guard leadership.progress[number].snapshotTicks >= settings.electionTicks else {
                return
            }
            sendSnapshot(to: number, into: &effects)
        }
    }

    // MARK: Committing

    /// Commits what enough disks have.
    mutating func advanceCommit(into effects: inout [Effect]) {
        guard leads else { return }
        let own = planted(.countUnsyncedSelf) ? lastIndex : min(durableIndex, lastIndex)
        func reached(_ voters: [ReplicaID]) -> [UInt64] {
            voters.map { voter in
                if voter == id { return own.rawValue }
                return leadership.number(of: voter)
                    .map { leadership.progress[$0].match.rawValue } ?? 0
            }
        }
        var commitment = Commitment(
            voters: reached(configuration.voters), outgoing: reached(configuration.outgoing),
            firstOfTerm: leadership.firstIndex.rawValue, last: lastIndex.rawValue)
        if planted(.commitOlderTerm) { commitment.firstOfTerm = 0 }
        if planted(.removedLeaderCounts), !configuration.isVoter(id) {
            commitment.voters.append(own.rawValue)
        }
        let index = LogIndex(commitment.index(after: commit.rawValue))
        guard index > commit else { return }
        if index > durableIndex { marks.insert(.committedWithoutOwnDisk) }
        commit = index
        effects.append(.commit(index))
        trimTail()
        if leadership.firstIndex <= commit { beginEarlyReads(into: &effects) }
        membersAreCommitted(into: &effects)
    }
}
