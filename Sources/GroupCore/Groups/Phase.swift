// SPDX-License-Identifier: Apache-2.0

/// Where a group stands, with what is valid only there.
///
/// ```
///            a member joins                all have joined, or time is up
///   empty ──────────────────▶ preparing ──────────────────────────────────▶ completing
///     ▲                        ▲  │                                          │      │
///     │      no member is left │  │    a member joins, leaves or dies        │      │ the leader's
///     ├────────────────────────┼──┘◀─────────────────────────────────────────┘      │ assignment
///     │                        └─────────────────────────────── stable ◀────────────┘ is durable
///     ▼ deleted                     likewise
///   dead
/// ```
enum Phase: Sendable {
    /// There are no members, since then by the monotonic clock.
    case empty(since: Int64)
    case preparing(Preparing)
    case completing(Completing)
    case stable(Stable)
    /// The group is being deleted; if that fails, it is empty again.
    case dead

    /// Members are to join.
    struct Preparing: Sendable {
        /// When those that have not joined are left behind.
        var deadline: Int64
        /// What is left of the first generation's patience; `nil` in a rebalance of a group that had
        /// members, which ends as soon as all have joined.
        var initial: Initial?
        /// The leader of the generation before, or the first member.
        var leaderID: String?
    }

    /// An empty group waits a little for further members, and longer while they come.
    struct Initial: Sendable {
        /// How often the wait may still be extended, in milliseconds of the rebalance timeout.
        var remaining: Int64
        var hasNewMember: Bool
    }

    /// What the members of a generation know of each other.
    struct Agreement: Sendable {
        var protocolName: String
        var leaderID: String
    }

    /// The leader is to bring the assignment.
    struct Completing: Sendable {
        var agreement: Agreement
        /// When those in ``unsynced`` are taken out.
        var syncDeadline: Int64
        /// The members that have not asked for their assignment yet.
        var unsynced: SortedMap<String, Void>
        /// The assignments on their way to the log, by member id: the first that the leader brought.
        var assignments: SortedMap<String, [UInt8]>?
    }

    /// Every member has an assignment.
    struct Stable: Sendable {
        var agreement: Agreement
        var syncDeadline: Int64
        var unsynced: SortedMap<String, Void>
    }

    var name: GroupState {
        switch self {
        case .empty: .empty
        case .preparing: .preparingRebalance
        case .completing: .completingRebalance
        case .stable: .stable
        case .dead: .dead
        }
    }

    var agreement: Agreement? {
        switch self {
        case .completing(let completing): completing.agreement
        case .stable(let stable): stable.agreement
        case .empty, .preparing, .dead: nil
        }
    }
}
