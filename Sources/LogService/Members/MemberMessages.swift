// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import LogAPI
internal import SwiftProtobuf

extension Cordwood_V1_Member {
    /// The message of a member.
    ///
    /// - Parameter localName: The name of the server that answers.
    init(_ member: ClusterMember, localName: String) {
        self.init()
        name = member.name
        address = member.address
        status = member.status.rawValue
        sinceMs = member.since
        // A member that repeats a tag has said one of them last; which one no longer shows.
        tags = Dictionary(member.tags.map { ($0.name, $0.value) }) { $1 }
        isServer = member.isServer
        isLocal = member.name == localName
        storeID = member.storeID ?? ""
        grpcAddress = member.grpcAddress ?? ""
        kafkaAddress = member.kafkaAddress ?? ""
        adminAddress = member.adminAddress ?? ""
        cluster = member.cluster ?? ""
        version = member.version ?? ""
    }
}

extension Cordwood_V1_Gossip {
    /// The message of a status.
    init(_ status: GossipStatus, healthScore score: Int) {
        self.init()
        state = status.state.rawValue
        detail = status.detail
        address = status.address
        healthScore = Int32(clamping: score)
        encrypted = status.isEncrypted
        cluster = status.cluster
    }
}

extension Cordwood_V1_QueryMembersResponse {
    /// The message of what a member said.
    init(_ news: MemberQuery.News) {
        self.init()
        switch news {
        case .acknowledged(let name): acknowledgement = name
        case .answered(let name, let payload):
            answer.member = name
            answer.payloadBytes = payload
        }
    }
}

extension Cordwood_V1_KeyFailure {
    /// The message of a member that did not do what was asked.
    init(_ failure: KeyOutcome.Failure) {
        self.init()
        member = failure.member
        reason = failure.reason
    }
}

extension MemberEvent {
    /// The word that the API has for it.
    var word: String {
        switch self {
        case .joined: "joined"
        case .updated: "updated"
        case .leaving: "leaving"
        case .left: "left"
        case .failed: "failed"
        case .removed: "removed"
        }
    }
}

extension Duration {
    /// The time in nanoseconds.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return isTooLong ? .max : product + attoseconds / 1_000_000_000
    }
}
