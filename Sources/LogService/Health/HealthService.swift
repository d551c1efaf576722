// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import GRPCCore
internal import LogAPI
internal import SwiftProtobuf

/// grpc.health.v1.Health: SERVING unless the server stops or cannot take records; of gossip, unless
/// that does not run.
struct HealthService: Grpc_Health_V1_Health.ServiceProtocol {
    private let services: [String]
    private let drain: ServiceDrain
    private let checkInterval: Duration
    private let isServing: @Sendable (String) -> Bool

    /// A health service.
    ///
    /// - Parameters:
    ///   - services: The services that it knows, besides the empty name for all.
    ///   - checkInterval: How often a Watch asks `isServing`.
    ///   - isServing: Whether a service, or the server where the name is empty, does its work.
    init(
        services: [String], drain: ServiceDrain, checkInterval: Duration,
        isServing: @escaping @Sendable (String) -> Bool
    ) {
        self.services = services
        self.drain = drain
        self.checkInterval = checkInterval
        self.isServing = isServing
    }

    func check(
        request: ServerRequest<Grpc_Health_V1_HealthCheckRequest>, context: ServerContext
    ) async throws -> ServerResponse<Grpc_Health_V1_HealthCheckResponse> {
        let service = request.message.service
        guard knows(service) else {
            throw RPCError(code: .notFound, message: "no such service")
        }
        return ServerResponse(message: .with { $0.status = status(of: service) })
    }

    func watch(
        request: ServerRequest<Grpc_Health_V1_HealthCheckRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Grpc_Health_V1_HealthCheckResponse> {
        let service = request.message.service
        let scope = CallScope(drain: drain, metadata: request.metadata)
        return StreamingServerResponse { writer in
            try await withStatus { try await report(service, to: writer, in: scope) }
            return [:]
        }
    }

    private func knows(_ service: String) -> Bool {
        service.isEmpty || services.contains(service)
    }

    private func status(
        of service: String
    ) -> Grpc_Health_V1_HealthCheckResponse.ServingStatus {
        !drain.hasBegun && isServing(service) ? .serving : .notServing
    }

    /// Sends the status and each change of it, until the call ends.
    private func report(
        _ service: String, to writer: RPCWriter<Grpc_Health_V1_HealthCheckResponse>,
        in scope: CallScope
    ) async throws {
        let isKnown = knows(service)
        var last: Grpc_Health_V1_HealthCheckResponse.ServingStatus?
        while true {
            let status = isKnown ? status(of: service) : .serviceUnknown
            if status != last {
                try await writer.write(.with { $0.status = status })
                last = status
            }
            do {
                // A disk has no way to say that it is full, so it is looked at now and then.
                try await scope.run { try await Task.sleep(for: checkInterval) }
            } catch let fault as Fault where fault.code == .shuttingDown {
                if isKnown, last != .notServing {
                    try await writer.write(.with { $0.status = .notServing })
                }
                throw fault
            }
        }
    }
}
