// SPDX-License-Identifier: Apache-2.0

internal import Positions

// How a follower goes on whose log ends before the leader's begins.
//
// What is gone from the front of a leader's log was committed and then removed by retention. So the
// follower need not have it: it begins its log anew where the leader's begins.
extension Raft {
    mutating func sendSnapshot(to number: Int, into effects: inout [Effect]) {
        let follower = leadership.progress[number].id
        marks.insert(.snapshotSent)
        if configuration.isJoint { marks.insert(.snapshotInJointConfiguration) }
        leadership.progress[number].state = .snapshot(startIndex)
        leadership.progress[number].snapshotTicks = 0
        leadership.progress[number].releaseAll()
        effects.append(.observed(.sentSnapshot(to: follower)))
        send(
            .snapshot(
                Snapshot(
                    lastIndex: startIndex, lastTerm: entries.startTerm,
                    configuration: members.first)),
            to: follower, into: &effects)
    }

    mutating func receive(
        _ snapshot: Snapshot, from leader: ReplicaID, into effects: inout [Effect]
    ) {
        guard installing == nil else { return }
        let isOld = snapshot.lastIndex <= commit && !planted(.snapshotRegresses)
        // What is gone there was committed, and an equal entry here is the same with all before it.
        let isHeld = entries.term(at: snapshot.lastIndex) == snapshot.lastTerm
        guard !isOld, !isHeld || planted(.snapshotRegresses) else {
            marks.insert(.snapshotIgnored)
            verified = max(verified, min(max(snapshot.lastIndex, commit), lastIndex))
            owesAck = true
            acknowledge(into: &effects)
            learnCommit(snapshot.lastIndex, verified: snapshot.lastIndex, into: &effects)
            return
        }
        installing = snapshot
        effects.append(.installSnapshot(snapshot, from: leader))
    }

    mutating func snapshotInstalled(_ snapshot: Snapshot, into effects: inout [Effect]) {
        guard installing == snapshot else { return }
        installing = nil
        marks.insert(.snapshotInstalled)
        precondition(
            snapshot.lastIndex >= commit || planted(.snapshotRegresses),
            "a snapshot of \(snapshot.lastIndex) behind the commit index \(commit)")
        epoch += 1
        entries.reset(after: snapshot.lastIndex, term: snapshot.lastTerm)
        members.reset(snapshot.configuration, at: snapshot.lastIndex)
        effects.append(.membersChanged(configuration))
        durableIndex = snapshot.lastIndex
        damaged = []
        verified = snapshot.lastIndex
        acked = .zero
        owesAck = true
        commitLimit = max(commitLimit, snapshot.lastIndex)
        commit = snapshot.lastIndex
        effects.append(.commit(commit))
        acknowledge(into: &effects)
    }

    /// Retention has removed entries from the front of the log.
    mutating func logStartMoved(lastGone index: LogIndex) {
        guard index > startIndex else { return }
        precondition(index <= commit, "entries behind the commit index \(commit) are gone")
        entries.removeFirst(upTo: index)
        members.removeFirst(upTo: index)
        verified = max(verified, index)
        damaged = damaged.compactMap { range in
            guard range.last > index else { return nil }
            var kept = range
            kept.first = max(range.first, index.next)
            return kept
        }
    }

    // MARK: Repair

    func isDamaged(_ index: LogIndex) -> Bool {
        damaged.contains { $0.first <= index && index <= $0.last }
    }

    /// Asks the leader for entries that were damaged on this replica's disk.
    mutating func requestRepair(into effects: inout [Effect]) {
        guard let range = damaged.first, let leader, leader != id, case .follower = state else {
            return
        }
        repairTicks += 1
        guard repairTicks >= max(1, settings.heartbeatTicks) else { return }
        repairTicks = 0
        marks.insert(.repairRequested)
        send(
            .repairRequest(RepairRequest(first: range.first, last: range.last)), to: leader,
            into: &effects)
    }

    /// Has entries sent to a follower whose own are damaged; those alone that are committed.
    mutating func receive(
        _ request: RepairRequest, from follower: ReplicaID, into effects: inout [Effect]
    ) {
        guard leads else { return }
        let last = min(request.last, commit)
        guard request.first > startIndex, request.first <= last else { return }
        effects.append(
            .sendStored(
                StoredRequest(
                    to: follower, term: term, first: request.first, last: last,
                    bytesMax: settings.messageBytesMax, append: nil)))
    }

    mutating func receive(_ repair: Repair, into effects: inout [Effect]) {
        guard let range = damaged.first, repair.first == range.first, !repair.entries.isEmpty
        else { return }
        var infos: [EntryInfo] = []
        var index = repair.first
        for info in repair.entries where index <= range.last {
            // An entry of another term is not the one that was here.
            guard range.termsAreKnown == false || entries.term(at: index) == info.term else {
                break
            }
            infos.append(info)
            index = index.next
        }
        guard !infos.isEmpty else { return }
        effects.append(.repair(first: repair.first, entries: infos))
    }

    mutating func repaired(first: LogIndex, last: LogIndex) {
        marks.insert(.repaired)
        damaged = damaged.compactMap { range in
            guard range.first == first else { return range }
            guard range.last > last else { return nil }
            var kept = range
            kept.first = last.next
            return kept
        }
    }
}
