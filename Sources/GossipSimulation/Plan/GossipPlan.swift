// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import SerfCore
internal import SwimCore

/// Everything that a seed decides beforehand: how many nodes, settings, network, what happens.
///
/// Times are in nanoseconds. Every knob is drawn: a bug that needs an unusual one is found no other
/// way.
struct GossipPlan {
    var nodeCount: Int
    var settings: SerfSettings
    /// For how long there are faults.
    var duration: Int64
    var usesIPv6: Bool
    var refusesDials: Bool
    /// Whether who joins wants to hear events of before.
    var replaysEvents: Bool
    /// How many of the nodes each one asks when it starts.
    var seedCount: Int
    /// When each node starts.
    var starts: [Int64]
    var weather: GossipNetwork.Weather
    /// Bytes of tags, beyond the two short ones.
    var tagBytes: Int
    var hasKeys: Bool
    /// Old packets that are kept to be sent again.
    var keptPackets: Int
    /// Of a hundred nodes that are down when the faults stop, those that stay so.
    var outPercent: Int
    var acts: [PlannedAct]

    /// - Parameter nodeCount: How many nodes; drawn, 3 to 10, if not given.
    init(seed: UInt64, nodeCount: Int? = nil) {
        var random = SplitMix64(seed: seed)
        let drawn = random.pick([3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10])
        self.nodeCount = nodeCount ?? drawn
        settings = SerfSettings.lan
        duration = 0
        usesIPv6 = random.happens(percent: 20)
        refusesDials = random.happens(percent: 70)
        replaysEvents = random.happens(percent: 30)
        seedCount = random.pick(1...3)
        weather = Self.calmWeather(SerfSettings.lan)
        tagBytes = random.pick([0, 0, 10, 100, 300])
        hasKeys = random.happens(percent: 25)
        keptPackets = random.pick([0, 20, 200])
        outPercent = random.pick([0, 30, 60])
        starts = []
        acts = []
        settings = Self.settings(&random)
        let probe = settings.swim.probeInterval.nanoseconds
        duration = probe * Int64(random.pick([10, 20, 20, 40]))
        weather = Self.weather(&random, settings)
        let spread = random.pick([0, 1, 5, 20])
        for _ in 0..<self.nodeCount { starts.append(random.time(0...(Int64(spread) * probe + 1))) }
        acts = PlannedAct.draw(&random, duration: duration, interval: probe)
    }

    private static func settings(_ random: inout SplitMix64) -> SerfSettings {
        var settings = random.pick([SerfSettings.lan, .lan, .wan, .local])
        let probe = random.pick([
            Duration.milliseconds(100), .milliseconds(500), .seconds(1), .seconds(1), .seconds(5),
        ])
        settings.swim.probeInterval = probe
        settings.swim.probeTimeout = probe / random.pick([2, 2, 3, 5])
        settings.swim.streamTimeout = probe * random.pick([1, 2, 10])
        settings.swim.indirectChecks = random.pick([0, 1, 3, 3])
        settings.swim.retransmitMult = random.pick([1, 2, 4, 4, 4, 6])
        settings.swim.suspicionMult = random.pick([2, 3, 4, 4, 6])
        settings.swim.suspicionMaxTimeoutMult = random.pick([1, 2, 6, 6])
        settings.swim.pushPullInterval = probe * random.pick([3, 10, 30])
        settings.swim.gossipNodes = random.pick([1, 2, 3, 3, 4])
        settings.swim.gossipInterval = probe / random.pick([2, 5, 5, 10])
        settings.swim.gossipToTheDead = probe * random.pick([5, 15, 30])
        settings.swim.awarenessMax = random.pick([1, 2, 8, 8])
        settings.swim.compress = random.happens(percent: 50)
        settings.swim.packetBytesMax = random.pick([700, 1400, 1400, 8192])
        settings.swim.packetOverhead = random.pick([0, 29])
        settings.swim.sendsCrc = random.happens(percent: 70)
        settings.swim.queueMax = random.pick([32, 1024, 4096])
        settings.reconnectInterval = probe * random.pick([2, 5, 10])
        settings.reconnectTimeout = random.pick([.seconds(24 * 3600), probe * 60])
        settings.tombstoneTimeout = random.pick([.seconds(24 * 3600), probe * 60])
        settings.reapInterval = probe * random.pick([1, 5, 15])
        settings.intentTimeout = random.pick([.seconds(300), probe * 20])
        settings.broadcastTimeout = probe * random.pick([1, 5])
        settings.leaveDelay = probe * random.pick([0, 1, 3])
        settings.eventBuffer = random.pick([16, 512, 512])
        settings.queryBuffer = random.pick([16, 512, 512])
        settings.queueDepthMax = random.pick([64, 4096])
        settings.keepsCoordinates = random.happens(percent: 70)
        return settings
    }

    private static func weather(
        _ random: inout SplitMix64, _ settings: SerfSettings
    ) -> GossipNetwork.Weather {
        let timeout = settings.swim.probeTimeout.nanoseconds
        let mean = timeout / Int64(random.pick([4, 10, 50, 200]))
        return GossipNetwork.Weather(
            latencyMin: mean / Int64(random.pick([1, 10])), latencyMean: mean,
            latencyMax: timeout * Int64(random.pick([1, 4])),
            lossPermille: random.pick([0, 0, 10, 50, 150, 300]),
            duplicatePermille: random.pick([0, 0, 10, 100]),
            truncatePermille: random.pick([0, 0, 0, 20]),
            breakPermille: random.pick([0, 0, 20, 200]))
    }

    /// Nothing is lost, and a round trip by way of another takes less than the probe timeout.
    static func calmWeather(_ settings: SerfSettings) -> GossipNetwork.Weather {
        let timeout = settings.swim.probeTimeout.nanoseconds
        return GossipNetwork.Weather(
            latencyMin: timeout / 500, latencyMean: timeout / 100, latencyMax: timeout / 12,
            lossPermille: 0, duplicatePermille: 0, truncatePermille: 0, breakPermille: 0)
    }

    /// The plan in words.
    var lines: [String] {
        let swim = settings.swim
        return [
            "\(nodeCount) nodes, \(seedCount) seeds each, faults for \(duration / 1_000_000) ms, "
                + "\(acts.count) acts",
            "swim: probe \(swim.probeInterval) in \(swim.probeTimeout), indirect "
                + "\(swim.indirectChecks), suspicion \(swim.suspicionMult) up to "
                + "\(swim.suspicionMaxTimeoutMult), retransmit \(swim.retransmitMult), gossip to "
                + "\(swim.gossipNodes) each \(swim.gossipInterval), to the dead "
                + "\(swim.gossipToTheDead), push/pull \(swim.pushPullInterval), health below "
                + "\(swim.awarenessMax), packets \(swim.packetBytesMax), queue \(swim.queueMax)"
                + (swim.compress ? ", compressed" : "") + (swim.sendsCrc ? ", with checksums" : ""),
            "serf: reconnect \(settings.reconnectInterval) for \(settings.reconnectTimeout), "
                + "tombstones \(settings.tombstoneTimeout), reap \(settings.reapInterval), intents "
                + "\(settings.intentTimeout), broadcasts \(settings.broadcastTimeout), buffers "
                + "\(settings.eventBuffer) \(settings.queryBuffer), queues "
                + "\(settings.queueDepthMax)"
                + (replaysEvents ? ", old events replayed" : "") + (hasKeys ? ", keys" : ""),
            "network: latency \(weather.latencyMin / 1000) + \(weather.latencyMean / 1000) µs up to "
                + "\(weather.latencyMax / 1000) µs, loss \(weather.lossPermille) ‰, twice "
                + "\(weather.duplicatePermille) ‰, cut \(weather.truncatePermille) ‰, streams "
                + "break \(weather.breakPermille) ‰",
        ]
    }
}
