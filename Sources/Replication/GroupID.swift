// SPDX-License-Identifier: Apache-2.0

/// Names a group for ever: a topic's id, and the number of the partition.
public struct GroupID: Hashable, Comparable, Sendable {
    /// The upper half of the topic's id.
    public var high: UInt64
    /// The lower half of the topic's id.
    public var low: UInt64
    /// The partition's number.
    public var partition: UInt32

    /// The group of a partition.
    public init(high: UInt64, low: UInt64, partition: UInt32) {
        self.high = high
        self.low = low
        self.partition = partition
    }

    @inlinable
    public static func < (left: GroupID, right: GroupID) -> Bool {
        (left.high, left.low, left.partition) < (right.high, right.low, right.partition)
    }
}
