// SPDX-License-Identifier: Apache-2.0

internal import Positions

extension Raft {
    /// Checks what must hold between any two inputs.
    public func checkInvariants() {
        entries.checkInvariants()
        precondition(commit <= lastIndex, "committed \(commit) behind the last entry \(lastIndex)")
        precondition(commit >= startIndex, "the log begins behind the commit index \(commit)")
        precondition(durableIndex <= lastIndex, "durable \(durableIndex) behind \(lastIndex)")
        precondition(term >= entries.lastTerm, "an entry of a term that was never known")
        precondition(savedVersion <= version, "saved what was never asked for")
        precondition(verified <= lastIndex, "vouched for entries that are not there")
        precondition(
            members.latestIndex <= max(lastIndex, startIndex), "members of an entry that is gone")
        precondition(outbox.isEmpty || savedVersion < version, "messages wait for nothing")
        precondition(
            outbox.count <= 16 * (Configuration.membersMax + 1), "too many messages wait")
        if case .leader(let leadership) = state { check(leadership) }
        if case .candidate = state {
            precondition(hardState.vote == id, "a candidate votes for itself")
        }
    }

    private func check(_ leadership: Leadership) {
        precondition(savedVersion == version, "a leader whose vote is not saved")
        precondition(hardState.vote == id, "a leader votes for itself")
        precondition(leader == id, "a leader follows somebody")
        precondition(installing == nil, "a leader's log is replaced")
        precondition(leadership.firstIndex <= lastIndex, "a leader without its no-op")
        precondition(leadership.reads.count <= settings.readsMax, "too many reads wait")
        for progress in leadership.progress {
            precondition(progress.match < progress.next, "\(progress.id) is to get what it has")
            precondition(progress.match <= lastIndex, "\(progress.id) has what the leader lacks")
            precondition(
                progress.inflight.count <= max(1, settings.inflightMessagesMax),
                "too many messages on their way to \(progress.id)")
            precondition(
                configuration.contains(progress.id), "\(progress.id) is no member")
        }
        precondition(
            !configuration.isJoint || members.latestIndex > commit || !isReady,
            "a joint configuration was not left")
    }
}
