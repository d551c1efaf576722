// SPDX-License-Identifier: Apache-2.0

#if PLANTED_BUGS
    /// A bug that scenarios and simulator have to find.
    ///
    /// Compiled in with `PLANTED_BUGS=1`, and then chosen with ``RaftSettings/bug``.
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
        case keepConfigurationOnTruncation
        case resumeLeadership
        case windowNeverReopens
        case noPreVote
        case checkQuorumMissing
        case removedLeaderCounts
        case snapshotRegresses
        case quietWithoutMatch
        case timeoutNowIgnoresTransfer
        case heartbeatCommitUnclamped
        case stalledDiskKeepsLeading
        case acksFromOldTerm
        case damagedCampaigns
    }
#endif
