// SPDX-License-Identifier: Apache-2.0

/// Asks for groups with their members.
public struct DescribeGroups: Sendable, Equatable {
    public var groupIDs: [String]

    public init(groupIDs: [String]) { self.groupIDs = groupIDs }

    /// A member as the protocol describes it.
    public struct Member: Sendable, Equatable {
        public var memberID: String
        public var instanceID: String?
        public var clientID: String
        public var clientHost: String
        /// What it said in the chosen protocol; empty unless the group is stable.
        public var metadata: [UInt8]
        /// Empty unless the group is stable.
        public var assignment: [UInt8]
    }

    /// A group as the protocol describes it.
    public struct Group: Sendable, Equatable {
        public var groupID: String
        /// ``GroupError/groupIDNotFound`` for one that is not there: versions before 6 say only that
        /// it is dead.
        public var error: GroupError?
        public var state: GroupState
        public var protocolType: String
        /// Empty unless the group is stable.
        public var protocolName: String
        /// By member id.
        public var members: [Member]
    }

    /// The groups in the request's order.
    public struct Answer: Sendable, Equatable {
        public var groups: [Group]
    }
}

/// Asks which groups there are.
public struct ListGroups: Sendable, Equatable {
    /// Names of states, whatever their case; all if empty.
    public var states: [String]
    /// Names of types, whatever their case, of which ours all are `classic`; all if empty.
    public var types: [String]

    public init(states: [String] = [], types: [String] = []) {
        self.states = states
        self.types = types
    }

    /// A group of the list.
    public struct Group: Sendable, Equatable {
        public var groupID: String
        public var protocolType: String
        public var state: GroupState
        public var memberCount: Int
    }

    /// The groups by id.
    public struct Answer: Sendable, Equatable {
        /// Of the request as a whole; then there are no groups.
        public var error: GroupError?
        public var groups: [Group]

        /// The type of every group, as the protocol names it.
        public static let type = "classic"
    }
}

/// Deletes groups without members, with their offsets.
public struct DeleteGroups: Sendable, Equatable {
    public var groupIDs: [String]

    public init(groupIDs: [String]) { self.groupIDs = groupIDs }

    /// The error of each group, in the request's order; `nil` for one that is gone.
    public struct Answer: Sendable, Equatable {
        public var errors: [GroupError?]

        public init(errors: [GroupError?]) { self.errors = errors }
    }
}

/// A group with its members and offsets, for tools that look at how far behind it is.
public struct GroupOverview: Sendable, Equatable {
    /// A member, and what it owns.
    public struct Member: Sendable, Equatable {
        public var memberID: String
        public var instanceID: String?
        public var clientID: String
        public var clientHost: String
        /// By topic and number; empty unless the group is stable and its protocol that of consumers.
        public var partitions: [TopicPartition]
    }

    /// What is committed of a partition.
    public struct Commit: Sendable, Equatable {
        public var partition: TopicPartition
        public var committed: CommittedOffset
    }

    public var groupID: String
    public var state: GroupState
    public var protocolType: String
    public var protocolName: String
    public var generation: Int32
    /// By member id.
    public var members: [Member]
    /// By topic and number.
    public var commits: [Commit]
}

/// A partition by its topic's name.
public struct TopicPartition: Sendable, Hashable, Comparable {
    public var topic: String
    public var partition: Int32

    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}
