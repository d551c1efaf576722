// SPDX-License-Identifier: Apache-2.0

/// A question to the members.
public struct MemberQuery: Sendable, Equatable {
    /// Something that a member said.
    public enum News: Sendable, Equatable {
        /// A member has received the query.
        case acknowledged(String)
        /// A member has answered.
        case answered(String, payload: [UInt8])
    }

    /// A tag, and the regular expression that must match a part of its value.
    public struct TagFilter: Sendable, Equatable {
        public var tag: String
        public var expression: String

        /// A filter.
        public init(tag: String, expression: String) {
            self.tag = tag
            self.expression = expression
        }
    }

    /// The name, for those who answer it.
    public var name: String
    /// Any bytes.
    public var payload: [UInt8]
    /// Only members of these names; all when empty.
    public var members: [String]
    /// Only members whose tags match.
    public var tags: [TagFilter]
    /// Whether each member acknowledges the query.
    public var wantsAcknowledgements: Bool
    /// By how many other members each answer is sent as well.
    public var relayFactor: UInt8
    /// How long answers are waited for; by the number of members when `nil`.
    public var timeout: Duration?

    /// A query with these values.
    public init(
        name: String, payload: [UInt8] = [], members: [String] = [], tags: [TagFilter] = [],
        wantsAcknowledgements: Bool = false, relayFactor: UInt8 = 0, timeout: Duration? = nil
    ) {
        self.name = name
        self.payload = payload
        self.members = members
        self.tags = tags
        self.wantsAcknowledgements = wantsAcknowledgements
        self.relayFactor = relayFactor
        self.timeout = timeout
    }
}

/// How joining went where somebody answered.
public struct JoinOutcome: Sendable, Equatable {
    /// An address that was not joined.
    public struct Failure: Sendable, Equatable {
        public var address: String
        /// Why, for people.
        public var reason: String

        /// A failure.
        public init(address: String, reason: String) {
            self.address = address
            self.reason = reason
        }
    }

    /// How many addresses answered.
    public var joined: Int
    /// Those that did not.
    public var failures: [Failure]

    /// An outcome with these values.
    public init(joined: Int, failures: [Failure]) {
        self.joined = joined
        self.failures = failures
    }
}

/// What can be done with a key at all members.
public enum KeyAction: Sendable, Equatable {
    /// Have it, and understand what is encrypted with it.
    case install
    /// Encrypt with it.
    case use
    /// Have it no more.
    case remove
}

/// What the members said of keys; no key is in it.
public struct KeyOutcome: Sendable, Equatable {
    /// A key that members have.
    public struct Key: Sendable, Equatable {
        /// The first 16 hexadecimal digits of its SHA-256.
        public var fingerprint: String
        /// How many members have it.
        public var memberCount: Int
        /// How many members encrypt with it.
        public var primaryCount: Int

        /// A key.
        public init(fingerprint: String, memberCount: Int, primaryCount: Int) {
            self.fingerprint = fingerprint
            self.memberCount = memberCount
            self.primaryCount = primaryCount
        }
    }

    /// A member that did not do what was asked.
    public struct Failure: Sendable, Equatable {
        public var member: String
        /// Why, for people.
        public var reason: String

        /// A failure.
        public init(member: String, reason: String) {
            self.member = member
            self.reason = reason
        }
    }

    /// How many members were asked.
    public var askedCount: Int
    /// How many answered.
    public var answeredCount: Int
    /// The keys, where they were asked for, by fingerprint.
    public var keys: [Key]
    /// Those that refused.
    public var failures: [Failure]

    /// An outcome with these values.
    public init(
        askedCount: Int, answeredCount: Int, keys: [Key] = [], failures: [Failure] = []
    ) {
        self.askedCount = askedCount
        self.answeredCount = answeredCount
        self.keys = keys
        self.failures = failures
    }
}
