// SPDX-License-Identifier: Apache-2.0

public import SerfWire
public import SwimCore

/// What is to be done, in the order given.
public enum SerfEffect: Sendable, Equatable {
    /// A packet or a stream for the network, or what the memberlist noticed.
    case swim(SwimEffect)
    /// Something for the application.
    case event(SerfEvent)
    /// A query of this node's was acknowledged or answered by one member.
    case queryProgress(CommandID, QueryProgress)
    /// A command has ended. Each ends once.
    case ended(CommandID, Result<CommandOutcome, SerfError>)
    /// Encrypt with this keyring from now on, and write it down.
    case keyringChanged(Keyring)
    /// Close the sockets: nothing more will come. The last effect of a node.
    case stop(StopReason)
    /// Something to count or to log.
    case observe(SerfObservation)
}

/// Why a node ended.
public enum StopReason: Sendable, Equatable {
    /// It left, as it was told to.
    case left
    /// Another node has its name, and most of those who answered know that one.
    case nameConflict(agreeing: Int, answers: Int)
}

/// How a command ended that went well.
public enum CommandOutcome: Sendable, Equatable {
    /// It is done.
    case done
    /// So many addresses answered; these did not.
    case joined(count: Int, failures: [JoinFailure])
    /// A query's time is over.
    case answered(QueryResult)
    /// What the members said of their keys; ``KeyReport/isComplete`` says whether all agreed.
    case keys(KeyReport)
}

/// What is worth counting or logging, beyond what the memberlist observes.
public enum SerfObservation: Sendable, Equatable {
    /// A message of a Serf layer could not be read.
    case malformed(WireError)
    /// A message that has no place in gossip, by its type id.
    case misplaced(UInt8)
    /// An intent about an unknown member was dropped, because too many are kept already.
    case intentDropped(node: String)
    /// An event was not delivered: its slot, or the whole ring, holds too much already.
    case eventDropped(name: String)
    /// A query was not seen to: its slot holds too many already.
    case queryDropped(name: String)
    /// A query of an internal name that this node does not know.
    case unknownQuery(name: String)
    /// A filter's expression cannot be read or takes too much work: no match.
    case expressionRefused(String)
    /// Messages were dropped from the most transmitted end of a queue.
    case queueOverflow(SerfQueue, dropped: Int)
    /// A claim that this node leaves was contradicted.
    case leaveRefuted
    /// A failed member is tried again.
    case reconnecting(node: String)
    /// Another node has this name; ours or that of `known`.
    case nameConflict(node: String, known: Endpoint, other: Endpoint)
    /// How a question about this node's own name ended.
    case conflictResolved(agreeing: Int, answers: Int)
    /// A response was passed on for another member.
    case relayed(to: Endpoint)
    /// A key query was carried out or refused, with the text that the asker gets.
    case keyQuery(name: String, isSuccess: Bool, message: String)
    /// A coordinate was refused or made no sense.
    case coordinateRefused(node: String)
}

/// A queue of messages that wait to be gossiped.
public enum SerfQueue: Sendable, Hashable {
    /// Who joined and who leaves.
    case intents
    /// Queries.
    case queries
    /// User events.
    case events
}
