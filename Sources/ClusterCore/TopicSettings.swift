// SPDX-License-Identifier: Apache-2.0

public import Faults

/// A topic's settings, with Kafka's names where Kafka has them.
public struct TopicSettings: Sendable, Equatable {
    /// What an acknowledgement promises; see docs/durability.md.
    public enum Durability: Sendable, Equatable {
        /// The records were synced to the disk.
        case fsync
        /// The operating system has them, and they are synced so often.
        case interval(milliseconds: Int)
        /// The operating system has them, and writes them when it sees fit.
        case os
    }

    /// `durability`: `fsync`, `interval(MILLISECONDS)` or `os`.
    public var durability: Durability = .fsync
    /// `segment.bytes`: 1 MiB to 2 GiB.
    public var segmentBytes: Int = 128 << 20
    /// `segment.ms`: 1 s and more.
    public var segmentMilliseconds: Int64 = 7 * 86_400_000
    /// `retention.ms`: -1 for ever.
    public var retentionMilliseconds: Int64 = -1
    /// `retention.bytes`: -1 for all.
    public var retentionBytes: Int64 = -1
    /// `max.message.bytes`: 1 KiB to 64 MiB, of an encoded batch.
    public var messageBytesMax: Int = 1 << 20

    /// The default settings.
    public init() {}

    /// The names of all settings, sorted.
    public static let names = [
        "durability", "max.message.bytes", "retention.bytes", "retention.ms", "segment.bytes",
        "segment.ms",
    ]

    /// Settings of Kafka's that can have one value here, by name: what is true of every topic.
    ///
    /// Clients that state them are heard, so that a topic made for one need not be written anew for
    /// the other; any other value is refused.
    public static let facts: [TopicOverride] = [
        TopicOverride(name: "cleanup.policy", value: "delete"),
        TopicOverride(name: "compression.type", value: "producer"),
        TopicOverride(name: "message.timestamp.type", value: "CreateTime"),
        TopicOverride(name: "min.insync.replicas", value: "1"),
        TopicOverride(name: "unclean.leader.election.enable", value: "false"),
    ]

    private static func fact(_ name: String) -> String? {
        facts.first { $0.name == name }?.value
    }

    /// Why a fact is one.
    private static func reason(_ name: String) -> String {
        switch name {
        case "cleanup.policy": "compaction is not supported yet"
        case "compression.type": "batches are kept as their producers compressed them"
        case "message.timestamp.type": "records keep the timestamps of their producers"
        default: "each partition has one replica"
        }
    }

    /// The value of a setting, as text.
    public func value(of name: String) -> String? {
        switch name {
        case "durability":
            switch durability {
            case .fsync: "fsync"
            case .interval(let milliseconds): "interval(\(milliseconds))"
            case .os: "os"
            }
        case "segment.bytes": "\(segmentBytes)"
        case "segment.ms": "\(segmentMilliseconds)"
        case "retention.ms": "\(retentionMilliseconds)"
        case "retention.bytes": "\(retentionBytes)"
        case "max.message.bytes": "\(messageBytesMax)"
        default: Self.fact(name)
        }
    }

    /// Sets a setting from text.
    ///
    /// - Throws: ``Faults/ErrorCode/unknownSetting``, ``Faults/ErrorCode/invalidSetting``.
    public mutating func set(_ name: String, to value: String) throws(Fault) {
        switch name {
        case "durability": durability = try Self.durability(value)
        case "segment.bytes":
            segmentBytes = Int(try Self.integer(name, value, in: 1 << 20...2 << 30))
        case "segment.ms":
            segmentMilliseconds = try Self.integer(name, value, in: 1000...Int64.max)
        case "retention.ms":
            retentionMilliseconds = try Self.integer(name, value, in: -1...Int64.max)
        case "retention.bytes":
            retentionBytes = try Self.integer(name, value, in: -1...Int64.max)
        case "max.message.bytes":
            messageBytesMax = Int(try Self.integer(name, value, in: 1024...64 << 20))
        default:
            if let fact = Self.fact(name) {
                guard value == fact else {
                    throw Fault(
                        .invalidSetting,
                        "\(name) can only be \(fact), not \(TopicName.quoted(value)): "
                            + Self.reason(name))
                }
                return
            }
            throw Fault(
                .unknownSetting, "there is no topic setting \(TopicName.quoted(name))",
                hint: "use one of: " + Self.names.joined(separator: ", "))
        }
    }

    private static func durability(_ value: String) throws(Fault) -> Durability {
        if value == "fsync" { return .fsync }
        if value == "os" { return .os }
        if value.hasPrefix("interval("), value.hasSuffix(")"),
            let milliseconds = Int(value.dropFirst(9).dropLast()), milliseconds >= 1,
            milliseconds <= 3_600_000
        {
            return .interval(milliseconds: milliseconds)
        }
        throw Fault(
            .invalidSetting,
            "durability must be fsync, os or interval(1…3600000), not \(TopicName.quoted(value))")
    }

    private static func integer(
        _ name: String, _ value: String, in range: ClosedRange<Int64>
    ) throws(Fault) -> Int64 {
        guard let number = Int64(value), range.contains(number) else {
            let end = range.upperBound == Int64.max ? "" : "\(range.upperBound)"
            throw Fault(
                .invalidSetting,
                "\(name) must be \(range.lowerBound)…\(end), not \(TopicName.quoted(value))")
        }
        return number
    }
}
