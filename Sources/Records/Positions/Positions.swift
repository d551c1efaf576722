// SPDX-License-Identifier: Apache-2.0

@_exported public import Positions

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
