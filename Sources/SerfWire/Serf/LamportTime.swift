// SPDX-License-Identifier: Apache-2.0

/// A moment of one of Serf's logical clocks (Lamport, "Time, clocks, and the ordering of events in a
/// distributed system", 1978).
public struct LamportTime: Sendable, Hashable, Comparable {
    public var rawValue: UInt64

    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static func < (left: LamportTime, right: LamportTime) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension LamportTime: CustomStringConvertible {
    public var description: String { String(rawValue) }
}

extension LamportTime {
    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(try reader.integer(UInt64.self))
    }
}

extension MessagePackWriter {
    mutating func write(_ time: LamportTime) {
        write(time.rawValue)
    }
}
