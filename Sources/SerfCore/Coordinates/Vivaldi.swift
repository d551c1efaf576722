// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// This node's place among the others, moved a little by each measured round trip.
///
/// A spring between two nodes pushes them apart or pulls them together until their distance is the
/// round trip; the less sure a node is of its place, the further it moves (Dabek et al. 2004, 3.4). A
/// weak pull towards the origin keeps all places from drifting off together.
struct Vivaldi: Sendable {
    /// How much of the error a sample corrects: c_e and c_c of the paper.
    private static let tuning = 0.25
    /// How many samples the adjustment is learned from.
    private static let windowCount = 20
    /// The distance in seconds at which the pull towards the origin is as strong as one of 1 s.
    private static let gravityRadius = 150.0
    /// What counts as no distance, in seconds.
    private static let zero = 1e-6
    /// The longest round trip that can be true.
    static let roundTripMax = Duration.seconds(10)

    private(set) var coordinate: Coordinate
    private var window = [Double](repeating: 0, count: windowCount)
    private var place = 0
    private var random: SplitMix64

    init(coordinate: Coordinate = Coordinate(), seed: UInt64) {
        self.coordinate = coordinate
        random = SplitMix64(seed: seed)
    }

    /// Takes in a round trip to a node.
    ///
    /// - Parameters:
    ///   - roundTrip: As measured.
    ///   - other: Where that node says it is.
    ///   - latencies: The node's last round trips.
    /// - Returns: Whether the sample was used; not if it or the coordinate makes no sense.
    mutating func observe(
        roundTrip: Duration, other: Coordinate, latencies: inout LatencyFilter
    ) -> Bool {
        guard other.isValid, .zero...Self.roundTripMax ~= roundTrip else { return false }
        let parts = roundTrip.components
        let seconds = Double(parts.seconds) + Double(parts.attoseconds / 1_000_000_000) / 1e9
        let median = latencies.add(seconds)
        move(median, other)
        adjust(median, other)
        gravitate()
        if !coordinate.isValid {
            coordinate = Coordinate()
            window = [Double](repeating: 0, count: Self.windowCount)
            place = 0
        }
        return true
    }

    private mutating func move(_ roundTrip: Double, _ other: Coordinate) {
        let distance = coordinate.wholeDistance(to: other)
        let roundTrip = max(roundTrip, Self.zero)
        let wrong = abs(distance - roundTrip) / roundTrip
        let total = max(coordinate.error + other.error, Self.zero)
        let weight = coordinate.error / total
        let share = Self.tuning * weight
        coordinate.error = min(
            share * wrong + coordinate.error * (1 - share), Coordinate.errorMax)
        push(from: other, by: share * (roundTrip - distance))
    }

    private mutating func adjust(_ roundTrip: Double, _ other: Coordinate) {
        window[place] = roundTrip - coordinate.rawDistance(to: other)
        place = (place + 1) % Self.windowCount
        var sum = 0.0
        for sample in window { sum += sample }
        coordinate.adjustment = sum / Double(2 * Self.windowCount)
    }

    private mutating func gravitate() {
        let origin = Coordinate()
        let share = origin.wholeDistance(to: coordinate) / Self.gravityRadius
        push(from: origin, by: -(share * share))
    }

    /// Moves away from a place, by so many seconds; towards it if negative.
    private mutating func push(from other: Coordinate, by force: Double) {
        let difference = coordinate.difference(to: other)
        let length = Coordinate.length(of: difference)
        let direction: [Double]
        if length > Self.zero {
            direction = difference.map { $0 * (1 / length) }
            coordinate.height = max(
                (coordinate.height + other.height) * force / length + coordinate.height,
                Coordinate.heightMin)
        } else {
            direction = randomDirection()
        }
        for dimension in coordinate.vector.indices {
            coordinate.vector[dimension] += direction[dimension] * force
        }
    }

    /// Two nodes at one place must part in some direction.
    private mutating func randomDirection() -> [Double] {
        let vector = (0..<Coordinate.dimensions).map { _ in
            Double.random(in: -0.5..<0.5, using: &random)
        }
        let length = Coordinate.length(of: vector)
        guard length > Self.zero else {
            return (0..<Coordinate.dimensions).map { $0 == 0 ? 1 : 0 }
        }
        return vector.map { $0 * (1 / length) }
    }
}
