// SPDX-License-Identifier: Apache-2.0

internal import DequeModule
internal import Positions

// How a leader begins, stays and ends.
extension Raft {
    /// Leads from now on; begins with a no-op, without which nothing could be committed.
    mutating func becomeLeader(into effects: inout [Effect]) {
        precondition(hardState.vote == id, "a leader has voted for itself")
        if configuration.isJoint { marks.insert(.leaderElectedInJointConfiguration) }
        let next = lastIndex.next
        state = .leader(
            Leadership(
                firstIndex: next,
                progress: configuration.members.filter { $0 != id }.map {
                    Progress(id: $0, next: next)
                }))
        leader = id
        clock.failedRounds = 0
        clock.elapsed = 0
        stalledTicks = 0
        verified = lastIndex
        reportRole(into: &effects)
        effects.append(.observed(.becameLeader(term: term)))
        appendOwn(.noOp, size: Self.controlEntrySize, into: &effects)
    }

    /// About what an entry without data takes.
    static let controlEntrySize = 128

    /// Appends an entry of the core's own making, and sends it.
    mutating func appendOwn(_ kind: EntryInfo.Kind, size: Int, into effects: inout [Effect]) {
        let info = EntryInfo(term: term, size: size, kind: kind)
        effects.append(
            .append(
                AppendRequest(
                    first: lastIndex.next, entries: [info], truncates: false,
                    skippedOfMessage: nil, epoch: epoch)))
        note([info], into: &effects)
        replicateToAll(into: &effects)
    }

    /// Takes note of entries that the leader's log has behind the last one.
    mutating func note(_ infos: [EntryInfo], into effects: inout [Effect]) {
        for info in infos {
            entries.append(info)
            if let configuration = info.configuration {
                members.append(configuration, at: lastIndex)
                membersHaveChanged(into: &effects)
            }
        }
        verified = leads ? lastIndex : verified
        trimTail()
        if leads { leadership.idleTicks = 0 }
    }

    /// Lets go of entries' sizes that nobody is likely to ask for.
    mutating func trimTail() {
        // A leader knows the size of all that is not committed, to bound it.
        entries.trimTail(
            to: settings.tailEntriesMax, keepingFrom: leads ? commit.next : lastIndex.next)
    }

    /// The leader's log has taken entries.
    mutating func appended(_ infos: [EntryInfo], into effects: inout [Effect]) {
        precondition(
            proposalRefusal(expecting: nil, bytes: 0) == nil
                || proposalRefusal(expecting: nil, bytes: 0) == .tooMuchUncommitted,
            "entries were appended that were not asked for")
        wake(into: &effects)
        for info in infos {
            precondition(info.term == term, "an entry of term \(info.term) in term \(term)")
        }
        note(infos, into: &effects)
        replicateToAll(into: &effects)
    }

    // MARK: Time

    mutating func tickLeader(into effects: inout [Effect]) {
        leadership.heartbeatElapsed += 1
        leadership.quorumElapsed += 1
        leadership.idleTicks += 1
        if leadership.quorumElapsed >= settings.electionTicks {
            leadership.quorumElapsed = 0
            guard hasActiveQuorum() || planted(.noCheckQuorum) else {
                marks.insert(.steppedDownWithoutQuorum)
                return becomeFollower(in: term, of: nil, because: .quorumLost, into: &effects)
            }
        }
        if isStalled, !isAlone, !planted(.stalledDiskKeepsLeading) {
            marks.insert(.steppedDownForStalledDisk)
            return becomeFollower(in: term, of: nil, because: .storageStalled, into: &effects)
        }
        tickTransfer(into: &effects)
        noteCloseFollowers()
        if fallQuiet(into: &effects) { return }
        guard leadership.heartbeatElapsed >= settings.heartbeatTicks else { return }
        sendHeartbeats(into: &effects)
    }

    /// Whether a majority was heard since this was last asked (thesis 6.2).
    private mutating func hasActiveQuorum() -> Bool {
        let active = leadership.progress.filter(\.isActive).map(\.id)
        for number in leadership.progress.indices { leadership.progress[number].isActive = false }
        func isReached(_ voters: [ReplicaID]) -> Bool {
            voters.isEmpty
                || voters.count { $0 == id || active.contains($0) } > voters.count / 2
        }
        return isReached(configuration.voters) && isReached(configuration.outgoing)
    }

    /// Says that the leader is there.
    mutating func sendHeartbeats(quietIndex: LogIndex = .zero, into effects: inout [Effect]) {
        leadership.heartbeatElapsed = 0
        let round = leadership.round
        for progress in leadership.progress {
            // Only what the follower is known to have is it told to commit.
            let known = planted(.heartbeatCommitUnclamped) ? commit : min(commit, progress.match)
            send(
                .heartbeat(Heartbeat(commit: known, round: round, quietIndex: quietIndex)),
                to: progress.id, into: &effects)
        }
    }

    // MARK: The end

    /// Ends what the leader has begun, for its own callers.
    mutating func abdicate(
        _ leadership: Leadership, _ reason: Observation.StepDownReason,
        into effects: inout [Effect]
    ) {
        for read in leadership.reads { effects.append(.readFailed(read.id)) }
        for read in leadership.earlyReads { effects.append(.readFailed(read)) }
        if !leadership.reads.isEmpty || !leadership.earlyReads.isEmpty {
            marks.insert(.readFailed)
        }
        if leadership.transfer != nil {
            effects.append(.transferEnded)
            if reason == .higherTerm { marks.insert(.transferDone) }
        }
        if leadership.changeIsAwaited {
            effects.append(.changeEnded(.notLeader(leader: nil)))
        }
        effects.append(.observed(.steppedDown(term: term, reason)))
        stalledTicks = 0
        verified = lastIndex
    }

    mutating func storageFailed(into effects: inout [Effect]) {
        // Whoever waits is told; nobody else is, so that nothing is promised any more.
        becomeFollower(in: term, of: nil, because: .storageFailed, into: &effects)
        outbox = []
        hasFailed = true
    }
}
