// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import LogAPI
internal import Records

extension CordwoodClient {
    /// Who is in the cluster, as the server's gossip knows it.
    ///
    /// - Parameter statuses: Members that do so; all when empty.
    /// - Throws: ``CordwoodError/Code/invalidArgument`` for a status that the server does not know.
    public func listMembers(
        statuses: [ClusterMember.Status] = []
    ) async throws(CordwoodError) -> ClusterMembers {
        var request = Cordwood_V1_ListMembersRequest()
        request.statuses = statuses.map(\.rawValue)
        let answer = try await connection.call { options in
            try await connection.members.listMembers(request, options: options)
        }
        return ClusterMembers(
            members: answer.members.map(ClusterMember.init),
            gossip: ClusterMembers.Gossip(answer.gossip))
    }

    /// Hands over the members and then each change, until the task is cancelled or the server stops.
    ///
    /// - Parameter onChange: Called with one after the other.
    public func watchMembers(
        onChange: @escaping @Sendable (ClusterMemberChange) -> Void
    ) async throws(CordwoodError) {
        try await connection.stream { options, acceptance in
            try await self.connection.members.watchMembers(
                Cordwood_V1_WatchMembersRequest(), options: options
            ) { response in
                acceptance.mark()
                for try await message in response.messages {
                    onChange(
                        ClusterMemberChange(
                            change: message.change, member: ClusterMember(message.member)))
                }
            }
        }
    }

    /// Lets the server join the members at some addresses, and through them all others.
    ///
    /// - Parameters:
    ///   - addresses: `host:port`; port 8401 where none is named.
    ///   - replayEvents: Whether user events that were sent before are delivered too.
    /// - Throws: ``CordwoodError/Code/joinFailed`` if none answered.
    @discardableResult
    public func joinMembers(
        _ addresses: [String], replayEvents: Bool = false
    ) async throws(CordwoodError) -> JoinOutcome {
        var request = Cordwood_V1_JoinMembersRequest()
        request.addresses = addresses
        request.replayEvents = replayEvents
        let answer = try await connection.call { options in
            try await connection.members.joinMembers(request, options: options)
        }
        return JoinOutcome(
            joined: Int(answer.joined),
            failures: answer.failures.map { .init(address: $0.address, reason: $0.reason) })
    }

    /// Lets the server leave its cluster.
    ///
    /// It goes on to serve records, and takes part again when it is started anew.
    public func leaveMembers() async throws(CordwoodError) {
        _ = try await connection.call { options in
            try await connection.members.leaveMembers(.init(), options: options)
        }
    }

    /// Lets a failed member count as left; with `prune`, it is forgotten.
    ///
    /// One that is alive stays: it contradicts.
    ///
    /// - Throws: ``CordwoodError/Code/memberNotFound``.
    public func forceLeave(
        _ member: String, prune: Bool = false
    ) async throws(CordwoodError) {
        var request = Cordwood_V1_ForceLeaveRequest()
        request.name = member
        request.prune = prune
        _ = try await connection.call { options in
            try await connection.members.forceLeave(request, options: options)
        }
    }

    /// Sends a user event to all members.
    ///
    /// - Parameters:
    ///   - event: The name, for those who wait for it.
    ///   - payload: Any bytes; with the name, at most 512.
    ///   - coalesce: Whether members may drop all but the latest of this name.
    public func sendEvent(
        _ event: String, payload: [UInt8] = [], coalesce: Bool = false
    ) async throws(CordwoodError) {
        var request = Cordwood_V1_SendEventRequest()
        request.name = event
        request.payloadBytes = payload
        request.coalesce = coalesce
        _ = try await connection.call { options in
            try await connection.members.sendEvent(request, options: options)
        }
    }

    /// Asks members, and hands over what they say until the query's time is over.
    public func queryMembers(
        _ query: MemberQuery, onNews: @escaping @Sendable (MemberQuery.News) -> Void
    ) async throws(CordwoodError) {
        let request = query.message
        try await connection.stream { options, acceptance in
            try await self.connection.members.queryMembers(request, options: options) { response in
                acceptance.mark()
                for try await message in response.messages {
                    switch message.what {
                    case .acknowledgement(let name): onNews(.acknowledged(name))
                    case .answer(let answer):
                        onNews(.answered(answer.member, payload: answer.payloadBytes))
                    // A newer server knows more news.
                    case nil: continue
                    }
                }
            }
        }
    }

    /// Asks every member to acknowledge, and hands over who does until the time is over.
    ///
    /// - Parameter timeout: How long; by the number of members when `nil`.
    public func checkReachability(
        timeout: Duration? = nil, onNews: @escaping @Sendable (ReachabilityNews) -> Void
    ) async throws(CordwoodError) {
        var request = Cordwood_V1_CheckReachabilityRequest()
        request.timeoutMs = timeout?.wholeMilliseconds ?? 0
        let asked = request
        try await connection.stream { options, acceptance in
            try await self.connection.members.checkReachability(asked, options: options) {
                response in
                acceptance.mark()
                for try await message in response.messages {
                    switch message.what {
                    case .asked(let members): onNews(.asked(members.names))
                    case .acknowledgement(let name): onNews(.acknowledged(name))
                    case nil: continue
                    }
                }
            }
        }
    }

    /// Changes the keys that all members encrypt gossip with.
    ///
    /// A rotation is install, use, remove, in this order, each once the one before was complete.
    ///
    /// - Parameter key: 16, 24 or 32 bytes.
    /// - Throws: ``CordwoodError/Code/gossipNotEncrypted``.
    public func changeKey(
        _ action: KeyAction, _ key: [UInt8]
    ) async throws(CordwoodError) -> KeyOutcome {
        var request = Cordwood_V1_ChangeKeyRequest()
        request.keyBytes = key
        request.action =
            switch action {
            case .install: .install
            case .use: .use
            case .remove: .remove
            }
        let answer = try await connection.call { options in
            try await connection.members.changeKey(request, options: options)
        }
        return KeyOutcome(
            askedCount: Int(answer.asked), answeredCount: Int(answer.answered), keys: [],
            failures: answer.failures.map { .init(member: $0.member, reason: $0.reason) })
    }

    /// The keys that the members have, by fingerprint.
    ///
    /// - Throws: ``CordwoodError/Code/gossipNotEncrypted``.
    public func listKeys() async throws(CordwoodError) -> KeyOutcome {
        let answer = try await connection.call { options in
            try await connection.members.listKeys(.init(), options: options)
        }
        return KeyOutcome(
            askedCount: Int(answer.asked), answeredCount: Int(answer.answered),
            keys: answer.keys.map {
                .init(
                    fingerprint: $0.fingerprint, memberCount: Int($0.members),
                    primaryCount: Int($0.primaries))
            },
            failures: answer.failures.map { .init(member: $0.member, reason: $0.reason) })
    }

    /// The time of a packet between two members and back, estimated from their coordinates.
    ///
    /// - Parameters:
    ///   - from: The name of one.
    ///   - to: The name of the other; the server's own when `nil`.
    /// - Throws: ``CordwoodError/Code/memberNotFound`` also where a coordinate is not known yet.
    public func roundTrip(
        from: String, to: String? = nil
    ) async throws(CordwoodError) -> (from: String, to: String, time: Duration) {
        var request = Cordwood_V1_GetRoundTripRequest()
        request.from = from
        request.to = to ?? ""
        let answer = try await connection.call { options in
            try await connection.members.getRoundTrip(request, options: options)
        }
        return (answer.from, answer.to, .nanoseconds(answer.roundTripNs))
    }
}

extension ClusterMember {
    init(_ message: Cordwood_V1_Member) {
        func text(_ value: String) -> String? { value.isEmpty ? nil : value }
        name = message.name
        address = message.address
        status = Status(rawValue: message.status)
        since = Timestamp(milliseconds: message.sinceMs)
        tags = message.tags
        isServer = message.isServer
        isLocal = message.isLocal
        storeID = text(message.storeID)
        grpcAddress = text(message.grpcAddress)
        kafkaAddress = text(message.kafkaAddress)
        adminAddress = text(message.adminAddress)
        cluster = text(message.cluster)
        version = text(message.version)
    }
}

extension ClusterMembers.Gossip {
    init(_ message: Cordwood_V1_Gossip) {
        state = message.state
        detail = message.detail
        address = message.address
        healthScore = Int(message.healthScore)
        isEncrypted = message.encrypted
        cluster = message.cluster
    }
}

extension MemberQuery {
    var message: Cordwood_V1_QueryMembersRequest {
        var request = Cordwood_V1_QueryMembersRequest()
        request.name = name
        request.payloadBytes = payload
        request.members = members
        request.tags = tags
        request.acknowledge = wantsAcknowledgements
        request.relayFactor = Int32(clamping: relayFactor)
        request.timeoutMs = timeout?.wholeMilliseconds ?? 0
        return request
    }
}

extension Duration {
    /// Milliseconds, at least one: 0 would leave the time to the server.
    fileprivate var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1000)
        return isTooLong ? .max : max(1, product + attoseconds / 1_000_000_000_000_000)
    }
}
