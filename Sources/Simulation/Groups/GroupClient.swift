// SPDX-License-Identifier: Apache-2.0

internal import GroupCore

/// A consumer as the simulator plays it: what it believes, and what it waits for.
struct GroupClient: Sendable {
    enum Phase: Sendable, Equatable {
        case down
        /// Waits before it joins again.
        case resting
        case joining
        case syncing
        case stable
    }

    let number: Int
    let group: Int
    /// The name that a static member keeps.
    let instanceID: String?
    let requiresKnownMemberID: Bool
    let supportsSkippingAssignment: Bool
    let sessionTimeout: Int64
    let rebalanceTimeout: Int64
    let heartbeatInterval: Int64
    var protocols: [String]
    /// What it says of itself; another value stands for another subscription.
    var subscription: UInt8 = 0

    var phase = Phase.down
    /// Counts its processes: what belongs to an earlier one is not heard any more.
    var life = 0
    /// Counts its calls of joining and syncing: answers to earlier ones are not heard any more.
    var call = 0
    var memberID = ""
    var generation: Int32 = -1
    var assignment: [Int32] = []
    /// Until when the process does nothing.
    var pausedUntil: Int64 = 0

    var isUp: Bool { phase != .down }
}

/// The call that an answer belongs to.
struct GroupCall: Sendable, Equatable {
    var client: Int
    var life: Int
    /// 0 for one whose answer nobody hears: a duplicate.
    var number: Int
}
