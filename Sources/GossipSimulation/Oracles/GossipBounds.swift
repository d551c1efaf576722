// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SwimCore

/// How long the protocol may take for what it promises, in nanoseconds.
///
/// Reckoned from the papers' rules and from the settings alone, beside the core and not by it. Where
/// chance decides, a bound is such that a right core misses it in less than one of 10^9 runs.
struct GossipBounds {
    let probe: Int64
    let gossip: Int64
    let healthMax: Int64
    private let settings: SerfSettings

    init(_ settings: SerfSettings) {
        self.settings = settings
        probe = settings.swim.probeInterval.nanoseconds
        gossip = settings.swim.gossipInterval.nanoseconds
        healthMax = Int64(settings.swim.awarenessMax - 1)
    }

    /// The shortest time for which a node is suspected, in a table of so many.
    ///
    /// As Serf 0.9 and 0.10 do: `mult * max(1, log10 n) * interval`, the logarithm cut to thousandths.
    func suspicionMin(_ count: Int) -> Int64 {
        let factor = max(1000, Int64(1000 * Self.logarithm(count) / Self.logarithm(10)))
        // One thousandth less: this logarithm may round otherwise than the core's.
        return Int64(settings.swim.suspicionMult) * (factor - 1) * probe / 1000
    }

    /// The longest: Lifeguard (Dadgar, Phillips, Currey 2018) IV-B, nobody confirms.
    func suspicionMax(_ count: Int) -> Int64 {
        let factor = max(1000, Int64(1000 * Self.logarithm(count) / Self.logarithm(10)) + 1)
        return Int64(settings.swim.suspicionMaxTimeoutMult * settings.swim.suspicionMult)
            * factor * probe / 1000
    }

    /// Until each live node, for itself, has declared a crashed one dead.
    ///
    /// SWIM (Das, Gupta, Motivala 2002) 4.3: round robin over a shuffled list comes to every node
    /// within two rounds less one. Each probe takes up to one interval more for each point of health
    /// (Lifeguard IV-A). Then the suspicion has to run out.
    func detection(_ count: Int, health: Int64) -> Int64 {
        Int64(2 * count + 2) * probe * (1 + health) + suspicionMax(count)
    }

    /// The time between two push/pulls of a node.
    func pushPull(_ count: Int) -> Int64 {
        let interval = settings.swim.pushPullInterval.nanoseconds
        guard count > 32 else { return interval }
        let extra = Int64(Int.bitWidth - (count - 1).leadingZeroBitCount - 5 + 1)
        return interval * extra
    }

    /// Until push/pulls have brought to all what one of them knows: who knows it at least doubles in
    /// each interval, as everybody begins one.
    func spread(_ count: Int) -> Int64 {
        let doublings = Int64(Int.bitWidth - max(1, count - 1).leadingZeroBitCount)
        return (4 * doublings + 12) * (pushPull(count) + settings.swim.streamTimeout.nanoseconds)
    }

    /// Until two parts that have lost each other have met again: in each interval one side at least
    /// tries somebody, of up to `count - 2` that are dead beside the one that is not.
    func reconnection(_ count: Int) -> Int64 {
        Int64(12 * count + 20)
            * (settings.reconnectInterval.nanoseconds + settings.swim.streamTimeout.nanoseconds)
    }

    /// Until all views are one after the last fault, whatever went before.
    func convergence(_ count: Int) -> Int64 {
        2 * (detection(count, health: healthMax) + reconnection(count) + spread(count))
    }

    /// How long a live node that everybody can reach may be thought failed: until it hears of that in
    /// an exchange with somebody, or somebody reconnects, and its refutation has spread.
    func falseFailure(_ count: Int) -> Int64 {
        reconnection(count) + 2 * spread(count) + detection(count, health: healthMax)
    }

    /// How often a message is sent by one node.
    func transmissions(_ count: Int) -> Int {
        var digits = 0
        var power = 1
        while power < count + 1 {
            digits += 1
            power *= 10
        }
        return settings.swim.retransmitMult * digits
    }

    /// How many packets a node sends within a second, at most: what it begins itself, twice; an answer
    /// to each that the others may begin; what waited in its sockets.
    func packetsPerSecond(_ count: Int) -> Int {
        let gossips = Int(1_000_000_000 / gossip) + 1
        let probes = Int(1_000_000_000 / probe) + 1
        let swim = settings.swim
        let own = (swim.gossipNodes + 1) * gossips + (2 + swim.indirectChecks) * probes
        let answers = count * probes * (2 + swim.indirectChecks)
        return 2 * own + 2 * answers + 2 * GossipNode.waitingPacketsMax
    }

    /// The natural logarithm of a number of 1 or more, by halving and a series, so that it is the same
    /// on every machine.
    static func logarithm(_ number: some BinaryInteger) -> Double { logarithm(Double(number)) }

    static func logarithm(_ number: Double) -> Double {
        var value = max(1, number)
        var sum = 0.0
        while value > 2 {
            value /= 2
            sum += 0.693_147_180_559_945_3
        }
        let ratio = (value - 1) / (value + 1)
        var power = ratio
        for exponent in stride(from: 1.0, to: 61, by: 2) {
            sum += 2 * power / exponent
            power *= ratio * ratio
        }
        return sum
    }
}
