// SPDX-License-Identifier: Apache-2.0

/// A question to all members, or to those that fit.
public struct QueryRequest: Sendable, Equatable {
    /// What is asked.
    ///
    /// Names that begin with `_serf_` are Serf's own, except ``ping``.
    public var name: String
    /// Anything.
    public var payload: [UInt8]
    /// Only these members; empty: all.
    public var nodes: [String]
    /// Only members whose tags match: by tag, a regular expression that occurs anywhere in its value.
    public var tags: [String: String]
    /// Whether each member that fits says so at once.
    public var wantsAcks: Bool
    /// Over how many other members each response is sent as well, for networks that lose much.
    public var relayFactor: UInt8
    /// How long answers are waited for; `nil`: by gossip interval and number of members.
    public var timeout: Duration?

    /// A question.
    public init(
        name: String, payload: [UInt8] = [], nodes: [String] = [], tags: [String: String] = [:],
        wantsAcks: Bool = false, relayFactor: UInt8 = 0, timeout: Duration? = nil
    ) {
        self.name = name
        self.payload = payload
        self.nodes = nodes
        self.tags = tags
        self.wantsAcks = wantsAcks
        self.relayFactor = relayFactor
        self.timeout = timeout
    }

    /// Asks who can be reached: every member acknowledges, no application is told.
    public static let ping = QueryRequest(name: "_serf_ping", wantsAcks: true)
}

/// What one member said to a query.
public enum QueryProgress: Sendable, Equatable {
    /// It has the query. Once a member.
    case ack(from: String)
    /// Its answer. Once a member.
    case response(from: String, payload: [UInt8])
}

/// All that was said to a query, in the order of arrival.
public struct QueryResult: Sendable, Equatable {
    /// An answer.
    public struct Response: Sendable, Equatable {
        /// The member's name.
        public var from: String
        /// What it said.
        public var payload: [UInt8]

        /// An answer of a member.
        public init(from: String, payload: [UInt8]) {
            self.from = from
            self.payload = payload
        }
    }

    /// Who acknowledged.
    public var acks: [String] = []
    /// Who answered what.
    public var responses: [Response] = []

    /// Nothing yet.
    public init() {}
}
