// SPDX-License-Identifier: Apache-2.0

public import Records

/// A group in a list.
public struct GroupListing: Sendable, Equatable {
    public var id: String
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`, as Kafka says.
    public var state: String
    /// What kind of work is shared: `consumer` for consumers, empty for a group that only has
    /// offsets.
    public var protocolType: String
    public var memberCount: Int
}

/// A group as users see it.
public struct GroupDescription: Sendable, Equatable {
    public var id: String
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`, as Kafka says.
    public var state: String
    /// What kind of work is shared: `consumer` for consumers.
    public var protocolType: String
    /// How the members share the work: the name of the assignor that they agreed on, or empty.
    public var protocolName: String
    /// Counts the rebalances.
    public var generation: Int32
    /// By member id.
    public var members: [GroupMemberDescription]
    /// What was committed, by topic and partition, and how far behind it is.
    public var offsets: [GroupOffsetDescription]
}

/// A member of a group as users see it.
public struct GroupMemberDescription: Sendable, Equatable {
    public var id: String
    /// The name that a static member keeps over restarts.
    public var instanceID: String?
    public var clientID: String
    /// The address that the member connected from.
    public var clientHost: String
    /// The partitions that the member owns, by topic and number.
    ///
    /// Empty if the group's protocol type is not `consumer`.
    public var partitions: [OwnedPartition]
}

/// A partition that a member owns.
public struct OwnedPartition: Sendable, Hashable, Comparable {
    public var topic: String
    public var partition: Int

    /// The partition of these names.
    public init(topic: String, partition: Int) {
        self.topic = topic
        self.partition = partition
    }

    public static func < (left: OwnedPartition, right: OwnedPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

/// How far a group has come in a partition.
public struct GroupOffsetDescription: Sendable, Equatable {
    public var topic: String
    public var partition: Int
    /// The offset of the next record that the group is to be given.
    public var committedOffset: Offset
    /// What the consumer wrote beside it.
    public var metadata: String
    /// When it was committed.
    public var commitTime: Timestamp
    /// The bounds of the partition; `nil` if it cannot be asked.
    public var logStartOffset: Offset?
    public var highWatermark: Offset?
    /// Records that can still be read and that the group was not given; `nil` if the partition
    /// cannot be asked.
    public var lag: Int64?
    /// Milliseconds since the first of them was made; 0 if there is none, `nil` if that record
    /// cannot be read or has no time.
    public var lagMilliseconds: Int64?
    /// The member that owns the partition now.
    public var memberID: String?
}

/// An offset that was put elsewhere.
public struct OffsetReset: Sendable, Equatable {
    public var topic: String
    public var partition: Int
    /// What was committed before, if anything.
    public var before: Offset?
    /// What is committed now.
    public var after: Offset
}
