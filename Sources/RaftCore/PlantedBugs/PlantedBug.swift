// SPDX-License-Identifier: Apache-2.0

/// A bug that scenarios and simulator have to find.
///
/// Where each would stand is marked in the sources by `planted`, which is false in every build but
/// those made with `PLANTED_BUGS=1`.
public enum PlantedBug: String, Sendable, CaseIterable {
    case ackBeforeSync
    case countUnsyncedSelf
    case volatileVote
    case voteTwice
    case truncateOnStaleAppend
    case commitOlderTerm
    case ackLastIndex
    case appendDoesNotRefreshTimer
    case voteIgnoresLog
    case unionMajority
    case changeBeforeNoOp
    case changeWhilePending
    case followerCommitUnverified
    case staleCompletionCounts
    case rejectMovesMatchBack
    case readWithoutQuorum
    case readBeforeNoOp
    case keepMembersOnTruncation
    case windowNeverReopens
    case noPreVote
    case noCheckQuorum
    case removedLeaderCounts
    case snapshotRegresses
    case quietWithoutMatch
    case transferHeedsLease
    case heartbeatCommitUnclamped
    case stalledDiskKeepsLeading
    case acksOfOldTermCount
    case damagedCampaigns
    case termRegressesOnRestart
}

extension Raft {
    /// Whether the replica has a bug.
    @inline(__always)
    func planted(_ bug: PlantedBug) -> Bool {
        #if PLANTED_BUGS
            settings.bug == bug
        #else
            false
        #endif
    }
}
