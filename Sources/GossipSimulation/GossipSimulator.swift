// SPDX-License-Identifier: Apache-2.0

/// How a run is done.
public struct GossipOptions: Sendable {
    /// How many nodes; each seed draws its own number, 3 to 10, if not given.
    public var nodeCount: Int?
    /// Numbers of acts that are left out, ascending.
    public var leftOut: [Int] = []
    /// Who gets a line for each event, and from which event on.
    public var report: (@Sendable (String) -> Void)?
    public var reportFrom: UInt64 = 0
    /// Nodes are looked at after one in so many of their steps: 1 for each.
    ///
    /// That costs as much as
    /// the steps themselves; with more, bugs are found later, if at all.
    public var looksOneIn = 1
    /// A run that is not over then never ends.
    public var eventsMax: UInt64 = 20_000_000

    public init() {}

    func leavesOut(_ number: Int) -> Bool {
        var low = 0
        var high = leftOut.count
        while low < high {
            let middle = (low + high) / 2
            if leftOut[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low < leftOut.count && leftOut[low] == number
    }
}

/// What a run came to.
public struct GossipReport: Sendable {
    /// A number for all effects of all cores: the same for the same seed, in any process.
    public var digest: UInt64 = 0
    public var events: UInt64 = 0
    /// In simulated nanoseconds.
    public var time: Int64 = 0
    public var packets = 0
    /// User events, at each member.
    public var delivered = 0
    public var suspicions = 0
    /// Live members that somebody held to be failed.
    public var falseFailures = 0
    public var marks = GossipMarks()

    public init() {}

    /// Adds another run.
    public mutating func add(_ other: GossipReport) {
        digest = (digest ^ other.digest) &* 0x9e37_79b9_7f4a_7c15
        events += other.events
        time += other.time
        packets += other.packets
        delivered += other.delivered
        suspicions += other.suspicions
        falseFailures += other.falseFailures
        marks.formUnion(other.marks)
    }
}

/// A run in which something happened that must not.
public struct GossipFailure: Error, Sendable, CustomStringConvertible {
    public var seed: UInt64
    /// When, in simulated nanoseconds, and at which event.
    public var time: Int64
    public var event: UInt64
    /// What was expected, and what was found.
    public var message: String
    /// How many acts the seed has planned, and which of them were left out.
    public var actCount: Int
    public var leftOut: [Int]

    /// The message without its numbers.
    public var kind: String { message.filter { !$0.isNumber } }

    public var description: String {
        "seed \(seed) failed at event \(event), \(Double(time / 1_000_000) / 1000) s: \(message)"
    }
}

/// Runs simulated clusters of Serf nodes.
public enum GossipSimulator {
    /// Runs one cluster.
    public static func run(
        seed: UInt64, _ options: GossipOptions
    ) throws(GossipFailure) -> GossipReport {
        var run = GossipRun(seed: seed, options: options)
        return try run.run()
    }

    /// Leaves out acts of a failing run for as long as it fails.
    ///
    /// - Parameter runsMax: How many runs may be spent on it.
    /// - Returns: The failure with the fewest acts that were found to be enough.
    public static func shrink(
        _ failure: GossipFailure, _ options: GossipOptions, runsMax: Int = 200
    ) -> GossipFailure {
        var best = failure
        var kept = (0..<failure.actCount).filter { !failure.leftOut.contains($0) }
        var size = max(1, kept.count / 2)
        var runs = 0
        while runs < runsMax, !kept.isEmpty {
            var hasShrunk = false
            var first = 0
            while first < kept.count, runs < runsMax {
                let fewer = Array(kept[..<first] + kept[min(kept.count, first + size)...])
                runs += 1
                if let found = fails(failure, options, with: fewer) {
                    best = found
                    kept = fewer
                    hasShrunk = true
                } else {
                    first += size
                }
            }
            guard size > 1 || hasShrunk else { break }
            size = max(1, size / 2)
        }
        return best
    }

    private static func fails(
        _ failure: GossipFailure, _ options: GossipOptions, with acts: [Int]
    ) -> GossipFailure? {
        var options = options
        options.report = nil
        var left = acts[...]
        options.leftOut = (0..<failure.actCount).filter { number in
            guard left.first == number else { return true }
            left.removeFirst()
            return false
        }
        do throws(GossipFailure) {
            _ = try run(seed: failure.seed, options)
            return nil
        } catch {
            // Another failure would be another bug.
            return error.kind == failure.kind ? error : nil
        }
    }
}
