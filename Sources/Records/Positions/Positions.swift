// SPDX-License-Identifier: Apache-2.0

/// The ordinal of a record in its log, from 0.
///
/// Never reused.
public struct Offset: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ value: Int64) { rawValue = value }

    /// The first offset of every log.
    public static let zero = Offset(0)

    @inlinable
    public static func < (left: Offset, right: Offset) -> Bool { left.rawValue < right.rawValue }

    /// The offset so many records further.
    @inlinable
    public func advanced(by records: Int) -> Offset { Offset(rawValue + Int64(records)) }

    /// The number of offsets from `start` up to, and without, this one.
    @inlinable
    public func distance(from start: Offset) -> Int { Int(rawValue - start.rawValue) }
}

extension Offset: ExpressibleByIntegerLiteral, CustomStringConvertible {
    public init(integerLiteral value: Int64) { rawValue = value }

    public var description: String { "\(rawValue)" }
}

/// The ordinal of a frame in its log, from 1: the Raft index.
///
/// 0 means "before the first frame".
///
/// Frames without records take an index and no offset, so the two count apart.
public struct LogIndex: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ value: UInt64) { rawValue = value }

    /// Before the first frame.
    public static let zero = LogIndex(0)

    @inlinable
    public static func < (left: LogIndex, right: LogIndex) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The index of the frame behind this one.
    @inlinable
    public var next: LogIndex { LogIndex(rawValue + 1) }
}

/// The period of one leader, from 1: the Raft term, and the leader epoch on Kafka's wire.
public struct Term: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ value: UInt64) { rawValue = value }

    /// Before the first leader.
    public static let zero = Term(0)
    /// The highest term that fits the 32-bit leader epoch of a batch.
    public static let max = Term(UInt64(Int32.max))

    @inlinable
    public static func < (left: Term, right: Term) -> Bool { left.rawValue < right.rawValue }
}

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Negative before; -1 for "none".
public struct Timestamp: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(milliseconds: Int64) { rawValue = milliseconds }

    /// The value of a record that carries no timestamp.
    public static let none = Timestamp(milliseconds: -1)

    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.rawValue < right.rawValue
    }
}
