// SPDX-License-Identifier: Apache-2.0

/// What a node knows of another one that it shares groups with.
struct PeerNode {
    let node: UInt64
    /// Groups that both have a replica of.
    var groupCount = 0
    /// The other's life, as of its last message.
    var incarnation: UInt64 = 0
    /// Ticks since it was heard.
    var silentTicks = 0
    /// Ticks since it was told anything.
    var idleTicks = 0
    /// It has been silent for too long, and the groups concerned were, or are being, told.
    var isLost = false
    /// What it is to be told at the end of this turn.
    var outbox: [PeerMessage] = []

    init(_ node: UInt64) { self.node = node }
}
