// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import Faults
internal import GRPCCore
internal import LogAPI
internal import SwiftProtobuf

/// cordwood.v1.MemberService: who is in the cluster, and what operators ask of gossip.
struct MemberServiceProvider: Cordwood_V1_MemberService.ServiceProtocol {
    private let servers: ServerRegistry
    private let gossip: any ServerGossip
    private let drain: ServiceDrain

    init(_ surroundings: Surroundings) {
        servers = surroundings.servers
        gossip = surroundings.gossip
        drain = surroundings.drain
    }

    // MARK: Who is there

    func listMembers(
        request: ServerRequest<Cordwood_V1_ListMembersRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_ListMembersResponse> {
        try await answer {
            let statuses = try MemberChecks.statuses(request.message.statuses)
            let status = gossip.status
            var response = Cordwood_V1_ListMembersResponse()
            response.members = servers.directory.members
                .filter { statuses.isEmpty || statuses.contains($0.status) }
                .map { Cordwood_V1_Member($0, localName: status.name) }
            response.gossip = Cordwood_V1_Gossip(
                status, healthScore: await gossip.healthScore())
            return response
        }
    }

    func watchMembers(
        request: ServerRequest<Cordwood_V1_WatchMembersRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Cordwood_V1_WatchMembersResponse> {
        let scope = CallScope(drain: drain, metadata: request.metadata)
        let localName = gossip.status.name
        return StreamingServerResponse { writer in
            try await withStatus {
                let (directory, updates) = servers.updates()
                try await scope.run {
                    try await MemberWatch(localName: localName, directory: directory)
                        .send(updates, to: writer)
                }
            }
            return [:]
        }
    }

    func getRoundTrip(
        request: ServerRequest<Cordwood_V1_GetRoundTripRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_GetRoundTripResponse> {
        try await answer {
            let from = try MemberChecks.name(request.message.from)
            let to = request.message.to.isEmpty ? gossip.status.name : request.message.to
            let time = try await gossip.roundTrip(from: from, to: MemberChecks.name(to))
            return .with {
                $0.from = from
                $0.to = to
                $0.roundTripNs = time.wholeNanoseconds
            }
        }
    }

    // MARK: Coming and going

    func joinMembers(
        request: ServerRequest<Cordwood_V1_JoinMembersRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_JoinMembersResponse> {
        try await answer {
            let addresses = try MemberChecks.addresses(request.message.addresses)
            let outcome = try await gossip.join(
                addresses, replayEvents: request.message.replayEvents)
            var response = Cordwood_V1_JoinMembersResponse()
            response.joined = Int32(clamping: outcome.joined)
            response.failures = outcome.failures.map { failure in
                .with {
                    $0.address = failure.address
                    $0.reason = failure.reason
                }
            }
            return response
        }
    }

    func leaveMembers(
        request: ServerRequest<Cordwood_V1_LeaveMembersRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_LeaveMembersResponse> {
        try await answer {
            try await gossip.leave()
            return Cordwood_V1_LeaveMembersResponse()
        }
    }

    func forceLeave(
        request: ServerRequest<Cordwood_V1_ForceLeaveRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_ForceLeaveResponse> {
        try await answer {
            try await gossip.forceLeave(
                MemberChecks.name(request.message.name), prune: request.message.prune)
            return Cordwood_V1_ForceLeaveResponse()
        }
    }

    // MARK: Events and queries

    func sendEvent(
        request: ServerRequest<Cordwood_V1_SendEventRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_SendEventResponse> {
        try await answer {
            let event = request.message
            guard !event.name.isEmpty else {
                throw Fault(.invalidArgument, "the event has no name")
            }
            try await gossip.send(
                event: event.name, payload: event.payloadBytes, mayCoalesce: event.coalesce)
            return Cordwood_V1_SendEventResponse()
        }
    }

    func queryMembers(
        request: ServerRequest<Cordwood_V1_QueryMembersRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Cordwood_V1_QueryMembersResponse> {
        let scope = CallScope(drain: drain, metadata: request.metadata)
        return StreamingServerResponse { writer in
            try await withStatus {
                let query = try MemberChecks.query(request.message)
                try await scope.run {
                    for await news in try await gossip.query(query) {
                        try await writer.write(Cordwood_V1_QueryMembersResponse(news))
                    }
                    // The stream of a cancelled task ends like one whose time is over.
                    try Task.checkCancellation()
                }
            }
            return [:]
        }
    }

    func checkReachability(
        request: ServerRequest<Cordwood_V1_CheckReachabilityRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Cordwood_V1_CheckReachabilityResponse> {
        let scope = CallScope(drain: drain, metadata: request.metadata)
        return StreamingServerResponse { writer in
            try await withStatus {
                let timeout = try MemberChecks.timeout(request.message.timeoutMs)
                try await scope.run {
                    let (asked, acknowledgements) = try await gossip.checkReachability(
                        timeout: timeout)
                    try await writer.write(.with { $0.asked.names = asked })
                    var silent = Set(asked)
                    for await name in acknowledgements {
                        try await writer.write(.with { $0.acknowledgement = name })
                        silent.remove(name)
                        if silent.isEmpty { return }
                    }
                    try Task.checkCancellation()
                }
            }
            return [:]
        }
    }

    // MARK: Keys

    func changeKey(
        request: ServerRequest<Cordwood_V1_ChangeKeyRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_ChangeKeyResponse> {
        try await answer {
            let action = try MemberChecks.action(request.message.action)
            let key = request.message.keyBytes
            guard [16, 24, 32].contains(key.count) else {
                throw Fault(.invalidArgument, "a key has 16, 24 or 32 bytes, not \(key.count)")
            }
            let outcome = try await gossip.changeKey(action, key)
            var response = Cordwood_V1_ChangeKeyResponse()
            response.asked = Int32(clamping: outcome.askedCount)
            response.answered = Int32(clamping: outcome.answeredCount)
            response.failures = outcome.failures.map(Cordwood_V1_KeyFailure.init)
            return response
        }
    }

    func listKeys(
        request: ServerRequest<Cordwood_V1_ListKeysRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_ListKeysResponse> {
        try await answer {
            let outcome = try await gossip.listKeys()
            var response = Cordwood_V1_ListKeysResponse()
            response.asked = Int32(clamping: outcome.askedCount)
            response.answered = Int32(clamping: outcome.answeredCount)
            response.failures = outcome.failures.map(Cordwood_V1_KeyFailure.init)
            response.keys = outcome.keys.map { key in
                .with {
                    $0.fingerprint = key.fingerprint
                    $0.members = Int32(clamping: key.memberCount)
                    $0.primaries = Int32(clamping: key.primaryCount)
                }
            }
            return response
        }
    }

    // MARK: How it is done

    private func answer<Message>(
        _ body: () async throws -> Message
    ) async throws -> ServerResponse<Message> {
        ServerResponse(message: try await withStatus(body))
    }
}
