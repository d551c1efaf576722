// SPDX-License-Identifier: Apache-2.0

import Foundation
import SerfCore
import SwimCore
import Testing

@testable import GossipSimulation

@Suite("Simulated gossip")
struct GossipRunTests {
    /// Fresh seeds of a size, or those from `FIRST_SEED` on; each failure names its own.
    ///
    /// Without optimization a look at a node costs ten times a step: most runs look now and then.
    private static func hunt(
        _ runs: UInt64, nodes: Int? = nil, looksOneIn: Int, into total: inout GossipReport
    ) throws {
        let asked = ProcessInfo.processInfo.environment["FIRST_SEED"].flatMap { UInt64($0) }
        let first = asked ?? UInt64.random(in: 0..<(1 << 40))
        print("gossip: seeds from \(first) on, nodes \(nodes.map { "\($0)" } ?? "drawn")")
        var options = GossipOptions()
        options.nodeCount = nodes
        options.looksOneIn = looksOneIn
        for seed in first..<(first + runs) {
            total.add(try GossipSimulator.run(seed: seed, options))
        }
    }

    @Test("of fresh seeds holds, and its views become one")
    func freshSeeds() throws {
        var total = GossipReport()
        try Self.hunt(150, nodes: 3, looksOneIn: 20, into: &total)
        try Self.hunt(40, looksOneIn: 20, into: &total)
        try Self.hunt(8, nodes: 3, looksOneIn: 1, into: &total)
        // So many seeds have everything in them that is not rare.
        for mark in [
            GossipMark.restarted, .frozen, .linkCut, .partitioned, .left, .suspected, .refuted,
            .failedFalsely, .failedTruly, .reconnected, .leaveRefuted, .eventDelivered,
            .queryAcknowledged, .tagsChanged, .keysRotated, .packetReplayed, .pruned,
        ] {
            #expect(total.marks.contains(mark), "\(mark) never happened")
        }
        #expect(total.delivered > 1000)
    }

    @Test("is the same again for the same seed, and another for another", arguments: [3, 400])
    func repeatExactly(_ seed: UInt64) throws {
        var options = GossipOptions()
        options.looksOneIn = 20
        let first = try GossipSimulator.run(seed: seed, options)
        let second = try GossipSimulator.run(seed: seed, options)
        let other = try GossipSimulator.run(seed: seed + 1, options)
        #expect(first.digest == second.digest)
        #expect(first.events == second.events)
        #expect(first.digest != other.digest)
    }

    @Test("is another when acts are left out, and calm when all are")
    func leaveActsOut() throws {
        var options = GossipOptions()
        options.looksOneIn = 20
        let all = try GossipSimulator.run(seed: 11, options)
        options.leftOut = Array(0..<10_000)
        let none = try GossipSimulator.run(seed: 11, options)
        #expect(all.digest != none.digest)
        #expect(!none.marks.contains(.linkCut))
        #expect(!none.marks.contains(.frozen))
    }

    @Test("draws every knob, so that seeds differ in all of them")
    func drawPlans() {
        let plans = (UInt64(0)..<300).map { GossipPlan(seed: $0) }
        #expect(Set(plans.map(\.nodeCount)) == [3, 4, 5, 6, 7, 8, 10])
        #expect(Set(plans.map(\.settings.swim.retransmitMult)) == [1, 2, 4, 6])
        #expect(Set(plans.map(\.settings.swim.indirectChecks)) == [0, 1, 3])
        #expect(Set(plans.map(\.settings.swim.awarenessMax)) == [1, 2, 8])
        #expect(Set(plans.map(\.settings.swim.compress)).count == 2)
        #expect(Set(plans.map(\.settings.eventBuffer)) == [16, 512])
        #expect(Set(plans.map(\.weather.lossPermille)).count == 5)
        #expect(Set(plans.map(\.hasKeys)).count == 2)
        #expect(Set(plans.flatMap(\.acts).map(\.kind)).count == PlannedAct.Kind.allCases.count)
        for plan in plans {
            #expect(plan.acts.map(\.time) == plan.acts.map(\.time).sorted())
            #expect(plan.settings.swim.probeTimeout < plan.settings.swim.probeInterval)
        }
    }

    @Test("that fails is shrunk to the acts that it needs, of the same failure")
    func shrink() throws {
        // A run of so few events cannot end: a failure that needs no act at all.
        var options = GossipOptions()
        options.eventsMax = 200
        let failure = try #require(throws: GossipFailure.self) {
            try GossipSimulator.run(seed: 5, options)
        }
        #expect(failure.event == 200)
        let smallest = GossipSimulator.shrink(failure, options)
        #expect(smallest.leftOut.count == failure.actCount)
        #expect(smallest.kind == failure.kind)
    }

    @Test("tells each event to who wants to know, from the one that is asked for")
    func tell() throws {
        let lines = Lines()
        var options = GossipOptions()
        options.report = { lines.add($0) }
        options.reportFrom = 100
        _ = try GossipSimulator.run(seed: 8, options)
        let numbers = lines.all.compactMap { UInt64($0.prefix { $0 != " " }) }
        #expect(numbers.count > 100)
        #expect(numbers.allSatisfy { $0 >= 100 })
        #expect(numbers == numbers.sorted())
    }
}

/// Lines that a run has told.
final class Lines: @unchecked Sendable {
    // Written and read by one test, in turn.
    private(set) var all: [String] = []

    func add(_ line: String) { all.append(line) }
}
