// SPDX-License-Identifier: Apache-2.0

public import RaftCore

/// What a cluster is made of.
public enum ClusterProfile: String, Sendable, CaseIterable {
    /// The core over a disk that knows entries only.
    case core
    /// Replica, log and journal, as in production, over a file system in memory.
    case full
}

/// How a run is done.
public struct ClusterOptions: Sendable {
    public var profile = ClusterProfile.core
    /// How long there are faults, in simulated microseconds.
    public var duration: Int64 = 20_000_000
    /// Numbers of faults that are left out, ascending.
    public var leftOut: [Int] = []
    /// Who gets a line for each event, and from which event on.
    public var report: (@Sendable (String) -> Void)?
    public var reportFrom: UInt64 = 0
    /// Who gets the lines of a trace (``ClusterSimulator/trace(seed:eventsMax:_:)``).
    var trace: (@Sendable (String) -> Void)?
    var traceMax = Int.max
    #if PLANTED_BUGS
        /// The bug that the replicas have.
        public var bug: PlantedBug?
    #endif

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
public struct ClusterReport: Sendable {
    /// A number for all that happened: the same for the same seed, in any process.
    public var digest: UInt64
    public var events: UInt64
    /// In simulated microseconds.
    public var time: Int64
    public var committed = 0
    public var acknowledged = 0
    public var marks = ClusterMarks()
    public var coreMarks = Marks()

    public init(digest: UInt64, events: UInt64, time: Int64) {
        self.digest = digest
        self.events = events
        self.time = time
    }

    /// Adds another run.
    public mutating func add(_ other: ClusterReport) {
        digest = (digest ^ other.digest) &* 0x9e37_79b9_7f4a_7c15
        events += other.events
        time += other.time
        committed += other.committed
        acknowledged += other.acknowledged
        marks.formUnion(other.marks)
        coreMarks.formUnion(other.coreMarks)
    }
}

/// A run in which something happened that must not.
public struct ClusterFailure: Error, Sendable, CustomStringConvertible {
    public var seed: UInt64
    public var profile: ClusterProfile
    /// When, in simulated microseconds, and at which event.
    public var time: Int64
    public var event: UInt64
    /// What was expected, and what was found.
    public var message: String
    /// How many faults the seed has planned, and which of them were left out.
    public var faultCount: Int
    public var leftOut: [Int]

    public var description: String {
        "seed \(seed) of profile \(profile.rawValue) failed at event \(event), "
            + "\(Double(time) / 1_000_000) s: \(message)"
    }
}

/// Runs simulated clusters.
public enum ClusterSimulator {
    /// Runs one cluster.
    public static func run(
        seed: UInt64, _ options: ClusterOptions
    ) throws(ClusterFailure) -> ClusterReport {
        switch options.profile {
        case .core:
            var run = ClusterRun<CoreNode>(seed: seed, options: options)
            return try run.run()
        case .full:
            var run = ClusterRun<FullNode>(seed: seed, options: options)
            return try run.run()
        }
    }

    /// Tells what the cores of a cluster do, for the TLA+ specification.
    public static func trace(
        seed: UInt64, eventsMax: Int, _ line: @escaping @Sendable (String) -> Void
    ) throws(ClusterFailure) {
        var options = ClusterOptions()
        options.trace = line
        options.traceMax = eventsMax
        var run = ClusterRun<CoreNode>(seed: seed, options: options)
        _ = try run.run()
    }

    /// Leaves out faults of a failing run for as long as it fails.
    ///
    /// - Parameter runsMax: How many runs may be spent on it.
    /// - Returns: The failure with the fewest faults that were found to be enough.
    public static func shrink(
        _ failure: ClusterFailure, _ options: ClusterOptions, runsMax: Int = 300
    ) -> ClusterFailure {
        var best = failure
        var kept = (0..<failure.faultCount).filter { !failure.leftOut.contains($0) }
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
        _ failure: ClusterFailure, _ options: ClusterOptions, with faults: [Int]
    ) -> ClusterFailure? {
        var options = options
        options.report = nil
        var left = faults[...]
        options.leftOut = (0..<failure.faultCount).filter { number in
            guard left.first == number else { return true }
            left.removeFirst()
            return false
        }
        do throws(ClusterFailure) {
            _ = try run(seed: failure.seed, options)
            return nil
        } catch {
            return error
        }
    }
}
