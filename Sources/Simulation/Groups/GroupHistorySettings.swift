// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GroupCore

/// What one history of groups is set to, all of it drawn from the seed.
///
/// Times are in milliseconds, a tenth or less of what people use, so that much happens in little.
struct GroupHistorySettings: Sendable {
    var core = GroupSettings()
    var groupCount: Int
    /// The consumers of each group.
    var clientCount: Int
    var partitionCount: Int
    /// How long things go wrong, before the quiet period.
    var duration: Int64
    /// Chances out of a hundred: of a message to be lost, of a request to arrive once more.
    var lossRate: Int
    var duplicateRate: Int
    /// The longest time that a message takes.
    var delayMax: Int
    /// The longest time that an append takes, and in how many of a hundred cases it fails.
    var appendDelayMax: Int
    var appendFailureRate: Int
    /// How often somebody starts, stops, pauses; how often the coordinator crashes, in a hundred.
    var chaosInterval: Int
    var crashRate: Int

    static let sessionTimeoutMax: Int64 = 1500
    static let rebalanceTimeoutMax: Int64 = 2500

    init(_ generator: inout SplitMix64) {
        func pick<Value>(_ values: Value...) -> Value {
            values[Int.random(in: 0..<values.count, using: &generator)]
        }
        core.sessionTimeoutMin = 100
        core.sessionTimeoutMax = Self.sessionTimeoutMax
        core.initialRebalanceDelay = pick(0, 50, 300)
        core.newMemberJoinTimeout = 3000
        core.emptyGroupRetention = 4000
        core.membersMax = 64
        core.offsetRetention = pick(nil, nil, nil, 3_000)
        core.offsetRetentionCheckInterval = 1000
        groupCount = pick(1, 1, 2)
        clientCount = Int.random(in: 1...8, using: &generator)
        partitionCount = pick(1, 3, 8)
        duration = pick(5000, 10_000, 20_000)
        lossRate = pick(0, 1, 5)
        duplicateRate = pick(0, 2, 10)
        delayMax = pick(2, 20, 200)
        appendDelayMax = pick(1, 20, 200)
        appendFailureRate = pick(0, 2, 10)
        chaosInterval = pick(200, 600, 2000)
        crashRate = pick(0, 5, 20)
    }

    /// How long a group may take to settle once nothing goes wrong any more.
    ///
    /// The dead are noticed after their sessions, or, if they never knew their ids, after the wait for
    /// new members; then come a rebalance that is cut short by a further one, and the second.
    var quietPeriod: Int64 {
        core.newMemberJoinTimeout + 2 * Self.sessionTimeoutMax + 3 * Self.rebalanceTimeoutMax + 4000
    }

    /// How long a request may wait at the coordinator: for a rebalance and the log.
    var waitMax: Int64 {
        2 * Self.rebalanceTimeoutMax + core.newMemberJoinTimeout + Int64(appendDelayMax) * 20 + 1000
    }
}
