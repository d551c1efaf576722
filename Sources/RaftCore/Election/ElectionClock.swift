// SPDX-License-Identifier: Apache-2.0

/// When to campaign, in ticks.
struct ElectionClock: Sendable {
    /// Ticks since the leader was heard, or since the vote was given.
    var elapsed = 0
    /// When that is too long.
    var timeout = 0
    /// How often this replica has campaigned without success.
    var failedRounds = 0
}

extension Raft {
    /// Begins to wait anew, for a time drawn at random.
    ///
    /// The spread is as long as the shortest wait, so that one is usually well ahead of the others
    /// (Raft 9.3). A reluctant replica waits longer, once.
    mutating func resetClock() {
        clock.elapsed = 0
        let base = max(2, settings.electionTicks)
        guard settings.reluctance > 0, clock.failedRounds == 0 else {
            clock.timeout = base + Int.random(in: 0..<base, using: &random)
            return
        }
        marks.insert(.reluctanceWaited)
        let step = max(1, base / 4)
        let least = base + min(settings.reluctance, 3) * step
        clock.timeout = least + Int.random(in: 0..<step, using: &random)
    }

    /// Makes the clock run out within a part of the shortest wait.
    mutating func hastenClock() {
        let base = max(2, settings.electionTicks)
        clock.timeout = base
        clock.elapsed = base - 1 - Int.random(in: 0..<max(1, base / 2), using: &random)
    }
}
