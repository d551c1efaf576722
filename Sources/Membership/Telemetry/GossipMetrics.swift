// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import SerfCore
internal import SwimCore

/// What a node counts and measures: the names of all its metrics stand here.
///
/// Each has the label `node`, the node's own name.
///
/// Owner: the node's event loop.
final class GossipMetrics {
    /// Members in view, this one included; label `status`: alive, leaving, left, failed.
    static let members = "serf_members"
    /// Probes of other nodes.
    static let probes = "serf_probes_total"
    /// Probes that nothing came back from, on any way.
    static let probeFailures = "serf_probe_failures_total"
    /// Probes that only a stream answered: packets are lost.
    static let probesByStream = "serf_probes_by_stream_total"
    /// Nodes that this one, or one it heard of, suspects.
    static let suspicions = "serf_suspicions_total"
    /// Claims that this node is dead or leaves, which it contradicted.
    static let refutations = "serf_refutations_total"
    /// 0 for a node that keeps up, up to 7 for one that is slow or badly connected (Lifeguard).
    static let healthScore = "serf_health_score"
    /// Bytes of packets, as on the wire; label `direction`: in, out.
    static let bytes = "serf_gossip_bytes_total"
    /// Packets; label `direction`: in, out.
    static let packets = "serf_gossip_packets_total"
    /// Messages in packets; label `direction`: in, out.
    static let messages = "serf_gossip_messages_total"
    /// What was not taken or not sent; label `reason`, see ``DropReason``.
    static let dropped = "serf_dropped_total"
    /// Messages that wait to be gossiped; label `queue`: memberlist, intents, queries, events.
    static let queueDepth = "serf_queue_depth"
    /// Messages given up because a queue was full.
    static let queueOverflows = "serf_queue_overflows_total"
    /// Streams; label `direction`: in, out.
    static let streams = "serf_streams_total"

    private let node: String
    private let factory: any MetricsFactory

    let probes: Counter
    let probeFailures: Counter
    let probesByStream: Counter
    let suspicions: Counter
    let refutations: Counter
    let queueOverflows: Counter
    let healthScore: Gauge
    private let bytesIn: Counter
    private let bytesOut: Counter
    private let packetsIn: Counter
    private let packetsOut: Counter
    private let messagesIn: Counter
    private let messagesOut: Counter
    let streamsIn: Counter
    let streamsOut: Counter
    private let members: [MemberStatus: Gauge]
    private let queues: [GossipQueueName: Gauge]
    private var dropped: [DropReason: Counter] = [:]
    private var reportedSockets = SocketCounts()
    private var reportedGossip = SwimCounters()

    init(node: String, factory: any MetricsFactory) {
        self.node = node
        self.factory = factory
        func counter(_ name: String, _ labels: (String, String)...) -> Counter {
            Counter(label: name, dimensions: [("node", node)] + labels, factory: factory)
        }
        func gauge(_ name: String, _ labels: (String, String)...) -> Gauge {
            Gauge(label: name, dimensions: [("node", node)] + labels, factory: factory)
        }
        probes = counter(Self.probes)
        probeFailures = counter(Self.probeFailures)
        probesByStream = counter(Self.probesByStream)
        suspicions = counter(Self.suspicions)
        refutations = counter(Self.refutations)
        queueOverflows = counter(Self.queueOverflows)
        healthScore = gauge(Self.healthScore)
        bytesIn = counter(Self.bytes, ("direction", "in"))
        bytesOut = counter(Self.bytes, ("direction", "out"))
        packetsIn = counter(Self.packets, ("direction", "in"))
        packetsOut = counter(Self.packets, ("direction", "out"))
        messagesIn = counter(Self.messages, ("direction", "in"))
        messagesOut = counter(Self.messages, ("direction", "out"))
        streamsIn = counter(Self.streams, ("direction", "in"))
        streamsOut = counter(Self.streams, ("direction", "out"))
        members = Dictionary(
            uniqueKeysWithValues: MemberStatus.allCases.map {
                ($0, gauge(Self.members, ("status", $0.description)))
            })
        queues = Dictionary(
            uniqueKeysWithValues: GossipQueueName.allCases.map {
                ($0, gauge(Self.queueDepth, ("queue", $0.rawValue)))
            })
    }

    func drop(_ reason: DropReason, count: Int = 1) {
        let counter =
            dropped[reason]
            ?? Counter(
                label: Self.dropped, dimensions: [("node", node), ("reason", reason.rawValue)],
                factory: factory)
        dropped[reason] = counter
        counter.increment(by: count)
    }

    /// Adds what came to the sums of packets and messages since the last call.
    func report(sockets: SocketCounts, gossip: SwimCounters) {
        bytesIn.increment(by: sockets.packetBytesReceived - reportedSockets.packetBytesReceived)
        bytesOut.increment(by: sockets.packetBytesSent - reportedSockets.packetBytesSent)
        packetsIn.increment(by: sockets.packetsReceived - reportedSockets.packetsReceived)
        packetsOut.increment(by: sockets.packetsSent - reportedSockets.packetsSent)
        messagesIn.increment(by: gossip.messagesReceived - reportedGossip.messagesReceived)
        messagesOut.increment(by: gossip.messagesSent - reportedGossip.messagesSent)
        reportedSockets = sockets
        reportedGossip = gossip
    }

    func record(members counts: [MemberStatus: Int]) {
        for (status, gauge) in members { gauge.record(counts[status] ?? 0) }
    }

    func record(queues depths: [GossipQueueName: Int]) {
        for (queue, gauge) in queues { gauge.record(depths[queue] ?? 0) }
    }
}
