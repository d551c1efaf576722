// SPDX-License-Identifier: Apache-2.0

public import SwimCore

/// What may be chosen about a node.
///
/// The presets are those of Serf 0.9 and 0.10.
public struct SerfSettings: Sendable, Equatable {
    /// The failure detector and the gossip below.
    public var swim: SwimSettings
    /// What all members agree on: a node that has one of these tags with another value is refused.
    ///
    /// One without the tag is let in, so that a stock agent can look in. Empty: all are let in.
    public var commonTags: [String: String] = [:]
    /// How often one failed member is tried again, with a chance that grows with their number.
    public var reconnectInterval: Duration = .seconds(30)
    /// How long a failed member is remembered and tried.
    public var reconnectTimeout: Duration = .seconds(24 * 3600)
    /// How long a member that left is remembered.
    public var tombstoneTimeout: Duration = .seconds(24 * 3600)
    /// How often the two above are looked at.
    public var reapInterval: Duration = .seconds(15)
    /// How long an intent about an unknown member is kept for the day that it is known.
    public var intentTimeout: Duration = .seconds(300)
    /// How long a command waits until the others were told.
    ///
    /// Leaving goes on after it.
    public var broadcastTimeout: Duration = .seconds(5)
    /// How long a node that has left still answers, so that the news can spread.
    public var leaveDelay: Duration = .seconds(1)
    /// How many event times back are remembered, to deliver each event once: 1 to 65,536.
    public var eventBuffer = 512
    /// How many query times back are remembered, to see to each query once: 1 to 65,536.
    public var queryBuffer = 512
    /// What a user event of this node may take, in bytes: name and payload, and encoded.
    public var eventSizeMax = 512
    /// What a query of this node may take, encoded, in bytes.
    public var querySizeMax = 1024
    /// What an answer of this node may take, encoded, in bytes.
    public var responseSizeMax = 1024
    /// How many messages each of the three queues holds; the most transmitted are dropped beyond.
    public var queueDepthMax = 4096
    /// A query's default timeout: the gossip interval, times this, times the decimal digits of the
    /// number of live members.
    public var queryTimeoutMult = 16
    /// Whether a node whose name another has asks the others which of the two they know, and stops if
    /// it is not this one.
    public var resolvesConflicts = true
    /// Whether the node estimates round trips from network coordinates (Vivaldi).
    public var keepsCoordinates = true
    /// How many members are kept, of any status; further ones are refused.
    public var memberCountMax = 65_536
    /// How many intents about unknown members are kept; further ones are dropped.
    public var intentCountMax = 4096
    /// How many commands may be under way, and how many received queries may wait for an answer.
    public var openCountMax = 1024

    /// Settings over those of a memberlist.
    public init(swim: SwimSettings) {
        self.swim = swim
    }

    /// For members in one data centre.
    public static let lan = SerfSettings(swim: .lan)
    /// For members that are far apart.
    public static let wan = SerfSettings(swim: .wan)
    /// For members on one machine.
    public static let local = SerfSettings(swim: .local)
}
