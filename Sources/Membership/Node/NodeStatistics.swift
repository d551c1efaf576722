// SPDX-License-Identifier: Apache-2.0

public import SerfCore
public import SwimCore

/// Figures of a ``SerfNode`` at one moment.
public struct NodeStatistics: Sendable, Equatable {
    /// 0 for a node that keeps up, up to 7 for one that is slow or badly connected (Lifeguard).
    public var healthScore: Int
    /// How many members there are of each status, this one included.
    public var members: [MemberStatus: Int]
    /// How many messages wait to be gossiped.
    public var queueDepths: [GossipQueueName: Int]
    /// Whether the node has keys.
    public var isEncrypted: Bool
    /// Packets, streams, and what was dropped and why, since the start.
    public var sockets: SocketCounts
    /// Messages in the packets, since the start.
    public var gossip: SwimCounters
}
