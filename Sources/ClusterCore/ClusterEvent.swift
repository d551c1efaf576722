// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A fact that changed, as the metadata log records it: one event a record.
///
/// ```
///  0  1  version = 1
///  1  1  kind: 1 created, 2 configured, 3 deleted, 4 partitions added, 5 producer ids reserved
///  2 16  topic id, but for kind 5
/// 18  …  created: name, u32 partition count, settings
///        configured: settings
///        partitions added: u32 partition count, of all
///  2  8  producer ids reserved: i64, the first id that is not reserved
/// ```
///
/// A text is a u16 length and UTF-8; settings are a u16 count and as many pairs of texts: those
/// that differ from the defaults, by name.
public enum ClusterEvent: Sendable, Equatable {
    case topicCreated(id: TopicID, name: String, partitionCount: Int, settings: [TopicOverride])
    case topicConfigured(id: TopicID, settings: [TopicOverride])
    case topicDeleted(id: TopicID)
    /// A topic has so many partitions now.
    case partitionsAdded(id: TopicID, partitionCount: Int)
    /// Producers may have been given all ids below this one.
    case producerIDsReserved(upTo: Int64)

    private static let version: UInt8 = 1

    /// The event's bytes.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = [Self.version]
        switch self {
        case .topicCreated(let id, let name, let partitionCount, let settings):
            bytes.append(1)
            Self.append(id, to: &bytes)
            Self.append(name, to: &bytes)
            bytes.appendBigEndian(UInt32(partitionCount))
            Self.append(settings, to: &bytes)
        case .topicConfigured(let id, let settings):
            bytes.append(2)
            Self.append(id, to: &bytes)
            Self.append(settings, to: &bytes)
        case .topicDeleted(let id):
            bytes.append(3)
            Self.append(id, to: &bytes)
        case .partitionsAdded(let id, let partitionCount):
            bytes.append(4)
            Self.append(id, to: &bytes)
            bytes.appendBigEndian(UInt32(partitionCount))
        case .producerIDsReserved(let end):
            bytes.append(5)
            bytes.appendBigEndian(end)
        }
        return bytes
    }

    /// The event of some bytes, or `nil` if they are not one that this version knows.
    public init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard reader.integer(UInt8.self) == Self.version, let kind = reader.integer(UInt8.self)
        else { return nil }
        if kind == 5 {
            guard let end = reader.integer(Int64.self), end >= 0, reader.isAtEnd else { return nil }
            self = .producerIDsReserved(upTo: end)
            return
        }
        guard let high = reader.integer(UInt64.self), let low = reader.integer(UInt64.self) else {
            return nil
        }
        let id = TopicID(high: high, low: low)
        switch kind {
        case 1:
            guard let name = reader.text(), let count = reader.integer(UInt32.self),
                let settings = reader.settings(), reader.isAtEnd
            else { return nil }
            self = .topicCreated(
                id: id, name: name, partitionCount: Int(count), settings: settings)
        case 2:
            guard let settings = reader.settings(), reader.isAtEnd else { return nil }
            self = .topicConfigured(id: id, settings: settings)
        case 3:
            guard reader.isAtEnd else { return nil }
            self = .topicDeleted(id: id)
        case 4:
            guard let count = reader.integer(UInt32.self), reader.isAtEnd else { return nil }
            self = .partitionsAdded(id: id, partitionCount: Int(count))
        default:
            return nil
        }
    }

    private static func append(_ id: TopicID, to bytes: inout [UInt8]) {
        bytes.appendBigEndian(id.high)
        bytes.appendBigEndian(id.low)
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        precondition(text.utf8.count <= Int(UInt16.max), "a text of \(text.utf8.count) bytes")
        bytes.appendBigEndian(UInt16(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    private static func append(_ settings: [TopicOverride], to bytes: inout [UInt8]) {
        bytes.appendBigEndian(UInt16(settings.count))
        for setting in settings {
            append(setting.name, to: &bytes)
            append(setting.value, to: &bytes)
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
            let size = MemoryLayout<Value>.size
            guard position + size <= bytes.count else { return nil }
            defer { position += size }
            return bytes[position..<(position + size)].reduce(0) {
                $0 << 8 | Value(truncatingIfNeeded: $1)
            }
        }

        mutating func text() -> String? {
            guard let count = integer(UInt16.self), position + Int(count) <= bytes.count else {
                return nil
            }
            defer { position += Int(count) }
            return String(validating: bytes[position..<(position + Int(count))], as: UTF8.self)
        }

        mutating func settings() -> [TopicOverride]? {
            guard let count = integer(UInt16.self) else { return nil }
            var settings: [TopicOverride] = []
            for _ in 0..<count {
                guard let name = text(), let value = text() else { return nil }
                settings.append(TopicOverride(name: name, value: value))
            }
            return settings
        }
    }
}

/// A setting that was set for one topic.
public struct TopicOverride: Sendable, Equatable {
    public var name: String
    public var value: String

    /// An override with these values.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
