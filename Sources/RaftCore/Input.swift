// SPDX-License-Identifier: Apache-2.0

public import Positions

/// What happens to a replica.
public enum Input: Sendable, Equatable {
    /// So much time has passed as ``RaftSettings`` counts in.
    case tick
    /// A peer says something.
    case message(Message)

    // What the disk has done.

    /// The term and vote of this version, and all before it, are durable.
    case hardStateSaved(version: UInt64)
    /// All entries up to `through` that were written in this epoch are durable.
    ///
    /// The epoch is that of the last ``Effect/append(_:)`` performed when the sync *began*; a sync
    /// that began before a truncation says nothing of what was written after it.
    case entriesStored(through: LogIndex, epoch: UInt64)
    /// Entries that an ``Effect/append(_:)`` asked for were not written, for want of room; the log
    /// ends at `last` now, and can go on later.
    case entriesRefused(last: LogIndex)
    /// The disk has failed: nothing that was not durable counts on this replica any more.
    case storageFailed

    // What callers want.

    /// The log has these entries now, behind the last one, in the leader's own term.
    ///
    /// Only while ``Raft/proposalRefusal(expecting:bytes:)`` gives `nil`, which is asked first.
    case appended([EntryInfo])
    /// Somebody wants to know an index that is no older than now.
    case read(ReadID)
    /// The members are to be these.
    case changeMembers(voters: [ReplicaID], learners: [ReplicaID])
    /// Somebody else is to lead.
    case transfer(to: ReplicaID)
    /// Campaign now, if allowed: at the birth of a group of one, or by hand.
    case campaign

    // What the shell has done.

    /// Entries that ``Effect/sendStored(_:)`` asked for were read and sent; none if `last` is before
    /// the first of them.
    case storedSent(to: ReplicaID, first: LogIndex, last: LogIndex, term: Term)
    /// The log begins anew behind this snapshot, durably.
    case snapshotInstalled(Snapshot)
    /// Entries up to `index` are gone from the front of the log.
    case logStartMoved(lastGone: LogIndex)
    /// Damaged entries were written anew, durably.
    case repaired(first: LogIndex, last: LogIndex)

    // What the node knows of other nodes.

    /// A node cannot be reached: its connection is gone, or it has not been heard for long.
    case nodeLost(UInt64)
    /// Somebody needs the group awake.
    case wake
}

/// Names one read among those of a replica.
public struct ReadID: Hashable, Sendable {
    public var rawValue: UInt64

    public init(_ value: UInt64) { rawValue = value }
}
