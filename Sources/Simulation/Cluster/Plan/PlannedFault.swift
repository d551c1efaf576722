// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// One fault, or one act of an operator, that a seed has planned.
///
/// It has a number, by which it can be left out, and a seed of its own: leaving one out does not
/// change what the others draw.
struct PlannedFault {
    enum Kind: UInt8, CaseIterable {
        case kill
        case powerCut
        case clusterPowerCut
        case pause
        case bipartition
        case isolation
        case oneWayCut
        case bridge
        case heal
        case clog
        case replay
        case diskStall
        case syncFailure
        case diskFull
        case wipe
        case damage
        case crashAtCall
        case retention
        case transfer
        case memberChange
        case rumour
        case campaign
        case drift
    }

    var kind: Kind
    var time: Int64
    var seed: UInt64

    /// Each kind is there or not, and if it is there it comes rarely or often.
    static func draw(
        _ random: inout SplitMix64, duration: Int64, timeout: Int64
    ) -> [PlannedFault] {
        var faults: [PlannedFault] = []
        let isCalm = random.happens(percent: 5)
        // Some seeds are as wild as it gets: much that is rare needs two faults at once.
        let isWild = random.happens(percent: 40)
        for kind in Kind.allCases {
            var own = random.fork()
            guard !isCalm, own.happens(percent: kind.percent) else { continue }
            // Faults that come as often as elections last are the ones that hurt.
            let mean = max(
                kind.intervalMin,
                own.pick(
                    isWild
                        ? [timeout / 2, timeout, 2 * timeout, 3 * timeout]
                        : [2 * timeout, 5 * timeout, duration / 10, duration / 4]))
            var time = own.exponential(mean: mean)
            while time < duration, faults.count < 2000 {
                faults.append(PlannedFault(kind: kind, time: time, seed: own.next()))
                time += 1 + own.exponential(mean: mean)
            }
        }
        // Stable, so that equal times are no question of the sorting.
        return faults.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }
}

extension PlannedFault.Kind {
    /// In how many of a hundred seeds it happens.
    fileprivate var percent: Int {
        switch self {
        case .retention, .memberChange, .transfer: 50
        case .clusterPowerCut, .wipe, .damage: 25
        default: 35
        }
    }

    /// The shortest mean time between two of a kind.
    fileprivate var intervalMin: Int64 {
        switch self {
        case .clusterPowerCut: 3_000_000
        case .wipe, .damage: 1_500_000
        case .diskFull, .syncFailure, .clog: 700_000
        default: 100_000
        }
    }
}

extension PlannedFault.Kind {
    /// Whether the TLA+ specification knows it.
    var isTraceable: Bool {
        switch self {
        case .wipe, .damage, .retention, .syncFailure, .diskFull: false
        default: true
        }
    }
}
