// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SwimCore

/// What is going to happen in a simulated cluster.
enum GossipEvent {
    /// A core is told the time; nothing if the node has been started anew since.
    case tick(node: Int, life: Int)
    /// A packet arrives; `from` is -1 for one that nobody has sent.
    case packet(from: Int, to: Int, [UInt8])
    case request(stream: Int, [UInt8])
    case answer(stream: Int, [UInt8])
    case streamEnd(stream: Int, StreamFailure)
    /// A process is started, if nothing was mended at once since this was planned.
    case start(node: Int, era: Int)
    /// A node whose seeds did not answer tries again.
    case join(node: Int, life: Int)
    case thaw(node: Int, life: Int)
    /// A node answers a query.
    case respond(node: Int, life: Int, QueryToken, [UInt8])
    /// Links that were cut are whole again; nothing if all were mended since.
    case mend([Link], era: Int)
    /// Packets are as fast, or as safe, as before.
    case clear(slowness: Int64, loss: Int, era: Int)
    /// An act of the plan.
    case act(Int)
    /// Looks how the cluster is.
    case look

    struct Link: Equatable {
        var from: Int
        var to: Int
    }
}

/// A place in the simulator that a hunt wants to have been at.
public enum GossipMark: UInt8, Sendable, CaseIterable {
    case restarted
    case restartedKnowingOthers
    case restartedSilently
    case frozen
    case thawedLate
    case linkCut
    case partitioned
    case streamsBroken
    case packetReplayed
    case rubbishReceived
    case left
    case crashedLeaving
    case forcedToLeave
    case pruned
    case reaped
    case suspected
    case confirmed
    case refuted
    case failedFalsely
    case failedTruly
    case probedByStream
    case healthChanged
    case reconnected
    case leaveRefuted
    case eventDelivered
    case queryAcknowledged
    case queryAnswered
    case relayed
    case tagsChanged
    case keysRotated
    case broughtTogether
}

/// A set of the simulator's marks.
public struct GossipMarks: Sendable, Equatable {
    public private(set) var bits: UInt64 = 0

    public init() {}

    public init(bits: UInt64) { self.bits = bits }

    public func contains(_ mark: GossipMark) -> Bool { bits & (1 << UInt64(mark.rawValue)) != 0 }
    public mutating func formUnion(_ other: GossipMarks) { bits |= other.bits }
    mutating func insert(_ mark: GossipMark) { bits |= 1 << UInt64(mark.rawValue) }
}
