// SPDX-License-Identifier: Apache-2.0

// The two numbers that name an entry of a replicated log, for those who know nothing else of it.
//
//     index   1      2      3      4      5         which frame
//     term    1      1      2      2      4         under which leader it was first written
//
// Two entries of one log with equal index and term are the same entry, and so is all before them
// (Raft section 5.3). `Records` passes these names on to everybody who imports it; `RaftCore`, which
// knows no records, has them from here.

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

    /// The index of the frame before this one; that of "before the first frame" is itself.
    @inlinable
    public var previous: LogIndex { LogIndex(rawValue == 0 ? 0 : rawValue - 1) }

    /// The index so many frames further.
    @inlinable
    public func advanced(by frames: Int) -> LogIndex { LogIndex(rawValue + UInt64(frames)) }

    /// The number of frames from `start` up to, and without, this one; 0 if that is behind it.
    @inlinable
    public func distance(from start: LogIndex) -> Int {
        rawValue <= start.rawValue ? 0 : Int(rawValue - start.rawValue)
    }
}

extension LogIndex: CustomStringConvertible {
    public var description: String { "\(rawValue)" }
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

extension Term: CustomStringConvertible {
    public var description: String { "\(rawValue)" }
}
