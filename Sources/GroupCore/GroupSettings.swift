// SPDX-License-Identifier: Apache-2.0

/// What the coordinator of groups is set to.
///
/// Times are in milliseconds.
public struct GroupSettings: Sendable, Equatable {
    /// The least session timeout that a member may ask for: below it, a pause of a client's runtime
    /// would count as its death.
    public var sessionTimeoutMin: Int64 = 6000
    /// The greatest session timeout that a member may ask for: how long a dead member may hold up its
    /// partitions.
    public var sessionTimeoutMax: Int64 = 1_800_000
    /// How long an empty group waits for further members before its first generation.
    ///
    /// Members that are started together then share one rebalance instead of one each. Kafka waits
    /// 3 s, which a person in front of a terminal feels at each start; half a second is enough for
    /// processes that one command starts, and each further member extends the wait anyway.
    public var initialRebalanceDelay: Int64 = 500
    /// How long a member without a known id may wait for a generation: it cannot send heartbeats.
    public var newMemberJoinTimeout: Int64 = 300_000
    /// How long a group is remembered that has neither members nor offsets.
    public var emptyGroupRetention: Int64 = 600_000
    /// How long the offsets of a group without members are kept; `nil` for as long as their topic.
    public var offsetRetention: Int64?
    /// How often offsets are looked through for those to be forgotten.
    public var offsetRetentionCheckInterval: Int64 = 600_000
    /// The most groups.
    public var groupsMax = 100_000
    /// The most members of a group, and the most that are told an id and have not come back with it.
    public var membersMax = 1000
    /// The most bytes that the members of a group make the coordinator keep: what they say of
    /// themselves, and their assignments.
    public var memberBytesMax = 32 << 20
    /// The most partitions that a group has committed an offset of.
    public var offsetsMax = 100_000
    /// The most bytes of a group's committed offsets, as records: the most that one request can write
    /// or delete.
    public var offsetBytesMax = 32 << 20
    /// The most bytes of the metadata beside a committed offset, in UTF-8.
    public var offsetMetadataSizeMax = 4096

    /// The default settings.
    public init() {}
}
