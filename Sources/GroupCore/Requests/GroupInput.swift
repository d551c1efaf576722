// SPDX-License-Identifier: Apache-2.0

public import Records

/// When something happened, by both kinds of clock.
public struct GroupTime: Sendable, Equatable {
    /// Milliseconds of a clock that never goes back, from any beginning: what timeouts are measured by.
    public var milliseconds: Int64
    /// The time of day: what commits are stamped with.
    public var wallTime: Timestamp

    /// The moment of these two clocks.
    public init(milliseconds: Int64, wallTime: Timestamp) {
        self.milliseconds = milliseconds
        self.wallTime = wallTime
    }
}

/// The name that a caller gave to a request, to know the answer by.
///
/// No two requests that wait at the same time have the same.
public struct RequestID: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ value: UInt64) { rawValue = value }
}

/// The name of an append: it grows by one with each.
public struct AppendToken: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public static func < (left: AppendToken, right: AppendToken) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What members and tools ask.
public enum GroupRequest: Sendable, Equatable {
    case joinGroup(JoinGroup)
    case syncGroup(SyncGroup)
    case heartbeat(Heartbeat)
    case leaveGroup(LeaveGroup)
    case offsetCommit(OffsetCommit)
    case offsetFetch(OffsetFetch)
    case describeGroups(DescribeGroups)
    case listGroups(ListGroups)
    case deleteGroups(DeleteGroups)
    case offsetDelete(OffsetDelete)
}

/// What the coordinator answers: the case is the request's.
public enum GroupResponse: Sendable, Equatable {
    case joinGroup(JoinGroup.Answer)
    case syncGroup(SyncGroup.Answer)
    case heartbeat(GroupError?)
    case leaveGroup(LeaveGroup.Answer)
    case offsetCommit(OffsetCommit.Answer)
    case offsetFetch(OffsetFetch.Answer)
    case describeGroups(DescribeGroups.Answer)
    case listGroups(ListGroups.Answer)
    case deleteGroups(DeleteGroups.Answer)
    case offsetDelete(OffsetDelete.Answer)
}

/// Something that happened to a group and is worth a line in a log or a count.
public enum GroupObservation: Sendable, Equatable {
    /// Members were asked to join again.
    case rebalanceBegan(group: String, generation: Int32, reason: RebalanceReason)
    /// All have joined.
    case generationBegan(group: String, generation: Int32, memberCount: Int, protocolName: String)
    /// Every member can have its assignment.
    case becameStable(group: String, generation: Int32)
    /// The last member went.
    case becameEmpty(group: String, generation: Int32)
    /// A member is no longer in the group.
    case memberRemoved(group: String, memberID: String, reason: MemberRemovalReason)
    /// A group is gone, with its offsets.
    case groupRemoved(group: String)
    /// Offsets were forgotten because of their age.
    case offsetsExpired(group: String, count: Int)
    /// Something of the group could not be made durable.
    case appendFailed(group: String)
}

/// Why members were asked to join again.
public enum RebalanceReason: String, Sendable, Equatable {
    case memberJoined = "a member joined"
    case memberRejoined = "a member asked for it"
    case memberLeft = "a member left"
    case memberExpired = "a member was not heard of"
    case memberDidNotSync = "a member did not fetch its assignment"
    case assignmentNotStored = "the assignment could not be stored"
}

/// Why a member is no longer in a group.
public enum MemberRemovalReason: String, Sendable, Equatable {
    case left = "it left"
    case sessionTimeout = "its session timed out"
    case rebalanceTimeout = "it did not join again in time"
    case syncTimeout = "it did not fetch its assignment in time"
    case replaced = "another took over its instance id"
    case connectionClosed = "its connection closed while it joined"
    case groupFull = "the group is full"
}
