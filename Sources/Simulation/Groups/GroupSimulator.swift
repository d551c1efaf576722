// SPDX-License-Identifier: Apache-2.0

/// Runs histories of consumer groups seed after seed.
public enum GroupSimulator {
    /// What some histories came to.
    public struct Summary: Sendable {
        /// A number for all that happened: the same for the same seeds, in any process.
        public var digest: UInt64
        /// How often what happened.
        public var counts: GroupHistoryCounts
    }

    /// Runs one history for each seed and stops at the first that fails.
    ///
    /// - Parameters:
    ///   - seeds: The seeds, in order.
    ///   - sabotage: A bug to put in.
    ///   - report: Called behind each history with its seed and digest.
    public static func run(
        seeds: Range<UInt64>, sabotage: GroupSabotage? = nil,
        report: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(HistoryFailure) -> Summary {
        var summary = Summary(digest: 0, counts: GroupHistoryCounts())
        for seed in seeds {
            var history = GroupHistory(seed: seed, sabotage: sabotage)
            let digest = try history.run()
            report(seed, digest)
            summary.digest = (summary.digest ^ digest) &* 0x9e37_79b9_7f4a_7c15 &+ seed
            summary.counts = summary.counts + history.counts
        }
        return summary
    }
}
