// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// What packets and streams go through between nodes: each pair of nodes is a link in each direction.
struct GossipNetwork {
    /// How things go on all links.
    struct Weather: Equatable {
        /// What each packet takes, in nanoseconds.
        var latencyMin: Int64
        /// What comes to that on average, exponential: packets overtake each other by it.
        var latencyMean: Int64
        /// What none takes longer than.
        var latencyMax: Int64
        /// Of a thousand packets, those that are lost, come twice, or lose their end.
        var lossPermille: Int
        var duplicatePermille: Int
        var truncatePermille: Int
        /// Of a thousand streams, those that break before the request or before the answer is through.
        var breakPermille: Int
    }

    var weather: Weather
    /// Packets take so many times as long.
    var slowness: Int64 = 1
    /// Lost of a thousand packets, beyond what the weather takes.
    var addedLoss = 0
    let nodeCount: Int
    /// How many cuts there are on each link, since they overlap.
    private var cuts: [UInt16]
    private var random: SplitMix64

    init(nodeCount: Int, weather: Weather, random: SplitMix64) {
        self.nodeCount = nodeCount
        self.weather = weather
        self.random = random
        cuts = Array(repeating: 0, count: nodeCount * nodeCount)
    }

    func isCut(_ from: Int, _ to: Int) -> Bool { cuts[from * nodeCount + to] > 0 }

    /// Whether a stream can be held up: its packets go both ways.
    func carriesStreams(_ one: Int, _ other: Int) -> Bool {
        !isCut(one, other) && !isCut(other, one)
    }

    mutating func latency() -> Int64 {
        let drawn = weather.latencyMin + random.exponential(mean: weather.latencyMean)
        return max(1, slowness * min(drawn, weather.latencyMax))
    }

    /// When a packet arrives, and when its copy does, if there is one.
    mutating func arrivals(from: Int, to: Int, now: Int64) -> (first: Int64?, second: Int64?) {
        guard !isCut(from, to) else { return (nil, nil) }
        let second =
            random.happens(permille: weather.duplicatePermille) ? now + 2 * latency() : nil
        guard !random.happens(permille: weather.lossPermille),
            !random.happens(permille: addedLoss)
        else { return (nil, second) }
        return (now + latency(), second)
    }

    /// How much of a packet arrives.
    mutating func arriving(_ bytes: [UInt8]) -> [UInt8] {
        guard random.happens(permille: weather.truncatePermille), bytes.count > 1 else {
            return bytes
        }
        return Array(bytes[..<random.pick(1...(bytes.count - 1))])
    }

    mutating func breaksStream() -> Bool { random.happens(permille: weather.breakPermille) }

    mutating func cut(_ from: Int, _ to: Int) { cuts[from * nodeCount + to] += 1 }

    mutating func mend(_ from: Int, _ to: Int) {
        precondition(isCut(from, to), "the link from \(from) to \(to) is whole already")
        cuts[from * nodeCount + to] -= 1
    }

    /// All links are whole, and the weather is fair.
    mutating func calm(_ fair: Weather) {
        for link in cuts.indices { cuts[link] = 0 }
        weather = fair
        slowness = 1
        addedLoss = 0
    }
}
