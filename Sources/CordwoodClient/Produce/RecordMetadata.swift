// SPDX-License-Identifier: Apache-2.0

public import Records

/// Where a record went, once it is as durable as its topic says.
public struct RecordMetadata: Sendable, Hashable {
    /// The topic.
    public let topic: String
    /// The partition's number, from 0.
    public let partition: Int
    /// Where the record stands in the partition.
    public let offset: Offset
}
