// SPDX-License-Identifier: Apache-2.0

public import Records

/// A record that was read, and where it stands.
public struct ConsumedRecord: Sendable, Hashable {
    /// The topic.
    public let topic: String
    /// The partition's number, from 0.
    public let partition: Int
    /// The record itself.
    public let record: Record

    /// Where the record stands in its partition.
    public var offset: Offset { record.offset }
    /// When the record was made, or appended, as its topic says.
    public var timestamp: Timestamp { record.timestamp }
    /// What groups records; `nil` and empty differ.
    public var key: [UInt8]? { record.key }
    /// The content; `nil` marks a deletion in a compacted topic.
    public var value: [UInt8]? { record.value }
    /// Names and values beside the content, in order.
    public var headers: [Record.Header] { record.headers }
    /// The content as text, with what is not UTF-8 repaired; empty for `nil`.
    public var text: String { String(decoding: value ?? [], as: UTF8.self) }
}

/// A batch that was read: records of one partition that stand together.
public struct ConsumedBatch: Sendable, Hashable {
    /// The topic.
    public let topic: String
    /// The partition's number, from 0.
    public let partition: Int
    /// The records, in order; at least one.
    public let records: [Record]
    /// The offset behind the last record: where to go on later.
    public let nextOffset: Offset
    /// The offset behind the last record that readers could see when this batch was read.
    public let highWatermark: Offset
    /// The bytes that the batch took on the wire.
    public let sizeBytes: Int
}
