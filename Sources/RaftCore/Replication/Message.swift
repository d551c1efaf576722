// SPDX-License-Identifier: Apache-2.0

public import Positions

/// What one replica tells another.
///
/// The shell adds the entries' content to an ``Append``, and the group and the cluster to all; a
/// message for another replica, group or cluster never reaches the core.
public struct Message: Sendable, Equatable {
    public var from: ReplicaID
    public var to: ReplicaID
    /// The sender's term; in a request for a pre-vote the term that it would campaign in.
    public var term: Term
    public var body: Body

    /// The kinds of messages.
    public enum Body: Sendable, Equatable {
        /// Asks for a vote, or for the promise of one.
        case voteRequest(VoteRequest)
        case voteReply(VoteReply)
        /// Carries entries; or none, to find out where logs part.
        case append(Append)
        case appendReply(AppendReply)
        /// Says that the leader is there, and how far to commit.
        case heartbeat(Heartbeat)
        case heartbeatReply(HeartbeatReply)
        /// Tells a follower whose log ends before the leader's begins to begin there.
        case snapshot(Snapshot)
        /// Tells a voter to campaign at once (thesis 3.10).
        case timeoutNow
        /// Tells who is no member any more to leave the others alone.
        case notMember
        /// Asks for entries that are damaged here.
        case repairRequest(RepairRequest)
        /// Carries those entries.
        case repair(Repair)
    }

    /// A message.
    public init(from: ReplicaID, to: ReplicaID, term: Term, body: Body) {
        self.from = from
        self.to = to
        self.term = term
        self.body = body
    }
}

/// Asks for a vote (Raft section 5.2) or, beforehand, whether one would be given (thesis 9.6).
public struct VoteRequest: Sendable, Equatable {
    /// Nothing is promised by the answer.
    public var isPreVote: Bool
    /// The leader has asked for it, so that its lease is no reason to refuse.
    public var isTransfer: Bool
    public var lastIndex: LogIndex
    public var lastTerm: Term

    public init(isPreVote: Bool, isTransfer: Bool, lastIndex: LogIndex, lastTerm: Term) {
        self.isPreVote = isPreVote
        self.isTransfer = isTransfer
        self.lastIndex = lastIndex
        self.lastTerm = lastTerm
    }
}

/// The answer to a request for a vote.
///
/// Granting a pre-vote it carries the term of the request, in all other cases the voter's.
public struct VoteReply: Sendable, Equatable {
    public var isPreVote: Bool
    public var isGranted: Bool

    public init(isPreVote: Bool, isGranted: Bool) {
        self.isPreVote = isPreVote
        self.isGranted = isGranted
    }
}

/// Entries behind a place at which both logs have to agree (Raft section 5.3).
public struct Append: Sendable, Equatable {
    /// The entry before the first one.
    public var previousIndex: LogIndex
    public var previousTerm: Term
    /// The entries, one behind the other.
    public var entries: [EntryInfo]
    /// What the leader has committed.
    public var commit: LogIndex

    public init(
        previousIndex: LogIndex, previousTerm: Term, entries: [EntryInfo], commit: LogIndex
    ) {
        self.previousIndex = previousIndex
        self.previousTerm = previousTerm
        self.entries = entries
        self.commit = commit
    }

    /// The last entry that the message vouches for.
    public var lastIndex: LogIndex { previousIndex.advanced(by: entries.count) }
}

/// How far a follower's log is the leader's.
public enum AppendReply: Sendable, Equatable {
    /// All entries up to here are durable at the follower, and the leader's.
    case accepted(match: LogIndex)
    /// The follower has no entry `previousIndex` of the term that the leader named.
    ///
    /// The hint is the last place at which the logs can agree as far as the follower knows.
    case rejected(previousIndex: LogIndex, hintIndex: LogIndex, hintTerm: Term)
}

/// A leader's sign of life.
public struct Heartbeat: Sendable, Equatable {
    /// What the leader has committed of the entries that it knows the follower to have.
    public var commit: LogIndex
    /// Grows; the reply carries it back, which confirms reads (thesis 6.4).
    public var round: UInt64
    /// If not zero: the group is at rest, and who has all entries up to here, committed, may stop
    /// its clock until something happens.
    public var quietIndex: LogIndex

    public init(commit: LogIndex, round: UInt64, quietIndex: LogIndex = .zero) {
        self.commit = commit
        self.round = round
        self.quietIndex = quietIndex
    }
}

/// The answer to a sign of life.
public struct HeartbeatReply: Sendable, Equatable {
    public var round: UInt64

    public init(round: UInt64) { self.round = round }
}

/// Where the leader's log begins.
///
/// What lay before it is gone by retention, and nobody misses it: so this is all that a snapshot
/// has to say, and the entries themselves come by appends.
public struct Snapshot: Sendable, Equatable {
    /// The last entry that is gone.
    public var lastIndex: LogIndex
    public var lastTerm: Term
    /// The members as of that entry.
    public var configuration: Configuration

    public init(lastIndex: LogIndex, lastTerm: Term, configuration: Configuration) {
        self.lastIndex = lastIndex
        self.lastTerm = lastTerm
        self.configuration = configuration
    }
}

/// Asks for entries that are damaged here, but were durable.
public struct RepairRequest: Sendable, Equatable {
    public var first: LogIndex
    public var last: LogIndex

    public init(first: LogIndex, last: LogIndex) {
        self.first = first
        self.last = last
    }
}

/// Entries for somebody whose own are damaged.
public struct Repair: Sendable, Equatable {
    public var first: LogIndex
    public var entries: [EntryInfo]

    public init(first: LogIndex, entries: [EntryInfo]) {
        self.first = first
        self.entries = entries
    }
}
