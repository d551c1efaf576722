// SPDX-License-Identifier: Apache-2.0

internal import SwimCore

/// How a node leaves: it says so, then says that it is gone, then stays a little for those who have
/// not heard it.
///
///     leave ──▶ telling that we leave ──▶ telling that we are gone ──▶ lingering ──▶ over
///                sent, or timeout           sent, or timeout            delay
///
/// In this order, since a node that dies before its intent is known counts as failed.
struct LeaveSequence: Sendable {
    /// What is waited for.
    enum Stage: Sendable, Equatable {
        /// The intent, by its number in the queue of intents.
        case intent(BroadcastID)
        case death(BroadcastID)
        case lingering
    }

    /// Who wants to know when it is over.
    let command: CommandID
    var stage: Stage
    /// When the next stage begins in any case.
    var deadline: Moment
}
