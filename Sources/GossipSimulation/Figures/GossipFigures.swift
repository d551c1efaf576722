// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import SerfCore
internal import SwimCore

/// What was measured of a cluster with the LAN profile, beside what is predicted of it.
///
/// Times are simulated ones, so the same seed gives the same figures on every machine.
public struct GossipFigures: Sendable {
    public var nodeCount: Int
    /// Of a hundred packets, those that are lost.
    public var lossPercent: Int
    public var predictions: GossipPredictions
    /// From the start of a newcomer until all others list it, in seconds.
    public var joinSeconds = 0.0
    /// From an event until all have it, in rounds of gossip: on average and at most.
    public var eventRounds = 0.0
    public var eventRoundsMost = 0.0
    /// Until a given node is probed by somebody, in whole periods, on average.
    public var periodsUntilProbed = 0.0
    /// From the end of a node until it is suspected, failed somewhere, failed everywhere, in seconds.
    public var suspectedAfter = 0.0
    public var firstFailedAfter = 0.0
    public var allFailedAfter = 0.0
    /// With streams: how many of 1,000 probes of live nodes fail, and live nodes failed in an hour.
    public var failedProbesPerMille = 0.0
    public var falseFailuresPerHour = 0.0
    /// The same while no stream gets through, as in SWIM's paper.
    public var bareFailedProbesPerMille = 0.0
    public var bareFalseFailuresPerHour = 0.0
    /// And without Lifeguard: no health score, and the shortest suspicion always.
    public var plainFalseFailuresPerHour = 0.0
    /// Packets that a node sends in a second when nothing happens.
    public var idlePacketsPerSecond = 0.0

    /// How long it takes until all know a newcomer, measured and predicted by the rounds of gossip,
    /// in seconds.
    ///
    /// - Throws: ``GossipFailure`` if they never do.
    public static func joinSeconds(
        nodeCount: Int, seed: UInt64
    ) throws(GossipFailure) -> (measured: Double, predicted: Double) {
        let predictions = GossipPredictions(
            nodeCount: nodeCount, lossPercent: 0, settings: .lan)
        var figures = GossipFigures(
            nodeCount: nodeCount, lossPercent: 0, predictions: predictions)
        var trial = FiguresTrial(
            nodeCount: nodeCount, lossPercent: 0, seed: seed, hasLifeguard: true)
        do throws(Violation) {
            try trial.boot()
            try trial.measureJoin(&figures)
        } catch {
            throw trial.failure(error, seed: seed)
        }
        return (figures.joinSeconds, figures.joinSecondsPredicted)
    }

    /// The same as gossip's rounds predict it.
    public var joinSecondsPredicted: Double {
        predictions.roundsUntilAllKnow
            * Double(predictions.settings.gossipInterval.nanoseconds) / 1e9
    }

    /// Runs a cluster and measures it.
    ///
    /// - Throws: ``GossipFailure`` if it does not come up, or never hears of something.
    public static func measure(
        nodeCount: Int, lossPercent: Int, seed: UInt64
    ) throws(GossipFailure) -> GossipFigures {
        let predictions = GossipPredictions(
            nodeCount: nodeCount, lossPercent: lossPercent, settings: .lan)
        var figures = GossipFigures(
            nodeCount: nodeCount, lossPercent: lossPercent, predictions: predictions)
        var trial = FiguresTrial(
            nodeCount: nodeCount, lossPercent: lossPercent, seed: seed, hasLifeguard: true)
        var plain = FiguresTrial(
            nodeCount: nodeCount, lossPercent: lossPercent, seed: seed, hasLifeguard: false)
        do throws(Violation) {
            try trial.boot()
            try trial.measureIdle(&figures)
            try trial.measureEvents(&figures)
            try trial.measureJoin(&figures)
            try trial.measureCrash(&figures)
            trial.breakStreams()
            let bare = try trial.measureFalsePositives()
            figures.bareFailedProbesPerMille = bare.probes
            figures.bareFalseFailuresPerHour = bare.failures
            try plain.boot()
            plain.breakStreams()
            figures.plainFalseFailuresPerHour = try plain.measureFalsePositives().failures
        } catch {
            throw trial.failure(error, seed: seed)
        }
        return figures
    }
}

/// A cluster without a plan, that is measured.
struct FiguresTrial {
    var world: GossipWorld
    private let nodeCount: Int
    private var random: SplitMix64
    private static let second: Int64 = 1_000_000_000

    init(nodeCount: Int, lossPercent: Int, seed: UInt64, hasLifeguard: Bool) {
        var settings = SerfSettings.lan
        settings.swim.compress = false
        if !hasLifeguard {
            settings.swim.awarenessMax = 1
            settings.swim.suspicionMaxTimeoutMult = 1
        }
        // A place more, for the newcomer.
        world = GossipWorld(
            seed: seed, nodeCount: nodeCount + 1, settings: settings,
            weather: GossipNetwork.Weather(
                latencyMin: 200_000, latencyMean: 1_000_000, latencyMax: 20_000_000,
                lossPermille: 10 * lossPercent, duplicatePermille: 0, truncatePermille: 0,
                breakPermille: 0))
        world.watch.looksOneIn = .max
        self.nodeCount = nodeCount
        random = SplitMix64(seed: seed)
    }

    func failure(_ violation: Violation, seed: UInt64) -> GossipFailure {
        GossipFailure(
            seed: seed, time: world.now, event: world.events, message: violation.message,
            actCount: 0, leftOut: [])
    }

    /// Starts all but the newcomer, and waits until each knows all.
    mutating func boot() throws(Violation) {
        for node in 0..<nodeCount {
            world.nodes[node].seeds = [0, 1]
            world.queue.plan(.start(node: node, era: world.era), at: random.time(0...Self.second))
        }
        try wait(for: "all to know all", seconds: 120) { world in
            (0..<world.nodes.count - 1).allSatisfy { node in
                world.nodes[node].core?.members.count { $0.status == .alive }
                    == world.nodes.count - 1
            }
        }
        // What the start has stirred up comes to rest.
        try world.run(until: world.now + 20 * Self.second)
    }

    private mutating func wait(
        for what: String, seconds: Int64, poll: Int64 = 200_000_000,
        until isSo: (GossipWorld) -> Bool
    ) throws(Violation) {
        let limit = world.now + seconds * Self.second
        while !isSo(world) {
            guard world.now < limit else { throw Violation("waited in vain for \(what)") }
            try world.run(until: world.now + poll)
        }
    }

    mutating func measureIdle(_ figures: inout GossipFigures) throws(Violation) {
        let seconds: Int64 = nodeCount > 100 ? 20 : 60
        let began = world.now
        let packets = world.watch.traffic.packets
        let (probes, failed) = (world.watch.probes, world.watch.failedProbes)
        let failures = world.watch.falseFailures
        world.watch.probeTimes = []
        try world.run(until: world.now + seconds * Self.second)
        figures.idlePacketsPerSecond =
            Double(world.watch.traffic.packets - packets) / Double(seconds) / Double(nodeCount)
        figures.failedProbesPerMille =
            1000 * Double(world.watch.failedProbes - failed)
            / Double(max(1, world.watch.probes - probes))
        figures.falseFailuresPerHour =
            Double(world.watch.falseFailures - failures) * 3600 / Double(seconds)
            / Double(nodeCount)
        figures.periodsUntilProbed = periodsUntilProbed(began)
        world.watch.probeTimes = nil
    }

    /// From each of many moments to the next probe of each node, in whole periods begun.
    private func periodsUntilProbed(_ began: Int64) -> Double {
        var times = Array(repeating: [Int64](), count: nodeCount)
        for (name, time) in world.watch.probeTimes ?? [] {
            guard let number = world.number(named: name), number < nodeCount else { continue }
            times[number].append(time)
        }
        let period = world.bounds.probe
        var (sum, count) = (0, 0)
        for probed in times {
            var next = 0
            // The end is left out, as some would be probed after it.
            for moment in stride(from: began, to: world.now - 10 * period, by: Int(period / 7)) {
                while next < probed.count, probed[next] < moment { next += 1 }
                guard next < probed.count else { break }
                sum += Int((probed[next] - moment) / period) + 1
                count += 1
            }
        }
        return Double(sum) / Double(max(1, count))
    }

    mutating func measureEvents(_ figures: inout GossipFigures) throws(Violation) {
        let trials = 10
        var sum = 0.0
        for _ in 0..<trials {
            let sender = random.pick(0...(nodeCount - 1))
            let began = world.now
            let goal = world.watch.deliveries.deliveredCount + nodeCount
            let payload = world.watch.deliveries.send(world.now, padding: 20)
            try world.command(
                .send(name: "deploy", payload: payload, mayCoalesce: false), for: .event, sender)
            while world.watch.deliveries.deliveredCount < goal {
                guard world.now - began < 120 * Self.second else {
                    throw Violation("waited in vain for an event to reach all")
                }
                _ = try world.step()
            }
            let rounds = Double(world.now - began) / Double(world.bounds.gossip)
            sum += rounds
            figures.eventRoundsMost = max(figures.eventRoundsMost, rounds)
            try world.run(until: world.now + 5 * Self.second)
        }
        figures.eventRounds = sum / Double(trials)
    }

    mutating func measureJoin(_ figures: inout GossipFigures) throws(Violation) {
        let began = world.now
        world.watch.watched = WatchedNode(name: "n\(nodeCount)")
        world.nodes[nodeCount].seeds = [random.pick(0...(nodeCount - 1))]
        try world.start(nodeCount)
        let goal = nodeCount + 1
        try wait(for: "all to know the newcomer", seconds: 120, poll: 10_000_000) { world in
            (world.watch.watched?.joins ?? 0) >= goal
        }
        figures.joinSeconds = seconds((world.watch.watched?.lastJoin ?? began) - began)
        try world.run(until: world.now + 10 * Self.second)
    }

    /// Ends the newcomer, who is as good as any.
    mutating func measureCrash(_ figures: inout GossipFigures) throws(Violation) {
        let began = world.now
        world.watch.watched = WatchedNode(name: "n\(nodeCount)")
        world.stop(nodeCount)
        let goal = nodeCount
        try wait(for: "all to see it fail", seconds: 600, poll: 50_000_000) { world in
            (world.watch.watched?.failures ?? 0) >= goal
        }
        guard let watched = world.watch.watched else { return }
        figures.suspectedAfter = seconds((watched.suspectedAt ?? began) - began)
        figures.firstFailedAfter = seconds((watched.firstFailure ?? began) - began)
        figures.allFailedAfter = seconds(watched.lastFailure - began)
        // Its record is forgotten, so that nobody probes or counts it any more.
        try world.run(until: world.now + 60 * Self.second)
    }

    mutating func breakStreams() { world.network.weather.breakPermille = 1000 }

    mutating func measureFalsePositives() throws(Violation) -> (probes: Double, failures: Double) {
        let seconds: Int64 = nodeCount > 100 ? 30 : 300
        let (probes, failed) = (world.watch.probes, world.watch.failedProbes)
        let failures = world.watch.falseFailures
        try world.run(until: world.now + seconds * Self.second)
        return (
            1000 * Double(world.watch.failedProbes - failed)
                / Double(max(1, world.watch.probes - probes)),
            Double(world.watch.falseFailures - failures) * 3600 / Double(seconds)
                / Double(nodeCount)
        )
    }

    private func seconds(_ time: Int64) -> Double { Double(time) / Double(Self.second) }
}
