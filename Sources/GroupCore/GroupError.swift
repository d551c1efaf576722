// SPDX-License-Identifier: Apache-2.0

/// Why a request of a group failed.
///
/// The raw value is the error code of Kafka's protocol.
public enum GroupError: Int16, Error, Sendable, Hashable, CaseIterable {
    /// The metadata beside a committed offset is too long.
    case offsetMetadataTooLarge = 12
    /// The records have not been replayed yet.
    case coordinatorLoadInProgress = 14
    /// Something could not be made durable, the group is being deleted, or there are too many groups.
    case coordinatorNotAvailable = 15
    /// The generation is not the group's current one.
    case illegalGeneration = 22
    /// The member supports no protocol that all others support, or believes in another one.
    case inconsistentGroupProtocol = 23
    /// The group's id is empty.
    case invalidGroupID = 24
    /// The group has no such member.
    case unknownMemberID = 25
    /// The session timeout is outside of what the coordinator allows.
    case invalidSessionTimeout = 26
    /// A rebalance began: join again.
    case rebalanceInProgress = 27
    /// The group has committed offsets of too many partitions.
    case invalidCommitOffsetSize = 28
    /// A field has a value that it cannot have.
    case invalidRequest = 42
    /// The group has members.
    case nonEmptyGroup = 68
    /// There is no such group.
    case groupIDNotFound = 69
    /// Join again with the member id of the answer.
    case memberIDRequired = 79
    /// The group has as many members, or as many bytes of them, as it may.
    case groupMaxSizeReached = 81
    /// Another member took over the instance id.
    case fencedInstanceID = 82
    /// Members are subscribed to the topic.
    case groupSubscribedToTopic = 86
}

/// The states of a group, with Kafka's names.
public enum GroupState: String, Sendable, Hashable, CaseIterable {
    /// No members; perhaps offsets.
    case empty = "Empty"
    /// A rebalance has begun: members are to join.
    case preparingRebalance = "PreparingRebalance"
    /// All have joined: the leader is to hand in the assignment.
    case completingRebalance = "CompletingRebalance"
    /// Every member has its assignment.
    case stable = "Stable"
    /// The group is being deleted, or is not there.
    case dead = "Dead"
}
