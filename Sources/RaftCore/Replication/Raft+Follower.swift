// SPDX-License-Identifier: Apache-2.0

internal import Positions

// How a follower makes its log the leader's.
extension Raft {
    mutating func receive(
        _ append: Append, from leader: ReplicaID, into effects: inout [Effect]
    ) {
        // A log that is being replaced takes nothing; the leader tries again.
        guard installing == nil else { return }
        guard append.lastIndex >= commit else {
            // All of it is committed here: an old message, or a leader who is still looking.
            return promise(through: commit, into: &effects)
        }
        if append.previousIndex > startIndex, isDamaged(append.previousIndex),
            entries.term(at: append.previousIndex) == nil
        {
            return
        }
        guard append.previousIndex <= startIndex || matches(append) else {
            return reject(append, from: leader, into: &effects)
        }
        take(append, into: &effects)
        if planted(.ackLastIndex) { verified = lastIndex }
        promise(through: append.lastIndex, into: &effects)
        learnCommit(append.commit, verified: append.lastIndex, into: &effects)
    }

    private func matches(_ append: Append) -> Bool {
        entries.term(at: append.previousIndex) == append.previousTerm
    }

    private mutating func reject(
        _ append: Append, from leader: ReplicaID, into effects: inout [Effect]
    ) {
        let hint = entries.lastIndex(
            upTo: min(append.previousIndex, lastIndex), ofTermUpTo: append.previousTerm)
        // What is committed is the same everywhere.
        let index = max(hint, min(commit, append.previousIndex.previous))
        send(
            .appendReply(
                .rejected(
                    previousIndex: append.previousIndex, hintIndex: index,
                    hintTerm: entries.term(at: index) ?? .zero)),
            to: leader, into: &effects)
    }

    /// Appends the entries that the log lacks, in place of what contradicts them.
    ///
    /// Entries that the log has stay, and so do those behind them: the message may be an old one.
    private mutating func take(_ append: Append, into effects: inout [Effect]) {
        var skipped = 0
        var index = append.previousIndex.next
        for info in append.entries {
            // Below the start everything is committed, so it is the same.
            guard index <= startIndex || entries.term(at: index) == info.term else { break }
            skipped += 1
            index = index.next
        }
        if planted(.truncateOnStaleAppend), index <= lastIndex, index > commit {
            cut(from: index, into: &effects)
            return write(append, skipping: skipped, from: index, truncates: true, into: &effects)
        }
        guard skipped < append.entries.count else { return }
        if index <= lastIndex {
            precondition(
                index > commit, "entry \(index) is committed, and the leader has another one")
            marks.insert(.conflictTruncated)
            if skipped > 0 { marks.insert(.conflictInsideMessage) }
            cut(from: index, into: &effects)
            return write(append, skipping: skipped, from: index, truncates: true, into: &effects)
        }
        write(append, skipping: skipped, from: index, truncates: false, into: &effects)
    }

    private mutating func write(
        _ append: Append, skipping skipped: Int, from index: LogIndex, truncates: Bool,
        into effects: inout [Effect]
    ) {
        let infos = Array(append.entries[skipped...])
        effects.append(
            .append(
                AppendRequest(
                    first: index, entries: infos, truncates: truncates,
                    skippedOfMessage: skipped, epoch: epoch)))
        note(infos, into: &effects)
    }

    /// Forgets an entry and all behind it, with what followed from them.
    ///
    /// - Parameter wasWritten: Whether the entries are in the log, so that syncs under way may be
    ///   about them.
    private mutating func cut(
        from index: LogIndex, wasWritten: Bool = true, into effects: inout [Effect]
    ) {
        entries.truncate(from: index)
        if wasWritten {
            effects.append(.observed(.truncated(from: index)))
            epoch += 1
        }
        durableIndex = min(durableIndex, index.previous)
        verified = min(verified, index.previous)
        acked = min(acked, index.previous)
        commitLimit = min(commitLimit, index.previous)
        damaged = damaged.compactMap { range in
            guard range.first < index else { return nil }
            var kept = range
            kept.last = min(range.last, index.previous)
            return kept
        }
        guard !planted(.keepMembersOnTruncation), members.truncate(from: index) else { return }
        marks.insert(.configurationTakenBack)
        effects.append(.membersChanged(configuration))
    }

    // MARK: What is promised

    /// Takes note that the leader's log and this one agree up to an entry, and that it waits to
    /// hear of it.
    private mutating func promise(through index: LogIndex, into effects: inout [Effect]) {
        verified = max(verified, min(index, lastIndex))
        owesAck = true
        acknowledge(into: &effects)
    }

    /// Tells the leader what is durable of its log, if that is news or all that it has sent.
    ///
    /// Never more than the leader has vouched for: what lies behind may be another leader's.
    mutating func acknowledge(into effects: inout [Effect]) {
        guard owesAck, case .follower = state, let leader else { return }
        let ready = planted(.ackBeforeSync) ? verified : min(verified, durableIndex)
        guard ready > acked || ready >= verified else { return }
        acked = ready
        owesAck = ready < verified
        send(.appendReply(.accepted(match: ready)), to: leader, into: &effects)
    }

    /// Commits what the leader has committed, of that what is known to be the leader's and durable.
    mutating func learnCommit(
        _ leaderCommit: LogIndex, verified index: LogIndex, into effects: inout [Effect]
    ) {
        let known = planted(.followerCommitUnverified) ? leaderCommit : min(leaderCommit, index)
        commitLimit = max(commitLimit, known)
        followCommit(into: &effects)
    }

    mutating func followCommit(into effects: inout [Effect]) {
        guard !leads else { return }
        let index = min(commitLimit, durableIndex)
        guard index > commit else { return }
        commit = index
        effects.append(.commit(index))
        trimTail()
        if mayHaveLostEntries, entries.term(at: commit) == term {
            // All that any leader before had committed is here again.
            mayHaveLostEntries = false
            marks.insert(.caughtUpAfterLoss)
        }
    }

    mutating func receive(
        _ heartbeat: Heartbeat, from leader: ReplicaID, into effects: inout [Effect]
    ) {
        // The leader names nothing that this replica has not told it to have.
        learnCommit(heartbeat.commit, verified: lastIndex, into: &effects)
        if heartbeat.quietIndex != .zero {
            let isSame =
                lastIndex == heartbeat.quietIndex && commit == heartbeat.quietIndex
                && savedVersion == version && damaged.isEmpty && installing == nil
            guard isSame || planted(.quietWithoutMatch) else { return wake(into: &effects) }
            return stopClock(into: &effects)
        }
        send(
            .heartbeatReply(HeartbeatReply(round: heartbeat.round)), to: leader, into: &effects)
    }

    // MARK: The disk

    /// Entries are durable.
    mutating func entriesStored(
        through index: LogIndex, epoch syncedEpoch: UInt64, into effects: inout [Effect]
    ) {
        guard syncedEpoch == epoch || planted(.staleCompletionCounts) else {
            // The sync began before a truncation: of what was written since it says nothing, and
            // what was written since has a sync of its own.
            marks.insert(.staleCompletionIgnored)
            return
        }
        let index = min(index, lastIndex)
        guard index > durableIndex else { return }
        durableIndex = index
        stalledTicks = 0
        if leads {
            advanceCommit(into: &effects)
        } else {
            acknowledge(into: &effects)
            followCommit(into: &effects)
        }
    }

    /// Entries were not written, for want of room.
    mutating func entriesRefused(last: LogIndex, into effects: inout [Effect]) {
        marks.insert(.entriesRefused)
        guard last < lastIndex else { return }
        precondition(last >= commit, "committed entries were refused")
        cut(from: last.next, wasWritten: false, into: &effects)
        owesAck = false
        if leads { becomeFollower(in: term, of: nil, because: .noRoom, into: &effects) }
    }
}
