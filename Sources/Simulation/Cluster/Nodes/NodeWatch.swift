// SPDX-License-Identifier: Apache-2.0

/// Which other nodes were heard, while the groups are quiet.
struct NodeWatch {
    private struct Peer {
        var node: UInt64
        var incarnation: UInt64
        var heardAt: Int
        var isLost = false
    }

    var ticks = 0
    var isWatching = false
    private var peers: [Peer] = []

    /// Begins to watch: whoever is heard no more from now on is lost.
    mutating func begin() {
        isWatching = true
        for number in peers.indices {
            peers[number].heardAt = ticks
            peers[number].isLost = false
        }
    }

    /// Notes a sign of life; whether the node has been away meanwhile.
    mutating func hear(_ node: UInt64, _ incarnation: UInt64) -> Bool {
        guard let number = peers.firstIndex(where: { $0.node == node }) else {
            peers.append(Peer(node: node, incarnation: incarnation, heardAt: ticks))
            return false
        }
        peers[number].heardAt = ticks
        peers[number].isLost = false
        guard incarnation > peers[number].incarnation else { return false }
        peers[number].incarnation = incarnation
        return true
    }

    /// Whether a node has just become one that was not heard for too long.
    mutating func isOverdue(_ node: UInt64, after limit: Int) -> Bool {
        guard let number = peers.firstIndex(where: { $0.node == node }) else {
            peers.append(Peer(node: node, incarnation: 0, heardAt: ticks))
            return false
        }
        guard !peers[number].isLost, ticks - peers[number].heardAt > limit else { return false }
        peers[number].isLost = true
        return true
    }
}
