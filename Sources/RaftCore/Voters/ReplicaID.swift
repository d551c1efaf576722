// SPDX-License-Identifier: Apache-2.0

/// One life of one replica: a node's copy of a group's log, on one disk.
///
/// Never reused: a node whose disk was wiped comes back with another ``life``, so that it cannot
/// repeat votes it does not remember (KIP-853). Two messages with equal ids come from the same disk.
public struct ReplicaID: Hashable, Comparable, Sendable {
    /// The node that holds the replica.
    public var node: UInt64
    /// What tells this replica from every other that the node ever had of the group: made from the
    /// store's id and the number of the assignment.
    public var life: UInt64

    /// An id with these parts.
    public init(node: UInt64, life: UInt64 = 0) {
        self.node = node
        self.life = life
    }

    @inlinable
    public static func < (left: ReplicaID, right: ReplicaID) -> Bool {
        (left.node, left.life) < (right.node, right.life)
    }
}

extension ReplicaID: CustomStringConvertible {
    public var description: String { life == 0 ? "\(node)" : "\(node).\(life)" }
}
