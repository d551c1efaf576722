// SPDX-License-Identifier: Apache-2.0

/// The median of the last three round trips to a node, so that one slow ack moves nothing.
struct LatencyFilter: Sendable {
    private static let sampleCount = 3

    private var samples: [Double] = []

    /// Adds a round trip in seconds, and gives the median of what is kept.
    mutating func add(_ roundTrip: Double) -> Double {
        samples.append(roundTrip)
        if samples.count > Self.sampleCount { samples.removeFirst() }
        return samples.sorted()[samples.count / 2]
    }
}
