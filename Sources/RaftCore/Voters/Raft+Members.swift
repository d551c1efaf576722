// SPDX-License-Identifier: Apache-2.0

internal import Positions

// How a group gets other members (thesis 4.3).
//
//     old ──▶ entry "old and new" ──committed──▶ entry "new" ──committed──▶ done
//             counts when appended                counts when appended
//
// There is no shorter way for one member: one path is easier to get right than two.
extension Raft {
    mutating func changeMembers(
        voters: [ReplicaID], learners: [ReplicaID], into effects: inout [Effect]
    ) {
        let target = Configuration(voters: voters, learners: learners)
        if let refusal = refusal(of: target) {
            return effects.append(.changeEnded(refusal))
        }
        wake(into: &effects)
        leadership.changeIsAwaited = true
        append(configuration.joined(with: target), into: &effects)
    }

    private func refusal(of target: Configuration) -> ChangeRefusal? {
        guard leads else { return .notLeader(leader: leader) }
        guard !target.voters.isEmpty else { return .noVoters }
        guard target.members.count + configuration.members.count <= Configuration.membersMax else {
            return .tooManyMembers
        }
        guard leadership.transfer == nil else { return .transferring }
        guard isReady || planted(.changeBeforeNoOp) else { return .leaderIsNew }
        let isSettled = !configuration.isJoint && members.latestIndex <= commit
        guard isSettled || planted(.changeWhilePending) else {
            return .changeInProgress
        }
        for voter in target.voters where !configuration.isVoter(voter) {
            guard let number = leadership.number(of: voter),
                leadership.progress[number].closeTicks >= settings.electionTicks
            else { return .notCaughtUp(voter) }
        }
        return nil
    }

    private mutating func append(_ new: Configuration, into effects: inout [Effect]) {
        appendOwn(
            .configuration(new), size: Self.controlEntrySize + 16 * new.members.count,
            into: &effects)
    }

    /// Counts for how long each member has been close enough behind to become a voter.
    mutating func noteCloseFollowers() {
        let last = entries.bytes(upTo: lastIndex)
        for number in leadership.progress.indices {
            let match = leadership.progress[number].match
            let behind = last - entries.bytes(upTo: match)
            let isClose =
                match >= leadership.firstIndex.previous && match.next >= entries.tailFirst
                && behind <= UInt64(settings.inflightBytesMax)
            leadership.progress[number].closeTicks =
                isClose ? leadership.progress[number].closeTicks + 1 : 0
        }
    }

    /// Takes up a configuration that an entry has just named.
    mutating func membersHaveChanged(into effects: inout [Effect]) {
        effects.append(.membersChanged(configuration))
        guard leads else { return }
        var progress: [Progress] = []
        for member in configuration.members where member != id {
            if let number = leadership.number(of: member) {
                progress.append(leadership.progress[number])
            } else {
                progress.append(Progress(id: member, next: lastIndex))
            }
        }
        leadership.progress = progress
    }

    /// Goes on where a committed configuration leads to.
    mutating func membersAreCommitted(into effects: inout [Effect]) {
        guard leads, members.latestIndex <= commit, isReady else { return }
        if configuration.isJoint {
            if !leadership.changeIsAwaited { marks.insert(.jointLeftByNewLeader) }
            return append(configuration.settled, into: &effects)
        }
        if leadership.changeIsAwaited {
            leadership.changeIsAwaited = false
            effects.append(.changeEnded(nil))
        }
        guard !configuration.isVoter(id) else { return }
        // A leader that is no voter any more has seen its own removal through, and goes.
        marks.insert(.leaderRemoved)
        let heir = leadership.progress.filter { configuration.isVoter($0.id) }
            .max { ($0.match, $0.id) < ($1.match, $1.id) }
        if let heir { send(.timeoutNow, to: heir.id, into: &effects) }
        for progress in leadership.progress {
            // The others commit the removal without waiting for the next leader.
            send(
                .heartbeat(
                    Heartbeat(commit: min(commit, progress.match), round: leadership.round)),
                to: progress.id, into: &effects)
        }
        becomeFollower(in: term, of: nil, because: .removed, into: &effects)
    }
}
