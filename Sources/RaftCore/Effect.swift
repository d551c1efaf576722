// SPDX-License-Identifier: Apache-2.0

public import Positions

/// What is to be done, in the order given.
///
/// To begin an effect is enough before the next one is begun: what has to wait for the disk the core
/// keeps to itself until the disk's completion is its input. So nothing needs a fence, and a shell
/// cannot send too early.
public enum Effect: Sendable, Equatable {
    /// Make term and vote durable; then give ``Input/hardStateSaved(version:)``.
    case saveHardState(HardState, version: UInt64)
    /// Write entries, and have them synced; then give ``Input/entriesStored(through:epoch:)``.
    ///
    /// Writes are done in order. A failure is told by ``Input/entriesRefused(last:)`` or
    /// ``Input/storageFailed`` before anything else; the effects behind it are performed all the same.
    case append(AppendRequest)
    /// Give the peer this message; with the entries' content if it has some.
    case send(Message)
    /// Read entries from the log and give them to the peer; then, if it was an append, give
    /// ``Input/storedSent(to:first:last:term:)``.
    case sendStored(StoredRequest)
    /// All entries up to here are committed.
    case commit(LogIndex)
    /// The role, the leader or the term is another one.
    case roleChanged(RoleReport)
    /// The members are these from now on; committed or not.
    case membersChanged(Configuration)
    /// All that was committed when the read was asked for is at or before this index.
    case readReady(ReadID, LogIndex)
    /// The read was not answered, and can be asked for again, of the leader.
    case readFailed(ReadID)
    /// A change of members was refused, or is done when `nil`.
    case changeEnded(ChangeRefusal?)
    /// A transfer is over: somebody else leads, or the leader goes on.
    case transferEnded
    /// Begin the log anew behind this snapshot; then give ``Input/snapshotInstalled(_:)``.
    case installSnapshot(Snapshot, from: ReplicaID)
    /// Write entries in place of damaged ones; then give ``Input/repaired(first:last:)``.
    case repair(first: LogIndex, entries: [EntryInfo])
    /// Something worth a line in a log, or a count.
    case observed(Observation)
}

/// What a replica must not forget (Raft figure 2).
public struct HardState: Sendable, Equatable {
    /// The latest term that it knows.
    public var term: Term
    /// Whom it voted for in that term.
    public var vote: ReplicaID?

    public init(term: Term = .zero, vote: ReplicaID? = nil) {
        self.term = term
        self.vote = vote
    }
}

/// Entries to be written.
public struct AppendRequest: Sendable, Equatable {
    /// The place of the first one.
    ///
    /// Entries from here on that the log has are removed first, if ``truncates`` says so.
    public var first: LogIndex
    public var entries: [EntryInfo]
    /// Whether the log has other entries from ``first`` on.
    public var truncates: Bool
    /// How many entries of the message that is being received come before these; `nil` if the core
    /// has made the entries itself (no-ops and configurations).
    public var skippedOfMessage: Int?
    /// Grows with each truncation.
    public var epoch: UInt64

    public init(
        first: LogIndex, entries: [EntryInfo], truncates: Bool, skippedOfMessage: Int?,
        epoch: UInt64
    ) {
        self.first = first
        self.entries = entries
        self.truncates = truncates
        self.skippedOfMessage = skippedOfMessage
        self.epoch = epoch
    }

    /// The last one.
    public var last: LogIndex { LogIndex(first.rawValue + UInt64(entries.count) - 1) }
}

/// Entries that lie too far back for the core to know their sizes.
public struct StoredRequest: Sendable, Equatable {
    public var to: ReplicaID
    /// The leader's term when it asked: the message's term.
    public var term: Term
    public var first: LogIndex
    /// The last one to send at most.
    public var last: LogIndex
    /// How many bytes to send at most; the first entry in any case.
    public var bytesMax: Int
    /// What goes with an append; `nil` if the entries are for a repair.
    public var append: Envelope?

    /// The fields of an append that the entries do not give.
    public struct Envelope: Sendable, Equatable {
        public var previousTerm: Term
        public var commit: LogIndex
    }
}

/// What a replica is at the moment.
public struct RoleReport: Sendable, Equatable {
    public enum Role: Sendable, Equatable { case follower, preCandidate, candidate, leader }

    public var role: Role
    public var term: Term
    /// Who leads, as far as is known.
    public var leader: ReplicaID?

    public init(role: Role, term: Term, leader: ReplicaID?) {
        self.role = role
        self.term = term
        self.leader = leader
    }
}

/// Why proposals are not taken.
public enum ProposalRefusal: Error, Sendable, Equatable {
    case notLeader(leader: ReplicaID?)
    /// The caller has seen another term.
    case staleTerm(Term)
    /// Leadership is being handed on.
    case transferring
    /// Too much waits for followers or the disk.
    case tooMuchUncommitted
    /// The replica's disk has failed.
    case storageFailed
}

/// Why members are not changed.
public enum ChangeRefusal: Error, Sendable, Equatable {
    case notLeader(leader: ReplicaID?)
    /// An entry that changes members is not committed yet, or the change before is not over.
    case changeInProgress
    /// The leader has committed nothing of its own term yet (Ongaro, raft-dev 2015).
    case leaderIsNew
    /// A voter to be has not all entries yet: it has to learn first.
    case notCaughtUp(ReplicaID)
    case transferring
    case noVoters
    case tooManyMembers
}

/// What happened, for logs and counts.
public enum Observation: Sendable, Equatable {
    case electionStarted(term: Term, isPreVote: Bool)
    case becameLeader(term: Term)
    case steppedDown(term: Term, StepDownReason)
    case truncated(from: LogIndex)
    case probing(ReplicaID)
    case sentSnapshot(to: ReplicaID)
    case fellQuiet
    case woke

    public enum StepDownReason: Sendable, Equatable {
        case higherTerm
        /// A majority was not heard for an election timeout.
        case quorumLost
        /// The disk took longer than an election timeout.
        case storageStalled
        case storageFailed
        case removed
        case noRoom
    }
}
