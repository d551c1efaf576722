// SPDX-License-Identifier: Apache-2.0

public import ClusterCore
public import Records

/// A topic as users see it.
public struct TopicDescription: Sendable, Equatable {
    public var name: String
    public var topicID: TopicID
    public var partitionCount: Int
    /// It is the server's own: users may read it, and no more.
    public var isInternal: Bool
    /// All settings that act, by name, defaults included; and the facts that were stated for it.
    public var settings: [SettingDescription]

    /// The id as 32 hexadecimal digits.
    public var id: String { topicID.text }
}

/// A setting as users see it.
public struct SettingDescription: Sendable, Equatable {
    public var name: String
    public var value: String
    /// Whether it was set for this topic, and not taken from the defaults.
    public var isSet: Bool
}

/// A partition as users see it.
public struct PartitionDescription: Sendable, Equatable {
    public var number: Int
    public var logStartOffset: Offset
    public var highWatermark: Offset
    public var sizeBytes: UInt64
    public var segmentCount: Int
    /// `online`, `read-only` or `failed`.
    public var state: String
    /// Ranges of offsets that cannot be read.
    public var damaged: [Range<Int64>]
}

/// Where to look in a partition.
public enum OffsetQuery: Sendable, Equatable {
    case earliest
    case latest
    case offset(Offset)
    /// The first record at or after a time.
    case timestamp(Timestamp)
    /// So many records before the end.
    case last(Int64)
}

/// An offset that was found, and the bounds of its partition.
public struct FoundOffset: Sendable, Equatable {
    public var offset: Offset
    /// The record's timestamp, when it was found by time.
    public var timestamp: Timestamp?
    public var logStartOffset: Offset
    public var highWatermark: Offset
}
