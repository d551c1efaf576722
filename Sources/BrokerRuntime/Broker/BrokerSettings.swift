// SPDX-License-Identifier: Apache-2.0

public import ClusterCore
public import GroupCore

/// A topic's settings, with Kafka's names where Kafka has them.
public typealias TopicSettings = ClusterCore.TopicSettings

/// What a broker is set to.
public struct BrokerSettings: Sendable, Equatable {
    /// The node's name.
    public var nodeID: String = "cordwood-1"
    /// Settings of topics that do not say otherwise.
    public var topicDefaults: TopicSettings = .init()
    /// Partitions of a topic that does not say how many: 1 to 1024.
    public var partitionCountDefault: Int = 1
    /// The most that a topic's `max.message.bytes` may be set to: 1 KiB to 64 MiB.
    public var messageBytesLimit: Int = 64 << 20
    /// Free bytes under which a warning is logged.
    public var diskLowBytes: UInt64 = 1 << 30
    /// Free bytes under which appends are refused.
    public var diskCriticalBytes: UInt64 = 256 << 20
    /// Bytes of a file that is kept to be given up when the disk is full.
    public var diskReserveBytes: UInt64 = 16 << 20
    /// Bytes that may wait in one partition's queue.
    public var queueBytesMax: Int = 32 << 20
    /// Whether a read checks each batch against its checksum.
    public var verifyReads: Bool = true
    /// Bytes a second that the scrubber reads of closed segments; 0 turns it off.
    public var scrubBytesPerSecond: UInt64 = 4 << 20
    /// Milliseconds between looks at what retention and age ask for.
    public var housekeepingMilliseconds: Int64 = 5000
    /// What the coordinator of consumer groups is set to.
    public var groups: GroupSettings = .init()
    /// Bytes that the log of groups may grow by before their state is written anew.
    public var groupSnapshotBytes: Int = 4 << 20

    /// The default settings.
    public init() {}
}
