// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// What a ``Memberlist`` is set to.
///
/// All nodes of a cluster should have the same intervals and multipliers: suspicion timers of one are
/// reckoned by what the others do. Three sets come with it, as Serf 0.9 and 0.10 have them.
public struct SwimSettings: Sendable, Equatable {
    /// Time between probes; more than zero.
    ///
    /// Also the time that a probe may take, when we are healthy.
    public var probeInterval: Duration
    /// How long to wait for a node itself before others are asked to try; less than
    /// ``probeInterval``.
    ///
    /// Some 99th percentile of a round trip.
    public var probeTimeout: Duration
    /// How long a dialled stream may take, from the dialling to the answer.
    public var streamTimeout: Duration
    /// How many others are asked to probe for us; 0 for none.
    ///
    /// Each takes part of the risk that only our own path is bad.
    public var indirectChecks: Int
    /// A message is sent this times ceil(log10(n + 1)) times, in a cluster of n.
    public var retransmitMult: Int
    /// The shortest suspicion lasts this times max(1, log10 n) times ``probeInterval``; at least 2.
    public var suspicionMult: Int
    /// The longest suspicion is this times the shortest one; at least 1.
    public var suspicionMaxTimeoutMult: Int
    /// Time between push/pulls with a random node in a cluster of up to 32; zero for none.
    public var pushPullInterval: Duration
    /// To how many nodes we gossip at a time.
    public var gossipNodes: Int
    /// Time between gossiping; more than zero.
    public var gossipInterval: Duration
    /// How long the dead are still gossiped to, so that they can refute, and then forgotten.
    ///
    /// Those that left are forgotten after as long (as Serf 0.10 does; 0.9 keeps them).
    public var gossipToTheDead: Duration
    /// The health score stays below this; at least 1.
    ///
    /// With 1, Lifeguard's scaling is off.
    public var awarenessMax: Int
    /// Whether packets are compressed that become shorter so, and bodies of streams always.
    public var compress: Bool
    /// How large a packet may be, in bytes, at most 65,507.
    ///
    /// 1,400 fits in an Ethernet frame with room for tunnels.
    public var packetBytesMax: Int
    /// Bytes that label and encryption add to each packet.
    public var packetOverhead: Int
    /// How many messages wait to be gossiped at most.
    ///
    /// Beyond that, those are dropped that were sent most often; push/pull brings what is lost so.
    public var queueMax: Int
    /// How many nodes are held at most, ourselves and the dead included.
    ///
    /// More are not let in.
    public var nodesMax: Int
    /// How many pings for others are on their way at most.
    public var relaysMax: Int
    /// How many push/pulls that we began are on their way at most.
    public var exchangesMax: Int
    /// The port that a message means which says 0.
    public var defaultPort: UInt16
    /// After this time another address may take the name of a dead node; zero for never, which is
    /// until the dead node is forgotten.
    public var deadNodeReclaim: Duration
    /// Whether gossip to nodes that can check it has a checksum.
    public var sendsCrc: Bool

    /// For nodes in one data centre: the agent's default.
    public static let lan = SwimSettings()

    /// For nodes in several data centres: longer round trips, more loss.
    public static let wan: SwimSettings = {
        var settings = SwimSettings.lan
        settings.streamTimeout = .seconds(30)
        settings.suspicionMult = 6
        settings.pushPullInterval = .seconds(60)
        settings.probeTimeout = .seconds(3)
        settings.probeInterval = .seconds(5)
        settings.gossipNodes = 4
        settings.gossipInterval = .milliseconds(500)
        settings.gossipToTheDead = .seconds(60)
        return settings
    }()

    /// For nodes on one machine: tests and trials.
    public static let local: SwimSettings = {
        var settings = SwimSettings.lan
        settings.streamTimeout = .seconds(1)
        settings.indirectChecks = 1
        settings.retransmitMult = 2
        settings.suspicionMult = 3
        settings.pushPullInterval = .seconds(15)
        settings.probeTimeout = .milliseconds(200)
        settings.gossipInterval = .milliseconds(100)
        settings.gossipToTheDead = .seconds(15)
        return settings
    }()

    private init() {
        probeInterval = .seconds(1)
        probeTimeout = .milliseconds(500)
        streamTimeout = .seconds(10)
        indirectChecks = 3
        retransmitMult = 4
        suspicionMult = 4
        suspicionMaxTimeoutMult = 6
        pushPullInterval = .seconds(30)
        gossipNodes = 3
        gossipInterval = .milliseconds(200)
        gossipToTheDead = .seconds(30)
        awarenessMax = 8
        compress = true
        packetBytesMax = 1400
        packetOverhead = 0
        queueMax = 4096
        nodesMax = 65_536
        relaysMax = 1024
        exchangesMax = 128
        defaultPort = 7946
        deadNodeReclaim = .zero
        sendsCrc = true
    }

    /// The packet that carries one user message and nothing else, for a node's own address.
    ///
    /// It has no checksum, as only gossip has one.
    public func packet(userMessage: [UInt8]) -> [UInt8] {
        Packet.encode(
            parts: [SwimMessage.user(userMessage).encoded()], compress: compress, crc: false)
    }

    /// Bytes of a packet that messages and their lengths may fill.
    var partsBudget: Int { packetBytesMax - Packet.compoundOverhead - packetOverhead }

    /// Traps on settings that no cluster can work with.
    func check() {
        precondition(probeInterval > .zero, "probes need an interval: \(probeInterval)")
        precondition(gossipInterval > .zero, "gossip needs an interval: \(gossipInterval)")
        precondition(
            probeTimeout > .zero && probeTimeout < probeInterval,
            "a probe timeout of \(probeTimeout) in an interval of \(probeInterval)")
        precondition(suspicionMult >= 2, "a suspicion multiplier of \(suspicionMult)")
        precondition(
            suspicionMaxTimeoutMult >= 1, "a longest suspicion of \(suspicionMaxTimeoutMult)")
        precondition(awarenessMax >= 1, "a health score below \(awarenessMax)")
        precondition(indirectChecks >= 0 && gossipNodes >= 0, "a negative number of nodes")
        precondition(retransmitMult >= 1, "messages are sent \(retransmitMult) times")
        precondition(queueMax >= 1 && nodesMax >= 2, "no room for messages or nodes")
        precondition(relaysMax >= 0 && exchangesMax >= 1, "no room for exchanges")
        precondition(packetBytesMax <= 65_507, "no packet has \(packetBytesMax) bytes")
        precondition(partsBudget >= 128, "packets of \(packetBytesMax) bytes hold no message")
    }
}
