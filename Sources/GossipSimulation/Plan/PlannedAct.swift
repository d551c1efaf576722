// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// One fault, or one thing that somebody does, that a seed has planned.
///
/// It has a number, by which it can be left out, and a seed of its own: leaving one out does not
/// change what the others draw.
struct PlannedAct {
    enum Kind: UInt8, CaseIterable {
        // Faults of nodes.
        case crash
        case crashAll
        case freeze
        // Faults of the network.
        case oneWayCut
        case isolation
        case partition
        case slowness
        case loss
        case brokenStreams
        case replay
        case rubbish
        // What operators and applications do.
        case leave
        case forceLeave
        case prune
        case rejoin
        case tags
        case event
        case eventBurst
        case query
    }

    var kind: Kind
    var time: Int64
    var seed: UInt64

    /// Each kind is there or not, and if it is there it comes rarely or often.
    static func draw(
        _ random: inout SplitMix64, duration: Int64, interval: Int64
    ) -> [PlannedAct] {
        var acts: [PlannedAct] = []
        let isCalm = random.happens(percent: 5)
        let isWild = random.happens(percent: 30)
        for kind in Kind.allCases {
            var own = random.fork()
            guard !(isCalm && kind.isFault), own.happens(percent: kind.percent) else { continue }
            let mean = max(
                kind.intervalMin * interval,
                interval * Int64(own.pick(isWild ? [2, 4, 8] : [5, 10, 20, 40])))
            var time = own.exponential(mean: mean)
            while time < duration, acts.count < 1000 {
                acts.append(PlannedAct(kind: kind, time: time, seed: own.next()))
                time += 1 + own.exponential(mean: mean)
            }
        }
        // Stable, so that equal times are no question of the sorting.
        return acts.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }
}

extension PlannedAct.Kind {
    var isFault: Bool { rawValue <= Self.rubbish.rawValue }

    /// In how many of a hundred seeds it happens.
    fileprivate var percent: Int {
        switch self {
        case .event, .tags, .query: 60
        case .crash, .partition, .freeze: 40
        case .crashAll, .eventBurst: 15
        default: 30
        }
    }

    /// The shortest mean time between two of a kind, in probe intervals.
    fileprivate var intervalMin: Int64 {
        switch self {
        case .crashAll: 20
        case .eventBurst, .partition: 10
        case .leave: 6
        case .event, .query, .replay, .rubbish, .brokenStreams: 1
        default: 3
        }
    }
}
