// SPDX-License-Identifier: Apache-2.0

/// A place in the core that tests want to have been at.
///
/// A hunt over many seeds says which of these it never reached: what was never reached was never
/// tested, however many seeds there were.
public enum Mark: UInt8, Sendable, CaseIterable {
    case preVoteRefusedForLease
    case voteRefusedForLog
    case voteHeldForDisk
    case electionLost
    case electionInJointConfiguration
    case leaderElectedInJointConfiguration
    case steppedDownWithoutQuorum
    case steppedDownForStalledDisk
    case conflictTruncated
    case conflictInsideMessage
    case configurationTakenBack
    case staleCompletionIgnored
    case staleRejectIgnored
    case windowFull
    case windowReopenedByHeartbeat
    case sentFromLog
    case snapshotSent
    case snapshotInstalled
    case snapshotIgnored
    case snapshotInJointConfiguration
    case transferDone
    case transferGivenUp
    case timeoutNowReceived
    case jointLeftByNewLeader
    case leaderRemoved
    case removedReplicaTold
    case readWaitedForNoOp
    case readConfirmed
    case readFailed
    case fellQuiet
    case wokenByMessage
    case wokenByLostNode
    case committedWithoutOwnDisk
    case entriesRefused
    case repairRequested
    case repaired
    case abstained
    case caughtUpAfterLoss
    case learnerVoted
    case reluctanceWaited
}

/// A set of marks.
public struct Marks: Sendable, Equatable {
    var bits: UInt64 = 0

    /// No marks.
    public init() {}

    /// Whether a place was reached.
    public func contains(_ mark: Mark) -> Bool { bits & (1 << UInt64(mark.rawValue)) != 0 }

    /// All that either set has.
    public mutating func formUnion(_ other: Marks) { bits |= other.bits }

    mutating func insert(_ mark: Mark) { bits |= 1 << UInt64(mark.rawValue) }
}
