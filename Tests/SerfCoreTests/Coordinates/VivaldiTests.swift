// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SerfCore

@Suite struct VivaldiTests {
    @Test("coordinates are exactly those of other implementations, to the last bit")
    func exact() {
        var vivaldi = Vivaldi(coordinate: VivaldiSamples.start, seed: 1)
        var latencies: [String: LatencyFilter] = [:]
        for (number, step) in VivaldiSamples.steps.enumerated() {
            let isUsed = vivaldi.observe(
                roundTrip: .nanoseconds(step.roundTripNanoseconds), other: step.other,
                latencies: &latencies[step.node, default: LatencyFilter()])
            #expect(isUsed)
            #expect(vivaldi.coordinate == step.after, "step \(number)")
            #expect(
                vivaldi.coordinate.distance(to: step.other)
                    == .nanoseconds(step.distanceNanoseconds), "step \(number)")
        }
    }

    @Test("a sample that makes no sense moves nothing")
    func refuses() {
        var vivaldi = Vivaldi(seed: 1)
        var latencies = LatencyFilter()
        var short = Coordinate()
        short.vector.removeLast()
        var infinite = Coordinate()
        infinite.vector[3] = .infinity
        let wrong = [
            short, infinite, Coordinate(error: .nan), Coordinate(adjustment: -.infinity),
            Coordinate(height: .nan),
        ]
        for other in wrong {
            #expect(
                !vivaldi.observe(
                    roundTrip: .milliseconds(1), other: other, latencies: &latencies))
        }
        for roundTrip in [Duration.nanoseconds(-1), .seconds(10) + .nanoseconds(1)] {
            #expect(
                !vivaldi.observe(
                    roundTrip: roundTrip, other: Coordinate(), latencies: &latencies))
        }
        #expect(vivaldi.coordinate == Coordinate())
        #expect(
            vivaldi.observe(roundTrip: .seconds(10), other: Coordinate(), latencies: &latencies))
    }

    @Test("two nodes at one place part, in a direction that the seed decides")
    func parts() {
        func coordinate(seed: UInt64) -> Coordinate {
            var vivaldi = Vivaldi(seed: seed)
            var latencies = LatencyFilter()
            _ = vivaldi.observe(
                roundTrip: .milliseconds(10), other: Coordinate(), latencies: &latencies)
            return vivaldi.coordinate
        }
        #expect(coordinate(seed: 1).vector != Coordinate().vector)
        #expect(coordinate(seed: 1) == coordinate(seed: 1))
        #expect(coordinate(seed: 1) != coordinate(seed: 2))
    }

    @Test("a coordinate that leaves all bounds starts over")
    func startsOver() {
        var vivaldi = Vivaldi(
            coordinate: Coordinate(vector: [Double](repeating: 1e308, count: 8)), seed: 1)
        var latencies = LatencyFilter()
        _ = vivaldi.observe(
            roundTrip: .milliseconds(10),
            other: Coordinate(vector: [Double](repeating: -1e308, count: 8)),
            latencies: &latencies)
        #expect(vivaldi.coordinate == Coordinate())
    }

    @Test("one slow round trip of three moves nothing: the median counts")
    func median() {
        var filter = LatencyFilter()
        #expect(filter.add(1) == 1)
        #expect(filter.add(9) == 9)
        #expect(filter.add(2) == 2)
        #expect(filter.add(3) == 3)
        #expect(filter.add(4) == 3)
    }

    @Test("estimates come close to the round trips of a line of nodes")
    func converges() {
        // Nodes 10 ms apart from the next one.
        var nodes = (0..<4).map { Vivaldi(seed: UInt64($0)) }
        var latencies = [[LatencyFilter]](
            repeating: [LatencyFilter](repeating: LatencyFilter(), count: 4), count: 4)
        for _ in 0..<400 {
            for own in 0..<4 {
                for other in 0..<4 where other != own {
                    _ = nodes[own].observe(
                        roundTrip: .milliseconds(10 * abs(own - other)),
                        other: nodes[other].coordinate, latencies: &latencies[own][other])
                }
            }
        }
        for own in 0..<4 {
            for other in 0..<4 where other != own {
                let estimate = nodes[own].coordinate.distance(to: nodes[other].coordinate)
                let truth = Duration.milliseconds(10 * abs(own - other))
                #expect(
                    (estimate ?? .zero) > truth * 0.7 && (estimate ?? .zero) < truth * 1.3,
                    "\(own) to \(other): \(String(describing: estimate))")
            }
        }
    }

    @Test("the distance of what is not valid, or too far, is unknown")
    func noDistance() {
        #expect(Coordinate(error: .nan).distance(to: Coordinate()) == nil)
        #expect(Coordinate(height: 1e300).distance(to: Coordinate()) == nil)
        #expect(Coordinate().distance(to: Coordinate()) == .nanoseconds(20_000))
    }
}
