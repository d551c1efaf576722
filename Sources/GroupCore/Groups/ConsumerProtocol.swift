// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// What a consumer says when it joins: the topics it wants.
///
/// The bytes are the clients' affair; this reads the part that all their versions share. All numbers
/// are big endian:
///
/// ```
/// i16 version, i32 count, count × (i16 length, topic), what else the version has
/// ```
public struct ConsumerSubscription: Sendable, Equatable {
    /// In the order of the bytes.
    public var topics: [String]

    /// The subscription of some bytes, or `nil` if they are none.
    ///
    /// Allocates no more than a constant times the bytes' size.
    public init?(_ bytes: [UInt8]) {
        var reader = ConsumerBytes(bytes)
        guard let version = reader.integer(Int16.self), version >= 0,
            let count = reader.integer(Int32.self), count >= 0
        else { return nil }
        topics = []
        for _ in 0..<count {
            guard let topic = reader.text() else { return nil }
            topics.append(topic)
        }
    }
}

/// What the leader of consumers gives to one of them.
///
/// ```
/// i16 version, i32 count, count × (i16 length, topic, i32 count, count × i32 partition), user data
/// ```
public struct ConsumerAssignment: Sendable, Equatable {
    /// In the order of the bytes.
    public var partitions: [TopicPartition]

    /// The assignment of some bytes, or `nil` if they are none.
    ///
    /// The result is bounded by the bytes: a topic's name stands only once however many partitions
    /// share it.
    public init?(_ bytes: [UInt8]) {
        var reader = ConsumerBytes(bytes)
        guard let version = reader.integer(Int16.self), version >= 0,
            let topicCount = reader.integer(Int32.self), topicCount >= 0
        else { return nil }
        partitions = []
        for _ in 0..<topicCount {
            guard let topic = reader.text(), let count = reader.integer(Int32.self), count >= 0
            else { return nil }
            for _ in 0..<count {
                guard let partition = reader.integer(Int32.self) else { return nil }
                partitions.append(TopicPartition(topic: topic, partition: partition))
            }
        }
    }
}

/// Reads forwards; whatever claims to be longer than the bytes ends it.
private struct ConsumerBytes {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type
    ) -> Value? {
        let size = MemoryLayout<Value>.size
        guard bytes.count - position >= size else { return nil }
        defer { position += size }
        return unsafe bytes.withUnsafeBytes { unsafe $0.bigEndian(at: position) }
    }

    mutating func text() -> String? {
        guard let length = integer(Int16.self), length >= 0,
            bytes.count - position >= Int(length)
        else { return nil }
        defer { position += Int(length) }
        return String(validating: bytes[position..<(position + Int(length))], as: UTF8.self)
    }
}
