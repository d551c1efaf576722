// SPDX-License-Identifier: Apache-2.0

internal import DequeModule
internal import Positions

/// What only a leader has.
struct Leadership: Sendable {
    /// The no-op that it began with: the first entry of its term.
    var firstIndex: LogIndex
    /// All members but itself, sorted.
    var progress: [Progress]
    /// Ticks since the last heartbeat.
    var heartbeatElapsed = 0
    /// Ticks since a majority was last counted.
    var quorumElapsed = 0
    /// Ticks in which nothing happened.
    var idleTicks = 0
    var transfer: Transfer?
    /// Whether somebody waits for the change of members that is under way.
    var changeIsAwaited = false

    // Reads (thesis 6.4).

    /// The last round of heartbeats that was begun for reads.
    var round: UInt64 = 0
    /// The last round that a majority has answered.
    var confirmedRound: UInt64 = 0
    /// Reads whose index is known and whose round is not over.
    var reads: Deque<PendingRead> = []
    /// Reads that came before the leader knew what is committed.
    var earlyReads: [ReadID] = []

    /// Somebody else is to lead.
    struct Transfer: Sendable {
        var target: ReplicaID
        var elapsed = 0
        var isAsked = false
    }

    /// A read that waits for a majority to confirm the leader.
    struct PendingRead: Sendable {
        var id: ReadID
        var index: LogIndex
        var round: UInt64
    }

    /// The number of a member among the progresses.
    func number(of id: ReplicaID) -> Int? { progress.firstIndex { $0.id == id } }
}

extension Raft {
    /// The leadership, changed in place.
    ///
    /// Only for who leads.
    var leadership: Leadership {
        get {
            guard case .leader(let leadership) = state else {
                preconditionFailure("\(id) does not lead")
            }
            return leadership
        }
        _modify {
            guard case .leader(var leadership) = state else {
                preconditionFailure("\(id) does not lead")
            }
            // The state lets go of it meanwhile, so that nothing is copied.
            state = .follower
            defer { state = .leader(leadership) }
            yield &leadership
        }
    }

    /// Whether this replica leads.
    var leads: Bool {
        if case .leader = state { true } else { false }
    }
}
