// SPDX-License-Identifier: Apache-2.0

/// Runs histories seed after seed.
public enum Simulator {
    /// What some histories came to.
    public struct Summary: Sendable {
        /// A number for all that happened: the same for the same seeds and steps, in any process.
        public var digest: UInt64
        /// How often what happened.
        public var counts: HistoryCounts
    }

    /// Runs one history for each seed and stops at the first that fails.
    ///
    /// - Parameters:
    ///   - seeds: The seeds, in order.
    ///   - steps: The steps of each history.
    ///   - sabotage: A bug to put in.
    ///   - report: Called behind each history with its seed and digest.
    public static func run(
        seeds: Range<UInt64>, steps: Int, sabotage: Sabotage? = nil,
        report: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(HistoryFailure) -> Summary {
        var summary = Summary(digest: 0, counts: HistoryCounts())
        for seed in seeds {
            var history = LogHistory(seed: seed, sabotage: sabotage)
            let digest = try history.run(steps: steps)
            report(seed, digest)
            summary.digest = (summary.digest ^ digest) &* 0x9e37_79b9_7f4a_7c15 &+ seed
            summary.counts = summary.counts + history.counts
        }
        return summary
    }
}
