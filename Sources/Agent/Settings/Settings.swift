// SPDX-License-Identifier: Apache-2.0

public import BrokerRuntime
public import ClusterCore
internal import GroupCore
public import Logging
public import Telemetry

/// Everything that a node can be set to; the defaults are the values here.
///
/// ``SettingsTable`` gives each of them its key, unit, range and reason, and is where the
/// command line, the environment, the file, the example and the reference page come from.
public struct Settings: Sendable, Equatable {
    /// The node's name in logs and answers.
    public var nodeID = "cordwood-1"
    /// Where the node keeps everything.
    public var dataDirectory = "/var/lib/cordwood"
    /// The cluster that the node belongs to; members of another are refused.
    public var clusterName = "cordwood"
    /// Where the node listens.
    public var listen = ListenSettings()
    /// How the node finds the others.
    public var gossip = GossipSettings()
    /// The topic that `log.v1.Log` serves.
    public var bookTopic = "default"
    /// Partitions of a topic that does not say how many.
    public var partitionCountDefault = 1
    /// Settings of topics that do not say otherwise.
    public var topicDefaults = TopicSettings()
    /// What Kafka clients get.
    public var kafka = KafkaServiceSettings()
    /// How full the disk may become.
    public var disk = DiskSettings()
    /// What clients may ask of the node.
    public var limits = LimitSettings()
    /// What is logged, and how.
    public var log = LogOutputSettings()
    /// How long a stop may take.
    public var shutdownGrace = Duration.seconds(10)

    /// The defaults of `cordwood serve`.
    public init() {}

    /// The defaults of `cordwood dev`: all in the current directory.
    public static var development: Settings {
        var settings = Settings()
        settings.nodeID = "dev"
        settings.dataDirectory = "./.cordwood-dev"
        return settings
    }
}

/// Where a node listens.
public struct ListenSettings: Sendable, Equatable {
    /// Address and port of gRPC; port 0 for one that is free.
    public var grpcAddress = ListenAddress(host: "127.0.0.1", port: 8400)
    /// What clients are told to connect to; empty for the address that is listened on.
    public var grpcAdvertise = ""
    /// Address and port of the Kafka protocol; port 0 for one that is free, `nil` for none.
    public var kafkaAddress: ListenAddress? = ListenAddress(host: "127.0.0.1", port: 9092)
    /// What Kafka clients are told to connect to; empty for the address that each has reached.
    public var kafkaAdvertise = ""
    /// Whether addresses that other machines can reach are served without TLS.
    public var insecureAllowPlaintext = false
    /// Threads that own connections.
    public var threads = 2

    /// The defaults.
    public init() {}
}

/// How a node finds and watches the other servers of its cluster.
public struct GossipSettings: Sendable, Equatable {
    /// How far apart the servers are.
    public enum Profile: String, Sendable, Equatable, CaseIterable {
        case lan
        case wan
        case local
    }

    /// Address and port of gossip, UDP and TCP; port 0 for one that is free, `nil` for no gossip.
    public var bind: ListenAddress? = ListenAddress(host: "127.0.0.1", port: 8401)
    /// What the other servers are told; empty for the address that is listened on.
    public var advertise = ""
    /// Servers to ask for the others.
    public var seeds: [ListenAddress] = []
    /// Which intervals and timeouts fit.
    public var profile = Profile.lan
    /// The path of a file with keys; empty for none.
    public var keysFile = ""
    /// The path of the file that keeps the keys across restarts; empty for none.
    public var keyring = ""

    /// The port of a server that does not say otherwise.
    public static let defaultPort = 8401

    /// The defaults.
    public init() {}

    /// Whether what is sent is encrypted.
    public var hasKeys: Bool { !keysFile.isEmpty || !keyring.isEmpty }

    /// What the others are told, as far as it is known before the sockets are open.
    var advertised: ListenAddress? { ListenAddress(advertise) ?? bind }
}

/// What Kafka clients get.
public struct KafkaServiceSettings: Sendable, Equatable {
    /// Whether a topic that a client asks for by name is created if it is missing.
    public var autoCreateTopics = true
    /// The largest request, in bytes.
    public var requestBytes = 100 << 20
    /// The largest answer to a fetch, in bytes, but for a batch that is larger alone.
    public var fetchBytes = 16 << 20
    /// Bytes of requests under way on one connection before it is read no further.
    public var connectionBytes = 16 << 20
    /// Bytes of requests under way on all connections.
    public var totalBytes = 512 << 20
    /// The least session timeout of a group's member, in milliseconds.
    public var groupSessionMin: Int64 = 6000
    /// The greatest session timeout of a group's member, in milliseconds.
    public var groupSessionMax: Int64 = 1_800_000
    /// How long an empty group waits for further members, in milliseconds.
    public var groupJoinDelay: Int64 = 500
    /// Members of a group.
    public var groupMembers = 1000
    /// How long the offsets of a group without members are kept, in milliseconds; -1 for as long as
    /// their topic.
    public var offsetRetention: Int64 = -1

    /// The defaults.
    public init() {}
}

/// How full the disk may become, in bytes.
public struct DiskSettings: Sendable, Equatable {
    /// Free bytes under which a warning is logged.
    public var lowBytes = 1 << 30
    /// Free bytes under which appends are refused.
    public var criticalBytes = 256 << 20
    /// Bytes of a file that is given up when the disk is full.
    public var reserveBytes = 16 << 20
    /// Bytes of closed segments that are read each second in search of damage; 0 for none.
    public var scrubBytes = 4 << 20
    /// Whether each batch that is read is checked.
    public var verifiesReads = true

    /// The defaults.
    public init() {}
}

/// What clients may ask of a node.
public struct LimitSettings: Sendable, Equatable {
    /// The largest record or batch that a request may carry, in bytes.
    public var recordBytes = 4 << 20
    /// Bytes that may wait to be written in one partition.
    public var queueBytes = 32 << 20
    /// Calls at a time on one connection.
    public var streams = 256
    /// Connections at a time from one address.
    public var connectionsPerAddress = 256
    /// Connections at a time.
    public var connections = 10_000
    /// How long a connection may stay without a call.
    public var connectionIdle = Duration.seconds(600)
    /// How long a connection may exist before the client is asked to open another.
    public var connectionAge = Duration.seconds(12 * 3600)
    /// How long calls may go on once the client was asked.
    public var connectionGrace = Duration.seconds(300)
    /// How long a new connection may take until it speaks HTTP/2.
    public var handshake = Duration.seconds(10)
    /// Silence after which the node asks whether the client is there.
    public var keepaliveTime = Duration.seconds(30)
    /// How long the client may take to answer that.
    public var keepaliveTimeout = Duration.seconds(10)
    /// The shortest time between two such questions of a client.
    public var clientPingInterval = Duration.seconds(10)

    /// The defaults.
    public init() {}

    /// The largest gRPC message: a record and what goes around it.
    public var messageBytes: Int { recordBytes + (64 << 10) }
}

/// What is logged, and how.
public struct LogOutputSettings: Sendable, Equatable {
    /// The least level that is logged.
    public var level = Logger.Level.info
    /// The form of a line.
    public var format = LogFormat.auto

    /// The defaults.
    public init() {}
}

extension Settings {
    /// What the broker is set to.
    public var broker: BrokerSettings {
        var broker = BrokerSettings()
        broker.nodeID = nodeID
        broker.topicDefaults = topicDefaults
        broker.partitionCountDefault = partitionCountDefault
        broker.diskLowBytes = UInt64(disk.lowBytes)
        broker.diskCriticalBytes = UInt64(disk.criticalBytes)
        broker.diskReserveBytes = UInt64(disk.reserveBytes)
        broker.messageBytesLimit = limits.recordBytes
        broker.queueBytesMax = limits.queueBytes
        broker.scrubBytesPerSecond = UInt64(disk.scrubBytes)
        broker.groups.sessionTimeoutMin = kafka.groupSessionMin
        broker.groups.sessionTimeoutMax = kafka.groupSessionMax
        broker.groups.initialRebalanceDelay = kafka.groupJoinDelay
        broker.groups.membersMax = kafka.groupMembers
        broker.groups.offsetRetention = kafka.offsetRetention < 0 ? nil : kafka.offsetRetention
        broker.verifyReads = disk.verifiesReads
        return broker
    }
}
