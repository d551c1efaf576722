// SPDX-License-Identifier: Apache-2.0

public import Records

/// A consumer group: programs that share the partitions of topics among them, and what they have
/// committed.
///
/// Members join by Kafka's protocol; this library looks after groups and does not join them.
public struct ConsumerGroup: Sendable, Hashable {
    /// The name, which members call `group.id`.
    public let name: String
    /// What the group is doing.
    public let state: State
    /// What kind of members it has: `consumer`, another word that they agreed on, or empty for a
    /// group that only committed offsets.
    public let protocolType: String
    /// The number of members.
    public let memberCount: Int
    /// The node that coordinates the group.
    public let coordinator: Coordinator

    /// What a group is doing; in Kafka's words, and a newer server may know more of them.
    public struct State: RawRepresentable, Sendable, Hashable {
        /// The word, such as `Stable`.
        public let rawValue: String

        /// The state of a word, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// No members; offsets may be committed.
        public static let empty = Self(rawValue: "Empty")
        /// Members join, and those that are there join anew.
        public static let preparingRebalance = Self(rawValue: "PreparingRebalance")
        /// All have joined; their leader assigns the partitions.
        public static let completingRebalance = Self(rawValue: "CompletingRebalance")
        /// Members consume.
        public static let stable = Self(rawValue: "Stable")
        /// The group is being deleted.
        public static let dead = Self(rawValue: "Dead")
    }

    /// A node that coordinates groups.
    public struct Coordinator: Sendable, Hashable {
        /// The node's name.
        public let nodeID: String
        /// Where this library's clients reach it, as `host:port`.
        public let address: String
    }
}

/// A group, its members and how far it has come, at one moment.
public struct GroupDescription: Sendable, Hashable {
    /// The group.
    public let group: ConsumerGroup
    /// How the members share partitions, such as `range`; empty where there are no members.
    public let assignor: String
    /// How often the work was shared out anew.
    public let generation: Int
    /// The members, by id.
    public let members: [GroupMember]
    /// The partitions that were committed or assigned, by topic and number.
    public let offsets: [GroupOffset]
}

/// A member of a group.
public struct GroupMember: Sendable, Hashable {
    /// The id that the coordinator gave.
    public let id: String
    /// The id of a static member, which it keeps over restarts; `nil` for others.
    public let instanceID: String?
    /// What the member's program calls itself.
    public let clientID: String
    /// The address that the member connected from.
    public let clientHost: String
    /// The partitions that it was assigned, by topic and number.
    public let assignment: [GroupPartition]
}

/// A partition, by its topic's name.
public struct GroupPartition: Sendable, Hashable {
    /// The topic's name.
    public let topic: String
    /// The partition's number.
    public let partition: Int
}

/// How far a group has come in a partition.
public struct GroupOffset: Sendable, Hashable {
    /// The topic's name.
    public let topic: String
    /// The partition's number.
    public let partition: Int
    /// The offset of the next record to consume; `nil` where none was committed.
    public let committedOffset: Offset?
    /// What the member noted with the commit.
    public let metadata: String
    /// When it was committed.
    public let commitTime: Timestamp?
    /// The first offset that is still there; `nil` when the partition is gone.
    public let logStartOffset: Offset?
    /// The offset behind the last record that readers may see; `nil` when the partition is gone.
    public let highWatermark: Offset?
    /// Records that are there to be consumed; `nil` where nothing was committed or the partition is
    /// gone.
    public let lag: Int?
    /// How old the first of them is; nothing when there is none, and `nil` where it cannot be told.
    public let lagTime: Duration?
    /// The member that was assigned the partition.
    public let memberID: String?
}

/// Partitions of a topic that a call is about.
public struct TopicPartitions: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The topic's name.
    public var topic: String
    /// The partitions' numbers; all when `nil`.
    public var partitions: [Int]?

    /// These partitions of a topic.
    public init(_ topic: String, partitions: [Int]? = nil) {
        self.topic = topic
        self.partitions = partitions
    }

    /// All partitions of a topic.
    public init(stringLiteral topic: String) { self.init(topic) }
}

/// Where a group is to go on.
public enum OffsetTarget: Sendable, Hashable {
    /// At a place in each partition, or at its nearer bound.
    case position(StartPosition)
    /// At the first record of the time before now, by the server's clock.
    case ago(Duration)
    /// So many records further on than now, or back when negative, within each partition's bounds.
    case shift(Int)
}

/// An offset that was committed for a group in place of its own.
public struct OffsetReset: Sendable, Hashable {
    /// The topic's name.
    public let topic: String
    /// The partition's number.
    public let partition: Int
    /// What was committed before; `nil` where nothing was.
    public let before: Offset?
    /// What is committed now.
    public let after: Offset
}
