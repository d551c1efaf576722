// SPDX-License-Identifier: Apache-2.0

/// Asks to become, or to stay, a member of the next generation.
public struct JoinGroup: Sendable, Equatable {
    /// A way to share the work that a member supports, and what it has to say in it.
    public struct Offer: Sendable, Equatable {
        public var name: String
        /// For consumers, the subscription; opaque but for ``ConsumerSubscription``.
        public var metadata: [UInt8]

        public init(name: String, metadata: [UInt8]) {
            self.name = name
            self.metadata = metadata
        }
    }

    public var groupID: String
    /// Empty at first.
    public var memberID: String
    /// The name that a static member keeps over restarts.
    public var instanceID: String?
    public var clientID: String
    public var clientHost: String
    /// Milliseconds without a heartbeat after which the member is taken for dead.
    public var sessionTimeout: Int64
    /// Milliseconds that the member may take to join again; versions without it use the session's.
    public var rebalanceTimeout: Int64
    /// `consumer` for consumers.
    public var protocolType: String
    /// The best first.
    public var protocols: [Offer]
    /// Whether a new member must first be told its id: versions from 4 on.
    public var requiresKnownMemberID: Bool
    /// Whether the leader can be told not to assign: versions from 9 on.
    public var supportsSkippingAssignment: Bool

    public init(
        groupID: String, memberID: String = "", instanceID: String? = nil, clientID: String,
        clientHost: String, sessionTimeout: Int64, rebalanceTimeout: Int64, protocolType: String,
        protocols: [Offer], requiresKnownMemberID: Bool, supportsSkippingAssignment: Bool
    ) {
        self.groupID = groupID
        self.memberID = memberID
        self.instanceID = instanceID
        self.clientID = clientID
        self.clientHost = clientHost
        self.sessionTimeout = sessionTimeout
        self.rebalanceTimeout = rebalanceTimeout
        self.protocolType = protocolType
        self.protocols = protocols
        self.requiresKnownMemberID = requiresKnownMemberID
        self.supportsSkippingAssignment = supportsSkippingAssignment
    }

    /// A member of the generation, for the leader to assign to.
    public struct Joined: Sendable, Equatable {
        public var memberID: String
        public var instanceID: String?
        /// What it said in the chosen protocol.
        public var metadata: [UInt8]

        public init(memberID: String, instanceID: String?, metadata: [UInt8]) {
            self.memberID = memberID
            self.instanceID = instanceID
            self.metadata = metadata
        }
    }

    /// The generation, or why not.
    public struct Answer: Sendable, Equatable {
        public var error: GroupError?
        /// -1 with an error.
        public var generation: Int32 = -1
        public var protocolType: String?
        public var protocolName: String?
        /// Empty with an error.
        public var leaderID: String = ""
        /// Also with ``GroupError/memberIDRequired``: the id to come back with.
        public var memberID: String
        /// Whether the leader is to keep the assignment that there is.
        public var skipAssignment = false
        /// All members, for the leader; empty for the others.
        public var members: [Joined] = []

        /// A refusal.
        public init(error: GroupError?, memberID: String) {
            self.error = error
            self.memberID = memberID
        }
    }
}

/// Asks for the member's assignment; the leader brings those of all.
public struct SyncGroup: Sendable, Equatable {
    /// What the leader gives to a member.
    public struct Assignment: Sendable, Equatable {
        public var memberID: String
        public var assignment: [UInt8]

        public init(memberID: String, assignment: [UInt8]) {
            self.memberID = memberID
            self.assignment = assignment
        }
    }

    public var groupID: String
    public var generation: Int32
    public var memberID: String
    public var instanceID: String?
    /// What the member believes, from version 5 on; else `nil`.
    public var protocolType: String?
    public var protocolName: String?
    /// Empty for all but the leader.
    public var assignments: [Assignment]

    public init(
        groupID: String, generation: Int32, memberID: String, instanceID: String? = nil,
        protocolType: String? = nil, protocolName: String? = nil, assignments: [Assignment] = []
    ) {
        self.groupID = groupID
        self.generation = generation
        self.memberID = memberID
        self.instanceID = instanceID
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.assignments = assignments
    }

    /// The member's assignment, or why not.
    public struct Answer: Sendable, Equatable {
        public var error: GroupError?
        public var protocolType: String?
        public var protocolName: String?
        public var assignment: [UInt8] = []

        public init(error: GroupError?) { self.error = error }
    }
}

/// Says that a member is alive.
public struct Heartbeat: Sendable, Equatable {
    public var groupID: String
    public var generation: Int32
    public var memberID: String
    public var instanceID: String?

    public init(groupID: String, generation: Int32, memberID: String, instanceID: String? = nil) {
        self.groupID = groupID
        self.generation = generation
        self.memberID = memberID
        self.instanceID = instanceID
    }
}

/// Takes members out of a group.
public struct LeaveGroup: Sendable, Equatable {
    /// A member that is to leave: by its id, or a static one by its instance id alone.
    public struct Leaver: Sendable, Equatable {
        /// May be empty if there is an instance id.
        public var memberID: String
        public var instanceID: String?

        public init(memberID: String, instanceID: String? = nil) {
            self.memberID = memberID
            self.instanceID = instanceID
        }
    }

    public var groupID: String
    public var members: [Leaver]

    public init(groupID: String, members: [Leaver]) {
        self.groupID = groupID
        self.members = members
    }

    /// What became of one of those that were to leave.
    public struct Outcome: Sendable, Equatable {
        public var member: Leaver
        public var error: GroupError?

        public init(member: Leaver, error: GroupError?) {
            self.member = member
            self.error = error
        }
    }

    /// One outcome for each member of the request, in its order.
    public struct Answer: Sendable, Equatable {
        /// Of the request as a whole; then there are no outcomes.
        public var error: GroupError?
        public var outcomes: [Outcome] = []

        public init(error: GroupError? = nil, outcomes: [Outcome] = []) {
            self.error = error
            self.outcomes = outcomes
        }
    }
}
