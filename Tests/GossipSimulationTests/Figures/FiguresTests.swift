// SPDX-License-Identifier: Apache-2.0

import SwimCore
import Testing

@testable import GossipSimulation

@Suite("What the papers predict")
struct GossipPredictionsTests {
    private static func predictions(_ count: Int, _ loss: Int) -> GossipPredictions {
        GossipPredictions(nodeCount: count, lossPercent: loss, settings: .lan)
    }

    @Test("is e/(e-1) periods until a node is probed, in a large cluster")
    func periods() {
        #expect(abs(Self.predictions(10_000, 0).periodsUntilProbed - 1.582) < 0.001)
        #expect(Self.predictions(3, 0).periodsUntilProbed < 1.582)
    }

    @Test("is a few rounds more for ten times as many, or with loss")
    func rounds() {
        let rounds = [10, 100, 1000].map { Self.predictions($0, 0).roundsUntilAllKnow }
        // ln 10 / ln 4 + ln 10 / 3
        #expect(abs(rounds[0] - 2.4285) < 0.001)
        #expect(abs(rounds[1] - 2 * rounds[0]) < 0.001)
        #expect(abs(rounds[2] - 3 * rounds[0]) < 0.001)
        #expect(Self.predictions(10, 25).roundsUntilAllKnow > rounds[0])
    }

    @Test("is how many probes fail, and how long a suspicion lasts")
    func probes() {
        #expect(Self.predictions(10, 0).failedProbesPerMille == 0)
        // 0.0975 * 0.18549375^3 and 0.4375 * 0.68359375^3
        #expect(abs(Self.predictions(10, 5).failedProbesPerMille - 0.6223) < 0.001)
        #expect(abs(Self.predictions(10, 25).failedProbesPerMille - 139.76) < 0.1)
        #expect(abs(Self.predictions(100, 0).suspicion.shortest - 8) < 0.001)
        #expect(abs(Self.predictions(100, 0).suspicion.longest - 48) < 0.001)
    }
}

@Suite("What is measured")
struct GossipFiguresTests {
    @Test("of ten nodes is near what is predicted")
    func small() throws {
        let figures = try GossipFigures.measure(nodeCount: 10, lossPercent: 0, seed: 1)
        let predicted = figures.predictions
        #expect(figures.eventRounds < 3 * predicted.roundsUntilAllKnow)
        #expect(abs(figures.periodsUntilProbed - predicted.periodsUntilProbed) < 0.4)
        #expect(figures.failedProbesPerMille == 0)
        #expect(figures.falseFailuresPerHour == 0)
        #expect(figures.allFailedAfter >= figures.firstFailedAfter)
        #expect(figures.firstFailedAfter - figures.suspectedAfter >= 3.99)
        // A ping and an ack.
        #expect((1.8...2.4).contains(figures.idlePacketsPerSecond))
        #expect(figures.row.contains("10"))
    }

    @Test("of many nodes: a newcomer is known to all as fast as gossip predicts")
    func joinOfManyNodes() throws {
        // Without optimization 300 of them would take a minute.
        let seconds = try GossipFigures.joinSeconds(nodeCount: Self.manyNodes, seed: 1)
        #expect(seconds.measured > 0)
        #expect(seconds.measured < 3 * seconds.predicted)
    }

    private static var manyNodes: Int {
        #if DEBUG
            100
        #else
            300
        #endif
    }
}
