// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// A member, and what only the layer needs to know of it.
struct MemberRecord: Sendable {
    var member: Member
    /// Whether somebody asked to forget it, before it was gone.
    var isToBePruned = false
    /// Whether its status time is that of a join as far as a peer's state says so, which may have been
    /// an intent to leave.
    var isTimeHearsay = false
    /// Its last coordinate.
    var coordinate: Coordinate?
    /// The last round trips to it, in seconds.
    var latencies = LatencyFilter()

    /// A node that the memberlist has found.
    init(_ node: SwimNode, tags: [String: String], at now: Moment) {
        member = Member(
            name: node.name, endpoint: node.endpoint, tags: tags, status: .alive,
            versions: node.versions, statusTime: .zero, since: now)
    }

    /// Takes over what a node says of itself.
    mutating func refresh(_ node: SwimNode, tags: [String: String]) {
        member.endpoint = node.endpoint
        member.tags = tags
        member.versions = node.versions
    }

    /// Changes the status.
    mutating func become(_ status: MemberStatus, at now: Moment) {
        guard member.status != status else { return }
        member.status = status
        member.since = now
    }
}
