// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// Serves some services on a free loopback port and calls them over HTTP/2.
func withServer(
    _ services: [any RegistrableRPCService],
    _ body: (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Void
) async throws {
    let server = GRPCServer(
        transport: .http2NIOPosix(
            address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext),
        services: services)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.serve() }
        let address = try await server.listeningAddress
        guard let port = address?.ipv4?.port else {
            throw RPCError(code: .internalError, message: "the server has no address")
        }
        let result = await Result {
            try await withGRPCClient(
                transport: .http2NIOPosix(
                    target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext)
            ) { client in
                try await body(client)
            }
        }
        server.beginGracefulShutdown()
        try await group.waitForAll()
        try result.get()
    }
}

extension Result where Failure == any Error {
    /// What a function gives or throws.
    init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
