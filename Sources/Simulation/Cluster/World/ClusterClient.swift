// SPDX-License-Identifier: Apache-2.0

/// Somebody who appends, asks for the end, and reads.
struct ClusterClient {
    /// Which node it believes to lead.
    var guess: Int
    var inFlight = 0
    /// Where it reads on.
    var position: Int64 = 0
    var isSeeking = true
    /// A poll is under way.
    var isPolling = false
}

/// Something that a client has asked for.
struct ClusterOperation {
    enum Kind { case append, endRead, poll }

    var kind: Kind
    var client: Int
    var proposal: Proposal
    var id: OperationID
    /// How often it was sent; answers to earlier tries count for nothing.
    var attempt = 0
    /// How many entries were committed when it last reached a node.
    var committedBefore: Int64 = 0
    /// The node did something with it, and the client does not know what.
    var mayBeDone = false
    var isOver = false
    var isAcknowledged = false
    var isSeek = false
}
