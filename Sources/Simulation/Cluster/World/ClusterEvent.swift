// SPDX-License-Identifier: Apache-2.0

/// What is going to happen in a simulated cluster.
enum ClusterEvent<Packet> {
    /// A node's clock ticks; nothing if the node has been started anew since.
    case tick(slot: Int, life: Int)
    case deliver(from: Int, to: Int, Packet)
    case disk(slot: Int, life: Int, DiskOperation, fails: Bool)
    /// A node hands on the proposals that have gathered.
    case propose(slot: Int, life: Int)
    /// A client's request reaches a node.
    case request(slot: Int, operation: Int, attempt: Int)
    case answer(operation: Int, attempt: Int, OperationAnswer)
    case polled(operation: Int, attempt: Int, PollAnswer)
    case client(Int)
    case timeout(operation: Int)
    case fault(Int)
    case heal
    case start(slot: Int)
    case resume(slot: Int)
    case exit(slot: Int, life: Int)
    case diskHasRoom(slot: Int, life: Int)
    /// Looks whether the end is reached.
    case look
}

/// A place in the simulator that a hunt wants to have been at.
public enum ClusterMark: UInt8, Sendable, CaseIterable {
    case restarted
    case unsyncedEntriesLost
    case wholeClusterCut
    case diskWiped
    case storageFailed
    case damagedAtStart
    case paused
    case linkCut
    case linkClogged
    case messageReplayed
    case stalledSync
    case diskFull
    case startMoved
    case logReset
    case memberAdded
    case memberRemoved
    case memberReplaced
    case voterPromoted
    case appendAcknowledged
    case appendUnknown
    case appendRefused
    case endRead
    case polled
    case pollOutOfRange
    case rumourHeard
    case convergedWithMinorityDown
    case joinedLate
    case crashedInCall
    case handedOn
}

/// A set of the simulator's marks.
public struct ClusterMarks: Sendable, Equatable {
    private var bits: UInt64 = 0

    public init() {}

    public func contains(_ mark: ClusterMark) -> Bool { bits & (1 << UInt64(mark.rawValue)) != 0 }
    public mutating func formUnion(_ other: ClusterMarks) { bits |= other.bits }
    mutating func insert(_ mark: ClusterMark) { bits |= 1 << UInt64(mark.rawValue) }
}
