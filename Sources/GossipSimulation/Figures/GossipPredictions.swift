// SPDX-License-Identifier: Apache-2.0

internal import SwimCore

/// What the papers predict of a cluster.
public struct GossipPredictions: Sendable {
    let nodeCount: Int
    let lossPercent: Int
    let settings: SwimSettings

    private var loss: Double { Double(lossPercent) / 100 }

    /// In how many protocol periods somebody probes a given node, on average.
    ///
    /// SWIM (Das, Gupta, Motivala 2002) 3.1: each of the others picks it with probability 1/(n-1), so
    /// somebody does with 1 - (1 - 1/(n-1))^(n-1), which goes to 1 - 1/e; on average it takes
    /// e/(e-1) = 1.58 periods.
    public var periodsUntilProbed: Double {
        let others = nodeCount - 1
        return 1 / (1 - Self.power(1 - 1 / Double(others), others))
    }

    /// In how many rounds of gossip all know what one knew.
    ///
    /// While few know it, each round multiplies them by 1 + f, where f is the fan-out less what is
    /// lost; at the end the ignorant are divided by e^f: log(n) to base 1 + f, and ln(n) / f (after
    /// Pittel 1987, who proves it for f = 1).
    public var roundsUntilAllKnow: Double {
        let fanOut = Double(settings.gossipNodes) * (1 - loss)
        let log = GossipBounds.logarithm(nodeCount)
        return log / GossipBounds.logarithm(1 + fanOut) + log / fanOut
    }

    /// How many of 1,000 probes fail of a node that is well, if streams are of no help.
    ///
    /// The ping or its ack is lost, and on each of k ways by others one of four messages is:
    /// (1 - (1-p)^2) * (1 - (1-p)^4)^k (SWIM 3.1, where a loss is of the whole way).
    public var failedProbesPerMille: Double {
        let passes = 1 - loss
        let direct = 1 - passes * passes
        let indirect = 1 - Self.power(passes, 4)
        return 1000 * direct * Self.power(indirect, settings.indirectChecks)
    }

    /// The shortest and the longest time between suspicion and verdict, in seconds.
    ///
    /// Lifeguard (Dadgar, Phillips, Currey 2018) IV-B:
    /// max - (max - min) * ln(c + 1) / ln(k + 1), c of k confirmations having come; min is as in SWIM
    /// 4.2, a multiple of the period that grows with log n.
    public var suspicion: (shortest: Double, longest: Double) {
        let log = max(1, GossipBounds.logarithm(nodeCount) / GossipBounds.logarithm(10))
        let period = Double(settings.probeInterval.nanoseconds) / 1e9
        let shortest = Double(settings.suspicionMult) * log * period
        return (shortest, shortest * Double(settings.suspicionMaxTimeoutMult))
    }

    private static func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<exponent { result *= base }
        return result
    }
}
