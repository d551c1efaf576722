// SPDX-License-Identifier: Apache-2.0

public import SerfWire
public import SwimCore

/// What is known of a node of the cluster.
public struct Member: Sendable, Equatable {
    /// Its name, by which it is known.
    public var name: String
    /// Where it hears, UDP and TCP.
    public var endpoint: Endpoint
    /// What it says of itself.
    public var tags: [String: String]
    /// Whether it is there.
    public var status: MemberStatus
    /// Which versions of the protocols it speaks.
    public var versions: Versions
    /// The member clock's time of the newest intent about it.
    public var statusTime: LamportTime
    /// When its status changed last, by this node's clock.
    public var since: Moment

    /// A member.
    public init(
        name: String, endpoint: Endpoint, tags: [String: String], status: MemberStatus,
        versions: Versions, statusTime: LamportTime, since: Moment
    ) {
        self.name = name
        self.endpoint = endpoint
        self.tags = tags
        self.status = status
        self.versions = versions
        self.statusTime = statusTime
        self.since = since
    }
}

/// Whether a member is there.
///
/// The raw values are those on the wire.
public enum MemberStatus: UInt8, Sendable, Hashable, CaseIterable {
    /// It answers.
    case alive = 1
    /// It has said that it leaves.
    case leaving = 2
    /// It said that it leaves, and is gone; or was forced to.
    case left = 3
    /// It does not answer, and has not said that it leaves.
    case failed = 4
}

extension MemberStatus: CustomStringConvertible {
    /// The word that Serf's own tools print.
    public var description: String {
        switch self {
        case .alive: "alive"
        case .leaving: "leaving"
        case .left: "left"
        case .failed: "failed"
        }
    }
}
