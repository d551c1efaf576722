// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfCore
import SerfWire
import SwimCore
import Testing

@testable import GossipSimulation

private let second: Int64 = 1_000_000_000

/// A world in fair weather whose nodes all start at once, and ask the first two.
private func world(_ count: Int, _ change: (inout GossipWorld) -> Void = { _ in }) -> GossipWorld {
    var settings = SerfSettings.lan
    settings.swim.compress = false
    var world = GossipWorld(
        seed: 1, nodeCount: count, settings: settings, weather: GossipPlan.calmWeather(.lan))
    change(&world)
    for node in 0..<count {
        world.nodes[node].seeds = [0, 1]
        world.queue.plan(.start(node: node, era: 0), at: Int64(node) * 1_000_000)
    }
    return world
}

extension GossipWorld {
    fileprivate func status(_ node: Int, at observer: Int) -> MemberStatus? {
        nodes[observer].core?.member(named: "n\(node)")?.status
    }
}

@Suite("The queue of events")
struct EventQueueTests {
    @Test("gives them by time, and at equal times as they were planned")
    func order() {
        var queue = EventQueue<Int>()
        var random = SplitMix64(seed: 1)
        var planned: [(time: Int64, number: Int)] = []
        for number in 0..<500 {
            let time = random.time(0...50)
            planned.append((time, number))
            queue.plan(number, at: time)
        }
        let expected = planned.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
        for (time, number) in expected {
            let next = queue.popFirst()
            #expect(next?.time == time)
            #expect(next?.event == number)
        }
        #expect(queue.popFirst() == nil)
    }
}

@Suite("The simulated network")
struct GossipNetworkTests {
    private static func network(
        loss: Int = 0, twice: Int = 0, truncate: Int = 0
    ) -> GossipNetwork {
        GossipNetwork(
            nodeCount: 3,
            weather: GossipNetwork.Weather(
                latencyMin: 10, latencyMean: 100, latencyMax: 500, lossPermille: loss,
                duplicatePermille: twice, truncatePermille: truncate, breakPermille: 0),
            random: SplitMix64(seed: 1))
    }

    @Test("is late within its limits, and by different times")
    func latency() {
        var network = Self.network()
        let times = (0..<1000).map { _ in
            network.arrivals(from: 0, to: 1, now: 1000).first ?? 0
        }
        #expect(times.allSatisfy { (1010...1500).contains($0) })
        #expect(Set(times).count > 100)
        network.slowness = 10
        #expect((network.arrivals(from: 0, to: 1, now: 0).first ?? 0) >= 100)
    }

    @Test("loses and repeats as often as it is told to")
    func loss() {
        var network = Self.network(loss: 250, twice: 100)
        var (lost, repeated) = (0, 0)
        for _ in 0..<10_000 {
            let (first, second) = network.arrivals(from: 0, to: 1, now: 0)
            if first == nil { lost += 1 }
            if second != nil { repeated += 1 }
        }
        #expect((2200...2800).contains(lost))
        #expect((800...1200).contains(repeated))
    }

    @Test("cuts one way, mends what was cut as often, and all at once in calm")
    func cuts() {
        var network = Self.network()
        network.cut(0, 1)
        network.cut(0, 1)
        #expect(network.arrivals(from: 0, to: 1, now: 0).first == nil)
        #expect(network.arrivals(from: 1, to: 0, now: 0).first != nil)
        #expect(!network.carriesStreams(1, 0))
        network.mend(0, 1)
        #expect(network.isCut(0, 1))
        network.mend(0, 1)
        #expect(!network.isCut(0, 1))
        network.cut(2, 1)
        network.calm(network.weather)
        #expect(network.carriesStreams(1, 2))
    }

    @Test("takes the end of some packets away")
    func truncate() {
        var network = Self.network(truncate: 500)
        let sizes = (0..<1000).map { _ in network.arriving([1, 2, 3, 4]).count }
        #expect((400...600).contains(sizes.count { $0 < 4 }))
        #expect(sizes.allSatisfy { 1...4 ~= $0 })
    }
}

@Suite("A simulated world")
struct GossipWorldTests {
    @Test("of three becomes one cluster, and says so in events")
    func boot() throws {
        var world = world(3)
        try world.run(until: 5 * second)
        for observer in 0..<3 {
            #expect((0..<3).allSatisfy { world.status($0, at: observer) == .alive })
            #expect(world.nodes[observer].hasJoined)
        }
    }

    @Test("sees a crash within the bound, and a restart under the same name")
    func crash() throws {
        var world = world(4)
        try world.run(until: 10 * second)
        world.stop(2)
        try world.run(until: world.now + world.bounds.detection(4, health: 0))
        #expect([0, 1, 3].allSatisfy { world.status(2, at: $0) == .failed })
        #expect(world.watch.trueFailures == 3)
        try world.start(2)
        try world.run(until: world.now + 10 * second)
        #expect([0, 1, 3].allSatisfy { world.status(2, at: $0) == .alive })
    }

    @Test("counts a frozen node as failed, and lets it refute when it thaws")
    func freeze() throws {
        var world = world(4)
        try world.run(until: 10 * second)
        world.freeze(1, for: 60 * second)
        try world.run(until: world.now + 59 * second)
        #expect([0, 2, 3].allSatisfy { world.status(1, at: $0) == .failed })
        #expect(world.nodes[1].waiting.count <= GossipNode.waitingPacketsMax + 64)
        // The others try it again after 30 s; it hears of its death itself when it exchanges states.
        try world.run(until: world.now + 100 * second)
        #expect([0, 2, 3].allSatisfy { world.status(1, at: $0) == .alive })
        #expect(world.watch.refutations > 0)
    }

    @Test("splits, and heals by itself once the links are whole")
    func partition() throws {
        var world = world(4)
        try world.run(until: 10 * second)
        var links: [GossipEvent.Link] = []
        for one in [0, 1] {
            for other in [2, 3] {
                links.append(.init(from: one, to: other))
                links.append(.init(from: other, to: one))
            }
        }
        world.cut(links, for: 120 * second)
        try world.run(until: world.now + 119 * second)
        #expect(world.status(2, at: 0) == .failed)
        #expect(world.status(0, at: 3) == .failed)
        #expect(world.status(1, at: 0) == .alive)
        let limit = world.now + world.bounds.falseFailure(4)
        func isWhole() -> Bool {
            (0..<4).allSatisfy { one in
                (0..<4).allSatisfy { world.status($0, at: one) == .alive }
            }
        }
        while !isWhole(), world.now < limit { try world.run(until: world.now + second) }
        #expect(isWhole())
    }

    @Test("refuses, cuts and delays streams, and tells the opener")
    func streams() throws {
        var world = world(2) { $0.network.weather.breakPermille = 1000 }
        try world.run(until: 10 * second)
        #expect(!world.nodes[0].hasJoined)
        world.network.weather.breakPermille = 0
        try world.run(until: 20 * second)
        #expect(world.nodes[0].hasJoined && world.nodes[1].hasJoined)
        world.stop(1)
        world.watch.looksOneIn = 1
        try world.join(0, [1], replays: false, for: .rejoin(ignoresOld: true))
        try world.run(until: world.now + second)
        #expect(!world.watch.deliveries.isJoining(0))
    }

    @Test("sees one leave that says so, and never fail")
    func leaver() throws {
        var world = world(3)
        try world.run(until: 10 * second)
        world.nodes[1].wasAskedToLeave = true
        try world.command(.leave, for: .leave, 1)
        try world.run(until: world.now + 15 * second)
        #expect(!world.nodes[1].isUp)
        #expect(world.status(1, at: 0) == .left)
        #expect(world.status(1, at: 2) == .left)
        #expect(world.watch.trueFailures + world.watch.falseFailures == 0)
    }

    @Test("has one digest for one seed")
    func digest() throws {
        var (one, other) = (world(3), world(3))
        try one.run(until: 20 * second)
        try other.run(until: 20 * second)
        #expect(one.digest == other.digest)
        #expect(one.events == other.events)
    }
}
