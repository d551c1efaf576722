// SPDX-License-Identifier: Apache-2.0

public import SerfWire
public import SwimCore

/// By what a received query is answered.
public struct QueryToken: Hashable, Sendable {
    /// A number that this node never uses twice.
    public var rawValue: UInt64

    /// A token.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A question that came in.
public struct QueryEvent: Sendable, Equatable {
    /// What to hand to ``Serf/Command/respond(_:_:)``.
    public var token: QueryToken
    /// The query clock's time at which it was sent.
    public var time: LamportTime
    /// What is asked.
    public var name: String
    /// Anything.
    public var payload: [UInt8]
    /// Who asks; empty if it does not say.
    public var from: String
    /// Until when an answer is taken, by this node's clock.
    public var deadline: Moment

    /// A question.
    public init(
        token: QueryToken, time: LamportTime, name: String, payload: [UInt8], from: String,
        deadline: Moment
    ) {
        self.token = token
        self.time = time
        self.name = name
        self.payload = payload
        self.from = from
        self.deadline = deadline
    }
}
