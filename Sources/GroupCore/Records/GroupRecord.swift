// SPDX-License-Identifier: Apache-2.0

/// A durable fact: a key, and what holds of it from here on, or that nothing does any more.
///
/// A later fact of the same key replaces an earlier one, so a log of them can be compacted by key, or
/// rewritten from ``GroupCore/snapshotRecords(from:countMax:)``.
public enum GroupRecord: Sendable, Equatable {
    /// The group's last stable or empty generation; `nil` if the group is gone.
    case group(id: String, GroupMetadata?)
    /// How far a group has come in a partition; `nil` if that is forgotten.
    case offset(group: String, TopicPartition, CommittedOffset?)
}

/// A generation of a group that was completed, or that has no members.
public struct GroupMetadata: Sendable, Equatable {
    /// A member of the generation.
    public struct Member: Sendable, Equatable {
        public var memberID: String
        public var instanceID: String?
        public var clientID: String
        public var clientHost: String
        /// In milliseconds.
        public var sessionTimeout: Int64
        public var rebalanceTimeout: Int64
        public var protocols: [JoinGroup.Offer]
        public var assignment: [UInt8]

        public init(
            memberID: String, instanceID: String?, clientID: String, clientHost: String,
            sessionTimeout: Int64, rebalanceTimeout: Int64, protocols: [JoinGroup.Offer],
            assignment: [UInt8]
        ) {
            self.memberID = memberID
            self.instanceID = instanceID
            self.clientID = clientID
            self.clientHost = clientHost
            self.sessionTimeout = sessionTimeout
            self.rebalanceTimeout = rebalanceTimeout
            self.protocols = protocols
            self.assignment = assignment
        }
    }

    public var generation: Int32
    /// Empty for a group that never had members.
    public var protocolType: String
    /// The protocol of the generation; `nil` without members.
    public var protocolName: String?
    public var leaderID: String?
    /// Since when the group is in this state, in milliseconds since 1970.
    public var stateTime: Int64
    /// By member id.
    public var members: [Member]

    public init(
        generation: Int32, protocolType: String, protocolName: String?, leaderID: String?,
        stateTime: Int64, members: [Member]
    ) {
        self.generation = generation
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.leaderID = leaderID
        self.stateTime = stateTime
        self.members = members
    }
}

/// Why bytes are not a fact.
public enum GroupRecordError: Error, Sendable, Equatable {
    /// The key or the value is cut short, has bytes too many, or names a length it does not have.
    case malformed(String)
    /// A version that is not known here.
    case unknownVersion(UInt8)
    /// A kind of fact that is not known here.
    case unknownKind(UInt8)
}
