// SPDX-License-Identifier: Apache-2.0

public import SerfWire

/// What is to be done, in the order given.
public enum SwimEffect: Sendable, Equatable {
    /// Send a packet. It is plain: whoever sends it encrypts it and labels it.
    case send([UInt8], to: Endpoint)
    /// Dial, send the body of a request, and hand the answer's body to
    /// ``Memberlist/receive(answer:on:at:delegate:into:)``, or say
    /// ``Memberlist/streamFailed(_:reason:at:delegate:into:)`` when that does not come in time.
    case open(StreamID, to: Endpoint, request: [UInt8], timeout: Duration)
    /// Send the one answer on an accepted stream; then close it.
    case reply(StreamID, [UInt8])
    /// Close an accepted stream without an answer, or give up an opened one. Nothing more is to be
    /// said about it.
    case close(StreamID)
    /// Something worth a line in a log, or a count.
    case observe(SwimObservation)
}

/// Which stream.
///
/// The core numbers the streams that it opens with odd numbers from 1; its caller numbers those that
/// it accepts with even numbers from 2. No number is used twice.
public struct StreamID: Hashable, Sendable {
    /// The number.
    public var rawValue: UInt64

    /// A stream by its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// Why a stream that the core opened brought no answer.
public enum StreamFailure: Error, Sendable, Equatable {
    /// Nobody could be dialled; the text says why.
    case unreachable(String)
    /// The answer was not there in time.
    case timedOut
    /// The peer closed before a whole answer had come.
    case closed
    /// The peer said that it cannot read the request.
    case refused(String)
    /// The answer cannot be read.
    case malformed(WireError)
}

/// Why a push/pull with a peer came to nothing.
public struct JoinFailure: Error, Sendable, Equatable {
    /// Whom it was with.
    public var endpoint: Endpoint
    /// Why.
    public var reason: Reason

    /// A failure by its parts.
    public init(endpoint: Endpoint, reason: Reason) {
        self.endpoint = endpoint
        self.reason = reason
    }

    /// The reasons.
    public enum Reason: Sendable, Equatable {
        /// There was no answer.
        case stream(StreamFailure)
        /// We do not want what the peer has sent; the text says why.
        case refused(String)
        /// The answer was of another kind.
        case unexpectedAnswer
        /// As many push/pulls as are allowed are on their way.
        case tooManyExchanges
    }
}

/// How a push/pull ended that was asked for with ``Memberlist/pushPull(with:isJoin:at:delegate:into:)``.
public struct PushPullOutcome: Sendable, Equatable {
    /// The stream that the call returned.
    public var stream: StreamID
    /// Whom it was with.
    public var endpoint: Endpoint
    /// What went wrong; `nil` if both have merged, as far as we can know.
    public var failure: JoinFailure?

    /// An outcome by its parts.
    public init(stream: StreamID, endpoint: Endpoint, failure: JoinFailure?) {
        self.stream = stream
        self.endpoint = endpoint
        self.failure = failure
    }
}

/// What happened, for logs and counts.
public enum SwimObservation: Sendable, Equatable {
    /// A node is being probed.
    case probeSent(node: String)
    /// A node has answered no probe in time, on no way.
    case probeFailed(node: String)
    /// A node answers over TCP but not over UDP: somebody's packets are lost.
    case probeByStream(node: String)
    /// A node is suspected to be dead.
    case suspected(node: String, from: String)
    /// Another node suspects it too.
    case suspicionConfirmed(node: String, from: String)
    /// Somebody thought ill of us, and we have said that we are alive.
    case refuted(incarnation: UInt32)
    /// The health score is another one: 0 is well, each point makes us wait longer for others.
    case healthChanged(Int)
    /// Something came that cannot be read, or parts of it.
    case malformed(from: Endpoint, WireError)
    /// A node, or all that a peer has sent, was not let in.
    case refused(node: String, reason: String)
    /// A node has the name of another one.
    case conflict(node: String, known: Endpoint, other: Endpoint)
    /// So many messages were dropped from the gossip queue before they were sent often enough.
    case queueOverflow(Int)
    /// A help or an exchange was refused because too many are on their way.
    case overloaded
    /// A push/pull has failed.
    case pushPullFailed(JoinFailure)
}

/// Sums since the start, for metrics.
///
/// They only grow.
public struct SwimCounters: Sendable, Equatable {
    /// Messages that came in packets and could be read.
    public internal(set) var messagesReceived: UInt64 = 0
    /// Messages that were sent in packets.
    public internal(set) var messagesSent: UInt64 = 0
    /// Bytes of the packets that came, before they were opened.
    public internal(set) var bytesReceived: UInt64 = 0
    /// Bytes of the packets that were sent, before encryption.
    public internal(set) var bytesSent: UInt64 = 0
    /// Packets, parts of packets and records of push/pulls that could not be read.
    public internal(set) var unreadable: UInt64 = 0

    /// All zero.
    public init() {}
}
