// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// A place in a space in which distances are round trips (Vivaldi: Dabek, Cox, Kaashoek, Morris 2004).
///
/// It has the height of that paper's section 5.4, and an adjustment as in "Network Coordinates in the
/// Wild" (Ledlie, Gardner, Seltzer 2007). All values are seconds but ``error``, which has no unit.
public struct Coordinate: Sendable, Equatable {
    /// How many dimensions all members use.
    public static let dimensions = 8
    /// The greatest, and first, ``error``.
    public static let errorMax = 1.5
    /// The least, and first, ``height``.
    public static let heightMin = 1e-5

    /// The place in the core of the network.
    public var vector: [Double]
    /// How little the place is to be trusted, 0 to ``errorMax``.
    public var error: Double
    /// What the space cannot say, learned from the last samples; also negative.
    public var adjustment: Double
    /// The way from the node to the core of the network.
    public var height: Double

    /// A coordinate; without arguments that of a node which has measured nothing.
    public init(
        vector: [Double] = [Double](repeating: 0, count: Coordinate.dimensions),
        error: Double = Coordinate.errorMax, adjustment: Double = 0,
        height: Double = Coordinate.heightMin
    ) {
        self.vector = vector
        self.error = error
        self.adjustment = adjustment
        self.height = height
    }

    /// The coordinate that came with an ack.
    init(_ payload: CoordinatePayload) {
        self.init(
            vector: payload.vector, error: payload.error, adjustment: payload.adjustment,
            height: payload.height)
    }

    /// What goes with an ack.
    var payload: CoordinatePayload {
        CoordinatePayload(adjustment: adjustment, error: error, height: height, vector: vector)
    }

    /// Whether it can be reckoned with: the right dimensions, and no value that is not a number.
    public var isValid: Bool {
        vector.count == Self.dimensions && vector.allSatisfy(\.isFinite) && error.isFinite
            && adjustment.isFinite && height.isFinite
    }

    /// The estimated round trip to another place, cut to whole nanoseconds; `nil` if either is not
    /// valid, or the estimate is beyond what a duration holds.
    public func distance(to other: Coordinate) -> Duration? {
        guard isValid, other.isValid else { return nil }
        guard let nanoseconds = Int64(exactly: (estimate(to: other) * 1e9).rounded(.towardZero))
        else { return nil }
        return .nanoseconds(nanoseconds)
    }

    // MARK: Reckoning

    /// The distance without adjustments, in seconds.
    func rawDistance(to other: Coordinate) -> Double {
        Self.length(of: difference(to: other)) + height + other.height
    }

    /// The distance in seconds, cut to whole nanoseconds by whoever needs them so.
    private func estimate(to other: Coordinate) -> Double {
        let raw = rawDistance(to: other)
        let adjusted = raw + adjustment + other.adjustment
        return adjusted > 0 ? adjusted : raw
    }

    /// The distance in seconds, as the other members reckon it: through whole nanoseconds.
    func wholeDistance(to other: Coordinate) -> Double {
        let nanoseconds = (estimate(to: other) * 1e9).rounded(.towardZero)
        return nanoseconds / 1e9
    }

    /// This place minus another one.
    func difference(to other: Coordinate) -> [Double] {
        zip(vector, other.vector).map { $0 - $1 }
    }

    /// The Euclidean length.
    static func length(of vector: [Double]) -> Double {
        var sum = 0.0
        for component in vector { sum += component * component }
        return sum.squareRoot()
    }
}
