// SPDX-License-Identifier: Apache-2.0

/// Which calls of a simulated disk fail, and how much it holds.
///
/// Counters start anew when a plan is set. All chances are drawn from the file system's seed.
public struct FaultPlan: Sendable, Equatable {
    /// When a kind of call fails.
    public enum Trigger: Sendable, Equatable {
        case never
        case always
        /// Each call with this chance, drawn from the seed.
        case oneIn(Int)
        /// The n-th call from now on, counted from 1, and no other.
        case onCall(Int)
    }

    /// Reads that fail with EIO.
    public var read = Trigger.never
    /// Writes and truncations that fail with EIO; a part of a write may be in the file.
    public var write = Trigger.never
    /// Syncs of files that fail with EIO.
    public var sync = Trigger.never
    /// Whether a failed sync marks the written pages as clean, as Linux does: they can still be
    /// read, a later sync succeeds, and a power cut takes them.
    public var failedSyncDropsWrites = true
    /// Whether sectors that were new in such a sync are lost to their file.
    ///
    /// So it is in ext4, which goes on taking them for never written: written and synced again in place,
    /// they are zeros after a power cut. Another file can have the bytes.
    public var failedSyncPoisonsRange = true
    /// Creations, removals, renames and syncs of directories that fail with EIO, without effect.
    public var names = Trigger.never
    /// Reads that would have to wait for the device: ``File/readIfCached(into:at:)`` gives `nil`.
    public var cacheMiss = Trigger.never
    /// Only paths that contain this text are struck.
    public var pathPart = ""
    /// How many bytes of content the disk holds; more fail with ENOSPC, a part being written.
    public var capacity: UInt64 = 1 << 44

    /// A disk without faults.
    public init() {}
}

/// What may fail.
enum FaultKind: Int, Sendable, CaseIterable {
    case read, write, sync, names, cacheMiss
}

extension FaultPlan {
    func trigger(for kind: FaultKind) -> Trigger {
        switch kind {
        case .read: read
        case .write: write
        case .sync: sync
        case .names: names
        case .cacheMiss: cacheMiss
        }
    }
}
