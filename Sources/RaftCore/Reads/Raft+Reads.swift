// SPDX-License-Identifier: Apache-2.0

internal import DequeModule
internal import Positions

// How a leader makes sure that what it knows to be committed is all there is (thesis 6.4).
//
// A read gets the commit index of its moment, and waits for one round of heartbeats to be answered
// by a majority. One round serves all reads that came before it began.
extension Raft {
    mutating func read(_ read: ReadID, into effects: inout [Effect]) {
        guard leads else { return effects.append(.readFailed(read)) }
        wake(into: &effects)
        guard leadership.reads.count + leadership.earlyReads.count < settings.readsMax else {
            return effects.append(.readFailed(read))
        }
        guard isReady || planted(.readBeforeNoOp) else {
            // What is committed of earlier terms is known once the no-op is.
            marks.insert(.readWaitedForNoOp)
            leadership.earlyReads.append(read)
            return
        }
        begin(read, into: &effects)
    }

    private mutating func begin(_ read: ReadID, into effects: inout [Effect]) {
        guard !isAlone, !planted(.readWithoutQuorum) else {
            return effects.append(.readReady(read, commit))
        }
        // A round that is under way may have been answered before the read was asked for.
        let isUnderWay = leadership.round > leadership.confirmedRound
        leadership.reads.append(
            Leadership.PendingRead(id: read, index: commit, round: leadership.round + 1))
        if !isUnderWay { beginRound(into: &effects) }
    }

    private mutating func beginRound(into effects: inout [Effect]) {
        leadership.round += 1
        sendHeartbeats(into: &effects)
    }

    /// Takes up reads that came before the no-op was committed.
    mutating func beginEarlyReads(into effects: inout [Effect]) {
        let reads = leadership.earlyReads
        leadership.earlyReads = []
        for read in reads { begin(read, into: &effects) }
    }

    /// Answers reads whose round a majority has answered.
    mutating func confirmReads(into effects: inout [Effect]) {
        guard !leadership.reads.isEmpty || leadership.round > leadership.confirmedRound else {
            return
        }
        func rounds(_ voters: [ReplicaID]) -> [UInt64] {
            voters.map { voter in
                if voter == id { return leadership.round }
                return leadership.number(of: voter).map { leadership.progress[$0].round } ?? 0
            }
        }
        let reached = Commitment.reached(
            voters: rounds(configuration.voters), outgoing: rounds(configuration.outgoing))
        leadership.confirmedRound = max(leadership.confirmedRound, reached)
        while let first = leadership.reads.first, first.round <= leadership.confirmedRound {
            leadership.reads.removeFirst()
            marks.insert(.readConfirmed)
            effects.append(.readReady(first.id, first.index))
        }
        if leadership.confirmedRound >= leadership.round, !leadership.reads.isEmpty {
            beginRound(into: &effects)
        }
    }
}
