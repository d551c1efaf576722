// SPDX-License-Identifier: Apache-2.0

/// A structure inside of messages.
public protocol KafkaStructure: Sendable, Equatable {
    /// One in which all fields have their defaults.
    init()

    /// Reads what a version has; other fields keep their defaults.
    init(from reader: inout KafkaReader, version: Int16) throws(KafkaDecodingError)

    /// Writes what a version has; other fields are left out.
    func encode(into writer: inout KafkaWriter, version: Int16)
}

/// A request or an answer, without its header.
public protocol KafkaMessage: KafkaStructure {}

/// 128 bits that name a topic.
public struct KafkaUUID: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64

    /// The id of these bits.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// What stands for no topic.
    public static let zero = KafkaUUID(high: 0, low: 0)
}

/// Batches of records in a message: never taken apart here.
public enum KafkaRecords: Sendable, Equatable {
    /// Nothing, not even an empty field.
    case null
    /// Where they lie in the bytes that were read.
    case slice(Range<Int>)
    /// These bytes.
    case bytes([UInt8])
    /// So many bytes that the sender puts in: only their length is written, and a gap noted.
    case external(count: Int)
}
