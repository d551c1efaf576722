// SPDX-License-Identifier: Apache-2.0

/// A queue of messages that wait to be gossiped.
public enum GossipQueueName: String, Sendable, Hashable, CaseIterable {
    /// Who is alive, suspect or dead.
    case memberlist
    /// Who joins and who leaves.
    case intents
    /// Queries.
    case queries
    /// User events.
    case events
}
