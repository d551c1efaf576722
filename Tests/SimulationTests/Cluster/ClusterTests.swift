// SPDX-License-Identifier: Apache-2.0

import RaftCore
import Testing

@testable import Simulation

@Suite("Simulated clusters")
struct ClusterTests {
    private static func options(_ profile: ClusterProfile, seconds: Int64) -> ClusterOptions {
        var options = ClusterOptions()
        options.profile = profile
        options.duration = seconds * 1_000_000
        return options
    }

    @Test("of cores hold, commit something and come to rest", arguments: [1, 200, 3000])
    func cores(_ first: UInt64) throws {
        var total = ClusterReport(digest: 0, events: 0, time: 0)
        for seed in first..<(first + 8) {
            total.add(try ClusterSimulator.run(seed: seed, Self.options(.core, seconds: 10)))
        }
        #expect(total.committed > 100)
        #expect(total.acknowledged > 100)
        #expect(total.marks.contains(.restarted))
    }

    /// A link was clogged for much longer than there were to be faults: what was sent over it in the
    /// calm waited, and a transfer of leadership came to nothing.
    @Test("see no fault outlast the faults")
    func faultsEnd() throws {
        let report = try ClusterSimulator.run(
            seed: 172_688_239_092, Self.options(.core, seconds: 20))
        #expect(report.marks.contains(.linkClogged))
        #expect(report.marks.contains(.handedOn))
    }

    @Test("of whole nodes hold, commit something and come to rest")
    func wholeNodes() throws {
        var total = ClusterReport(digest: 0, events: 0, time: 0)
        for seed in UInt64(1)..<6 {
            total.add(try ClusterSimulator.run(seed: seed, Self.options(.full, seconds: 5)))
        }
        #expect(total.committed > 100)
        #expect(total.acknowledged > 100)
    }

    @Test("are the same again for the same seed", arguments: ClusterProfile.allCases)
    func repeatExactly(_ profile: ClusterProfile) throws {
        let options = Self.options(profile, seconds: 3)
        let first = try ClusterSimulator.run(seed: 12, options)
        let second = try ClusterSimulator.run(seed: 12, options)
        let other = try ClusterSimulator.run(seed: 13, options)
        #expect(first.digest == second.digest)
        #expect(first.events == second.events)
        #expect(first.digest != other.digest)
    }

    @Test("are others when faults are left out, and the same when none is")
    func leaveFaultsOut() throws {
        var options = Self.options(.core, seconds: 3)
        let all = try ClusterSimulator.run(seed: 3, options)
        options.leftOut = Array(0..<10_000)
        let none = try ClusterSimulator.run(seed: 3, options)
        #expect(!none.marks.contains(.linkCut))
        #expect(all.digest != none.digest)
    }

    @Test("draw every knob, so that seeds differ in all of them")
    func drawPlans() {
        let plans = (UInt64(0)..<200).map { ClusterPlan(seed: $0, duration: 20_000_000) }
        #expect(Set(plans.map(\.nodeCount)) == [1, 2, 3, 4, 5, 6, 7])
        #expect(Set(plans.map(\.raft.messageEntriesMax)).count > 3)
        #expect(Set(plans.map(\.raft.tailEntriesMax)).count > 3)
        #expect(Set(plans.map(\.raft.quietTicks)).count > 3)
        #expect(Set(plans.map(\.clients.batchMax)).count > 3)
        let kinds = Set(plans.flatMap(\.faults).map(\.kind))
        #expect(kinds.count == PlannedFault.Kind.allCases.count)
        for plan in plans {
            #expect(plan.raft.electionTicks > plan.raft.heartbeatTicks)
            #expect(plan.faults.map(\.time) == plan.faults.map(\.time).sorted())
        }
    }

    @Test("tell a trace that begins with who there is")
    func trace() throws {
        let lines = Lines()
        try ClusterSimulator.trace(seed: 5, eventsMax: 50) { lines.add($0) }
        let all = lines.all
        #expect(all.count == 51)
        #expect(all.first?.hasPrefix("{\"servers\":[1") == true)
        for line in all.dropFirst() {
            #expect(line.hasPrefix("{\"node\":"))
            #expect(line.contains("\"after\":{\"term\":"))
        }
    }
}

/// Lines that come one after the other from the same thread.
///
/// `@unchecked Sendable`: the run that adds them is over when they are read.
private final class Lines: @unchecked Sendable {
    private(set) var all: [String] = []
    func add(_ line: String) { all.append(line) }
}
