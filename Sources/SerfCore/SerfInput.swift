// SPDX-License-Identifier: Apache-2.0

public import SerfWire
public import SwimCore

/// A number by which the caller of a command knows its end.
///
/// The caller chooses it; no two commands under way may have the same.
public struct CommandID: Hashable, Sendable {
    /// The number.
    public var rawValue: UInt64

    /// A command's number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

extension Serf {
    /// What happens to a node.
    public enum Input: Sendable, Equatable {
        /// The sockets are open: begin. The first input, and only once.
        case start
        /// Time has passed; wanted no later than at ``Serf/nextDeadline``.
        case tick
        /// A packet came, decrypted and without its label.
        case packet([UInt8], from: Endpoint)
        /// The body of a stream that somebody opened to us.
        case request(StreamID, [UInt8], from: Endpoint)
        /// The answer on a stream that we opened.
        case answer(StreamID, [UInt8])
        /// A stream gives nothing any more.
        case streamFailed(StreamID, StreamFailure)
        /// The application wants something; ``SerfEffect/ended(_:_:)`` says how it ended.
        case command(CommandID, Command)
    }

    /// What an application can want of a node.
    public enum Command: Sendable, Equatable {
        /// Exchange all that is known with each of these addresses.
        ///
        /// Ends as ``CommandOutcome/joined(count:failures:)`` when each has answered or failed, or with
        /// ``SerfError/joinFailed(_:)`` if none answered. With `replayEvents`, events older than the
        /// join are delivered too.
        case join([Endpoint], replayEvents: Bool)
        /// Tell the others, wait until they were told, and stop.
        ///
        /// Takes at most twice the broadcast timeout and the leave delay. Ends as
        /// ``CommandOutcome/done``, together with ``SerfEffect/stop(_:)``.
        case leave
        /// Declare a failed member as left; with `prune`, forget it as well.
        ///
        /// Ends when the others were told, or with ``SerfError/broadcastTimedOut``. A member that runs
        /// contradicts and stays.
        case forceLeave(String, prune: Bool)
        /// Replace this node's tags, at most ``Tags/sizeMax`` bytes encoded.
        ///
        /// Ends when the others were told, or with ``SerfError/broadcastTimedOut``; the tags hold in
        /// either case, and travel with the next exchange of state.
        case setTags([String: String])
        /// Tell all members, this one included, that something happened.
        case send(name: String, payload: [UInt8], mayCoalesce: Bool)
        /// Ask all members, this one included, or those that fit.
        ///
        /// What comes in is reported as ``SerfEffect/queryProgress(_:_:)``; ends at the deadline as
        /// ``CommandOutcome/answered(_:)``.
        case query(QueryRequest)
        /// Answer a query that came in as ``SerfEvent/query(_:)``: once, before its deadline.
        case respond(QueryToken, [UInt8])
        /// Change or list the keys of all members.
        ///
        /// Ends as ``CommandOutcome/keys(_:)`` when every live member has answered, or at the default
        /// query timeout.
        case key(KeyCommand)
    }
}
