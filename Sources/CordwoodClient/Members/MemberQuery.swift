// SPDX-License-Identifier: Apache-2.0

/// A question to the members of a cluster.
public struct MemberQuery: Sendable, Hashable {
    /// The name, for those who answer it.
    public var name: String
    /// Any bytes; with what goes around them, at most 1024.
    public var payload: [UInt8] = []
    /// Only members of these names; all when empty.
    public var members: [String] = []
    /// Only members whose tags match these regular expressions, which need match a part only.
    public var tags: [String: String] = [:]
    /// Whether each member acknowledges that it has received the query.
    public var wantsAcknowledgements = false
    /// By how many other members each answer is sent as well, for networks that lose packets.
    public var relayFactor = 0
    /// How long answers are waited for; by the number of members when `nil`.
    public var timeout: Duration?

    /// A question to all.
    public init(_ name: String) { self.name = name }

    /// What a member says.
    public enum News: Sendable, Hashable {
        /// It has received the query.
        case acknowledged(String)
        /// It has answered.
        case answered(String, payload: [UInt8])
    }
}

/// Whom a question about reachability went to, and who acknowledged.
public enum ReachabilityNews: Sendable, Hashable {
    /// The members that are alive as far as the server knows; comes first.
    case asked([String])
    /// A member has acknowledged.
    case acknowledged(String)
}

/// How joining went where somebody answered.
public struct JoinOutcome: Sendable, Hashable {
    /// An address that was not joined.
    public struct Failure: Sendable, Hashable {
        /// The address.
        public let address: String
        /// Why, for people.
        public let reason: String
    }

    /// How many addresses answered.
    public let joined: Int
    /// Those that did not.
    public let failures: [Failure]
}

/// What can be done with a key at all members.
public enum KeyAction: String, Sendable, Hashable, CaseIterable {
    /// Have it, and understand what is encrypted with it.
    case install
    /// Encrypt with it.
    case use
    /// Have it no more.
    case remove
}

/// What the members said of the keys that gossip is encrypted with; no key is in it.
public struct KeyOutcome: Sendable, Hashable {
    /// A key that members have.
    public struct Key: Sendable, Hashable {
        /// The first 16 hexadecimal digits of its SHA-256.
        public let fingerprint: String
        /// How many members have it.
        public let memberCount: Int
        /// How many members encrypt with it.
        public let primaryCount: Int
    }

    /// A member that did not do what was asked.
    public struct Failure: Sendable, Hashable {
        /// The member's name.
        public let member: String
        /// Why, for people.
        public let reason: String
    }

    /// How many members were asked.
    public let askedCount: Int
    /// How many answered.
    public let answeredCount: Int
    /// The keys, where they were asked for, by fingerprint.
    public let keys: [Key]
    /// Those that did not do it.
    public let failures: [Failure]

    /// Whether all did what was asked: only then is the next step of a rotation safe.
    public var isComplete: Bool { failures.isEmpty && answeredCount == askedCount }
}
