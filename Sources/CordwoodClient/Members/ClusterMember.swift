// SPDX-License-Identifier: Apache-2.0

public import Records

/// A member of the cluster: a server of Cordwood, or another that speaks Serf's protocol, such as the
/// `serf` agent of an operator.
public struct ClusterMember: Sendable, Hashable {
    /// The name, which no other member has; a server's is its `node.id`.
    public let name: String
    /// Where it gossips, as `host:port`.
    public let address: String
    /// How it does, as the server that answered sees it.
    public let status: Status
    /// Since when it has that status, by that server's clock.
    public let since: Timestamp
    /// All that it says of itself.
    public let tags: [String: String]
    /// Whether it is a server of Cordwood.
    public let isServer: Bool
    /// Whether it is the server that answered.
    public let isLocal: Bool
    /// The identity of a server's data directory, 32 hexadecimal digits.
    public let storeID: String?
    /// Where this library's clients reach it, as `host:port`.
    public let grpcAddress: String?
    /// Where Kafka's clients reach it, as `host:port`.
    public let kafkaAddress: String?
    /// Where its administration over HTTP is, as `host:port`; servers have none yet.
    public let adminAddress: String?
    /// The cluster that it belongs to.
    public let cluster: String?
    /// The release that it runs.
    public let version: String?

    /// How a member does; a newer server may know more words.
    public struct Status: RawRepresentable, Sendable, Hashable {
        /// The word, such as `alive`.
        public let rawValue: String

        /// The status of a word, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// It answers.
        public static let alive = Self(rawValue: "alive")
        /// It has said that it will leave.
        public static let leaving = Self(rawValue: "leaving")
        /// It has left as it should.
        public static let left = Self(rawValue: "left")
        /// It answers no more.
        public static let failed = Self(rawValue: "failed")
    }
}

/// The members of a cluster as one server knows them, and how its gossip does.
public struct ClusterMembers: Sendable, Hashable {
    /// The members, by name.
    public let members: [ClusterMember]
    /// How the gossip of the server that answered does.
    public let gossip: Gossip

    /// How the gossip of a server does.
    public struct Gossip: Sendable, Hashable {
        /// Whether it runs: `starting`, `running`, `left`, `failed` or `off`.
        public let state: String
        /// Why it does not; empty where it does.
        public let detail: String
        /// Where it is reached by others, as `host:port`; empty where it is off.
        public let address: String
        /// How badly it keeps up: 0 is well, up to 7.
        public let healthScore: Int
        /// Whether what it sends is encrypted.
        public let isEncrypted: Bool
        /// The cluster that it belongs to.
        public let cluster: String
    }
}

/// Something that changed about a member.
public struct ClusterMemberChange: Sendable, Hashable {
    /// What: `present` for those that were there already, then `joined`, `updated`, `leaving`,
    /// `left`, `failed` or `removed`.
    public let change: String
    /// The member as it is now, or was.
    public let member: ClusterMember
}
