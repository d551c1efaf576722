// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import Faults
internal import LogAPI

/// Bounds on what is asked of gossip, before anything is done with it.
enum MemberChecks {
    /// Addresses in one join.
    static let addressesMax = 64
    /// Bytes of one address.
    static let addressSizeMax = 300
    /// Bytes of a member's name.
    static let nameSizeMax = 255
    /// Members that a query names.
    static let queryMembersMax = 64
    /// Tags that a query names.
    static let queryTagsMax = 16
    /// Other members that pass an answer on.
    static let relayFactorMax = 8
    /// Milliseconds that answers are waited for.
    static let timeoutMax: Int64 = 60_000

    /// A member's name.
    static func name(_ text: String) throws(Fault) -> String {
        guard !text.isEmpty else { throw Fault(.invalidArgument, "the member's name is missing") }
        guard text.utf8.count <= nameSizeMax else {
            throw Fault(.invalidArgument, "a member's name has at most \(nameSizeMax) bytes")
        }
        return text
    }

    /// Statuses that were named; each is one that members can have.
    static func statuses(_ texts: [String]) throws(Fault) -> [ClusterMember.Status] {
        guard texts.count <= 16 else { throw Fault(.invalidArgument, "more than 16 statuses") }
        var statuses: [ClusterMember.Status] = []
        for text in texts {
            guard let status = ClusterMember.Status(rawValue: text) else {
                throw Fault(
                    .invalidArgument, "members are alive, leaving, left or failed, not '\(text)'")
            }
            statuses.append(status)
        }
        return statuses
    }

    /// Addresses to join.
    static func addresses(_ texts: [String]) throws(Fault) -> [String] {
        guard (1...addressesMax).contains(texts.count) else {
            throw Fault(
                .invalidArgument, "1 to \(addressesMax) addresses are joined, not \(texts.count)")
        }
        guard texts.allSatisfy({ $0.utf8.count <= addressSizeMax }) else {
            throw Fault(.invalidArgument, "an address has at most \(addressSizeMax) bytes")
        }
        return texts
    }

    /// How long to wait; `nil` where the request leaves it to the server.
    static func timeout(_ milliseconds: Int64) throws(Fault) -> Duration? {
        guard (0...timeoutMax).contains(milliseconds) else {
            throw Fault(
                .invalidArgument, "timeout_ms is 0 to \(timeoutMax), not \(milliseconds)")
        }
        return milliseconds == 0 ? nil : .milliseconds(milliseconds)
    }

    /// What to do with a key.
    static func action(_ action: Cordwood_V1_KeyAction) throws(Fault) -> KeyAction {
        switch action {
        case .install: .install
        case .use: .use
        case .remove: .remove
        case .unspecified, .UNRECOGNIZED:
            throw Fault(.invalidArgument, "action is install, use or remove")
        }
    }

    /// The query that a request asks for.
    static func query(_ request: Cordwood_V1_QueryMembersRequest) throws(Fault) -> MemberQuery {
        guard !request.name.isEmpty else {
            throw Fault(.invalidArgument, "the query has no name")
        }
        guard request.members.count <= queryMembersMax, request.tags.count <= queryTagsMax else {
            throw Fault(
                .invalidArgument,
                "a query names at most \(queryMembersMax) members and \(queryTagsMax) tags")
        }
        guard (0...relayFactorMax).contains(Int(request.relayFactor)) else {
            throw Fault(
                .invalidArgument,
                "relay_factor is 0 to \(relayFactorMax), not \(request.relayFactor)")
        }
        return MemberQuery(
            name: request.name, payload: request.payloadBytes, members: request.members,
            tags: request.tags.sorted { $0.key < $1.key }.map {
                MemberQuery.TagFilter(tag: $0.key, expression: $0.value)
            },
            wantsAcknowledgements: request.acknowledge,
            relayFactor: UInt8(clamping: request.relayFactor),
            timeout: try timeout(request.timeoutMs))
    }
}
