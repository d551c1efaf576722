// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import RaftCore
internal import Replication

/// Who a node and its store are among those that hold replicas.
struct NodeIdentity: Sendable {
    /// The node's number: made from its name.
    var node: UInt64
    /// The store's number, which a wiped disk does not have again.
    var store: UInt64

    /// A node that knows no others.
    static let alone = NodeIdentity(node: 1, store: 1)

    /// The identity of a node by name and store.
    init(name: String, storeID: String) {
        node = Self.hash(name)
        store = TopicID(text: storeID)?.low ?? Self.hash(storeID)
    }

    init(node: UInt64, store: UInt64) {
        self.node = node
        self.store = store
    }

    /// The replica that this store has of a group.
    var replica: ReplicaID { ReplicaID(node: node, life: store) }

    /// FNV-1a with 64 bits.
    private static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return hash
    }
}
