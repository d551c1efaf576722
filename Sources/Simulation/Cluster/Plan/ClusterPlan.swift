// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import RaftCore

/// Everything that a seed decides beforehand: sizes, times, settings, and which faults there are.
///
/// Times are in microseconds. Every knob is drawn: a bug that needs an unusual one is found no other
/// way.
struct ClusterPlan {
    var nodeCount: Int
    /// Nodes that may join later.
    var spareCount: Int
    /// How long there are faults.
    var duration: Int64
    var tick: Int64
    var raft: RaftSettings
    var reluctances: [Int]
    var segmentSizeMax: Int
    /// Nodes that come up late, and when.
    var lateStarts: [Int64]

    var network: NetworkPlan
    var disk: DiskPlan
    var clients: ClientPlan
    /// Ticks last longer or shorter by so many per mille.
    var driftMax: Int
    var faults: [PlannedFault]

    struct NetworkPlan {
        var latencyMin: Int64
        var latencyMean: Int64
        var lossPercent: Int
        var repeatPercent: Int
        var keepsOrder: Bool
        /// Messages on their way on one link, at most.
        var queueMax: Int
    }

    struct DiskPlan {
        var syncMin: Int64
        var syncMean: Int64
        var readMean: Int64
        /// One sync in so many is slow by ten times.
        var slowOneIn: Int
    }

    struct ClientPlan {
        var count: Int
        var inFlightMax: Int
        var thinkMean: Int64
        var timeout: Int64
        var recordsMax: Int
        var recordBytesMax: Int
        /// Proposals that a node hands on together, and how long it waits for them.
        var batchMax: Int
        var linger: Int64
        var pollPercent: Int
        var readPercent: Int
        /// Clients stop and go, so that a group has time to fall quiet.
        var hasPauses: Bool
    }

    init(seed: UInt64, duration: Int64) {
        var random = SplitMix64(seed: seed)
        self.duration = duration
        nodeCount = random.pick([1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7])
        spareCount = random.pick([0, 0, 1, 2])
        tick = random.pick([10_000, 20_000, 20_000, 50_000, 100_000])
        raft = Self.raft(&random)
        reluctances = []
        let isPreferring = random.happens(percent: 30)
        for _ in 0..<(nodeCount + spareCount) {
            reluctances.append(isPreferring ? random.pick(0...3) : 0)
        }
        segmentSizeMax = random.pick([4096, 8192, 1 << 16])
        let timeout = tick * Int64(raft.electionTicks)
        network = Self.network(&random, timeout: timeout)
        disk = Self.disk(&random, timeout: timeout)
        clients = Self.clients(&random)
        driftMax = random.pick([0, 0, 20, 100])
        lateStarts = []
        let isLate = random.happens(percent: 20)
        for number in 0..<nodeCount {
            let late = isLate && number > 0 && random.happens(percent: 40)
            lateStarts.append(late ? random.time(0...5_000_000) : 0)
        }
        faults = []
        faults = PlannedFault.draw(&random, duration: duration, timeout: timeout)
    }

    private static func raft(_ random: inout SplitMix64) -> RaftSettings {
        var raft = RaftSettings()
        raft.heartbeatTicks = random.pick(1...4)
        raft.electionTicks = raft.heartbeatTicks * random.pick(2...5) + random.pick(1...6)
        raft.messageBytesMax = random.pick([1, 300, 4096, 1 << 20])
        raft.messageEntriesMax = random.pick([1, 1, 2, 16, 1024])
        raft.inflightMessagesMax = random.pick([1, 2, 8, 64])
        raft.inflightBytesMax = random.pick([1, 2000, 1 << 16, 1 << 20, 16 << 20])
        raft.uncommittedBytesMax = random.pick([2000, 1 << 16, 64 << 20])
        raft.tailEntriesMax = random.pick([0, 1, 8, 64, 4096])
        raft.readsMax = random.pick([1, 10, 10_000])
        raft.quietTicks = random.pick([nil, nil, 1, 5, 20, 60])
        return raft
    }

    private static func network(_ random: inout SplitMix64, timeout: Int64) -> NetworkPlan {
        let slowest = max(200, timeout / random.pick([8, 16, 16, 64]))
        let mean = random.time(50...slowest)
        return NetworkPlan(
            latencyMin: random.time(10...max(11, mean / 4)), latencyMean: mean,
            lossPercent: random.pick([0, 0, 0, 1, 5, 15, 30]),
            repeatPercent: random.pick([0, 0, 1, 10]),
            keepsOrder: random.happens(percent: 50),
            queueMax: random.pick([16, 256, 256, 4096]))
    }

    private static func disk(_ random: inout SplitMix64, timeout: Int64) -> DiskPlan {
        let mean = random.time(50...max(200, timeout / random.pick([8, 16, 64])))
        return DiskPlan(
            syncMin: random.time(10...100), syncMean: mean, readMean: mean / 2 + 20,
            slowOneIn: random.pick([0, 0, 50, 500]))
    }

    private static func clients(_ random: inout SplitMix64) -> ClientPlan {
        ClientPlan(
            count: random.pick(1...5), inFlightMax: random.pick([1, 4, 16, 32]),
            thinkMean: random.pick([1_000, 5_000, 20_000, 100_000]),
            timeout: random.pick([200_000, 500_000, 2_000_000]),
            recordsMax: random.pick([1, 3, 20]), recordBytesMax: random.pick([10, 100, 1000]),
            batchMax: random.pick([1, 2, 16, 1000]), linger: random.pick([0, 500, 5_000, 30_000]),
            pollPercent: random.pick([5, 20]), readPercent: random.pick([5, 20]),
            hasPauses: random.happens(percent: 40))
    }

    /// The plan in words.
    var lines: [String] {
        [
            "\(nodeCount) nodes and \(spareCount) to come, tick \(tick) µs, drift \(driftMax) ‰",
            "core: heartbeat \(raft.heartbeatTicks) election \(raft.electionTicks) messages of "
                + "\(raft.messageEntriesMax) entries or \(raft.messageBytesMax) bytes, in flight "
                + "\(raft.inflightMessagesMax) or \(raft.inflightBytesMax) bytes, uncommitted "
                + "\(raft.uncommittedBytesMax), tail \(raft.tailEntriesMax), reads "
                + "\(raft.readsMax), quiet after \(raft.quietTicks.map { "\($0)" } ?? "never"), "
                + "reluctances \(reluctances)",
            "network: latency \(network.latencyMin) + \(network.latencyMean) µs, loss "
                + "\(network.lossPercent) %, repeats \(network.repeatPercent) %, "
                + (network.keepsOrder ? "in order" : "reordered")
                + ", \(network.queueMax) on their way",
            "disk: sync \(disk.syncMin) + \(disk.syncMean) µs, slow one in \(disk.slowOneIn)",
            "\(clients.count) clients, \(clients.inFlightMax) in flight, think "
                + "\(clients.thinkMean) µs, batches of \(clients.batchMax)",
            "late starts \(lateStarts.filter { $0 > 0 }), \(faults.count) faults",
        ]
    }
}
