// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix

@testable import CordwoodClient

/// A server of a ``FakeLog`` on a port of the loopback, which can be killed and started again.
final class FakeServer: Sendable {
    let port: Int
    private let task: Task<Void, any Error>

    /// Starts a server; on any free port, unless told otherwise.
    init(_ log: FakeLog, port: Int = 0) async throws {
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext)
        let server = GRPCServer(
            transport: transport,
            services: [FakeLogService(log: log), FakeTopicService(log: log)])
        task = Task { try await server.serve() }
        self.port = try await transport.listeningAddress.ipv4?.port ?? 0
    }

    /// Drops all connections, as a crash does.
    func kill() async {
        task.cancel()
        _ = await task.result
    }
}

/// Runs a server and a client of it.
func withFakeServer(
    _ log: FakeLog, requestTimeout: Duration? = nil, retryTimeout: Duration? = nil,
    _ body: (CordwoodClient, FakeServer) async throws -> Void
) async throws {
    let server = try await FakeServer(log)
    var configuration = CordwoodClient.Configuration(server: "127.0.0.1:\(server.port)")
    if let requestTimeout { configuration.requestTimeout = requestTimeout }
    if let retryTimeout { configuration.retryTimeout = retryTimeout }
    do {
        try await CordwoodClient.withClient(configuration) { try await body($0, server) }
    } catch {
        await server.kill()
        throw error
    }
    await server.kill()
}
