// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Glibc

@testable import CordwoodClient

/// A server of a ``FakeLog`` on a port of the loopback, which can be killed and started again.
final class FakeServer: Sendable {
    let port: Int
    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let task: Task<Void, any Error>

    /// Starts a server; on any free port, unless told otherwise.
    init(
        _ log: FakeLog, port: Int = 0, groups: FakeGroupService = FakeGroupService()
    ) async throws {
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext)
        let server = GRPCServer(
            transport: transport,
            services: [FakeLogService(log: log), FakeTopicService(log: log), groups])
        self.server = server
        task = Task { try await server.serve() }
        self.port = try await transport.listeningAddress.ipv4?.port ?? 0
    }

    /// Drops all connections, as a crash does.
    ///
    /// The transport traps when it is cancelled while a connection comes in, so the door is closed
    /// first: nobody can come in once the port can be taken again.
    func kill() async {
        server.beginGracefulShutdown()
        while !PortProbe.isFree(port) { await Task.yield() }
        task.cancel()
        _ = await task.result
    }
}

/// Runs a server and a client of it.
func withFakeServer(
    _ log: FakeLog, requestTimeout: Duration? = nil, retryTimeout: Duration? = nil,
    groups: FakeGroupService = FakeGroupService(),
    _ body: (CordwoodClient, FakeServer) async throws -> Void
) async throws {
    let server = try await FakeServer(log, groups: groups)
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

/// Tells whether a port is listened on, without connecting to it.
private enum PortProbe {
    static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafeBytes(of: &address) { bytes in
            guard let name = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress else {
                return false
            }
            // A port that is listened on cannot be taken, whatever connections it still has.
            return bind(descriptor, name, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                && listen(descriptor, 1) == 0
        }
    }
}
