// SPDX-License-Identifier: Apache-2.0

public import Records

/// A topic: a name for a number of partitions, and how they are kept.
public struct Topic: Sendable, Hashable {
    /// The name: 1 to 249 of `A-Z a-z 0-9 . _ -`.
    public let name: String
    /// 32 hexadecimal digits; a topic created anew under an old name has another id.
    public let id: String
    /// The number of partitions, which are numbered from 0.
    public let partitionCount: Int
    /// All settings by name, those at the server's defaults included.
    public let settings: [Setting]

    /// The value of a setting, such as `retention.ms`.
    public subscript(setting name: String) -> String? {
        settings.first { $0.name == name }?.value
    }

    /// A setting of a topic.
    public struct Setting: Sendable, Hashable {
        /// The name, such as `retention.ms`.
        public let name: String
        /// The value, as text.
        public let value: String
        /// Whether it was set for this topic, and not taken from the server's defaults.
        public let isSet: Bool
    }
}

/// A topic and the state of its partitions, at one moment.
public struct TopicDescription: Sendable, Hashable {
    /// The topic.
    public let topic: Topic
    /// Its partitions, by number.
    public let partitions: [PartitionDescription]
}

/// The state of a partition, at one moment.
public struct PartitionDescription: Sendable, Hashable {
    /// The number, from 0.
    public let number: Int
    /// The first offset that is still there.
    public let logStartOffset: Offset
    /// The offset behind the last record that readers may see.
    public let highWatermark: Offset
    /// Bytes on the server's disk.
    public let sizeBytes: Int64
    /// The number of segments that the log is kept in.
    public let segmentCount: Int
    /// `online`, `read-only` (damaged: see `cordwood debug verify`) or `failed`.
    public let state: String
    /// Ranges of offsets that are damaged and cannot be read.
    public let damaged: [Range<Offset>]

    /// The number of offsets between the first and the end.
    public var recordCount: Int { highWatermark.distance(from: logStartOffset) }
}
