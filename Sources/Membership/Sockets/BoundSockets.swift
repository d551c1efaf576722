// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import SerfWire

/// A node's two sockets on one port, bound and not yet read.
struct BoundSockets {
    /// Takes streams; accepts none until `autoRead` is set.
    var listener: any Channel
    /// The UDP socket's descriptor.
    var packets: CInt
    var address: SocketAddress
    var endpoint: Endpoint

    /// How many free TCP ports are tried until one is free for UDP too.
    private static let attemptsMax = 32
    private static let backlog: CInt = 128

    /// Binds both sockets.
    ///
    /// - Parameters:
    ///   - host: An address.
    ///   - port: 0 for one that is free.
    ///   - initializer: Called on the loop with each accepted stream.
    static func bind(
        host: String, port: UInt16, on loop: any EventLoop,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) async throws(MembershipError) -> BoundSockets {
        guard let ip = IPAddress(host) else {
            throw MembershipError(
                .invalidSettings, "'\(host)' is no address to bind to; names are not looked up here"
            )
        }
        var attempt = 1
        while true {
            let listener = try await listen(
                Endpoint.socketAddress(ip, port: port), on: loop, initializer: initializer)
            do throws(MembershipError) {
                guard let address = listener.localAddress, let endpoint = Endpoint(address) else {
                    throw MembershipError(.bindFailed, "\(host) has no address once bound")
                }
                // An unspecified address of IPv6 must stay one for the second socket.
                let packets = try PacketSocket.bind(
                    to: Endpoint.socketAddress(ip, port: endpoint.port))
                return BoundSockets(
                    listener: listener, packets: packets, address: address,
                    endpoint: Endpoint(address: ip, port: endpoint.port))
            } catch {
                // Fails only if it was closed before.
                try? await listener.close().get()
                guard port == 0, attempt < attemptsMax else { throw error }
                attempt += 1
            }
        }
    }

    /// Gives both up before anybody reads them.
    func close() async {
        // Fails only if it was closed before.
        try? await listener.close().get()
        Glibc.close(packets)
    }

    private static func listen(
        _ address: SocketAddress, on loop: any EventLoop,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) async throws(MembershipError) -> any Channel {
        do {
            return try await ServerBootstrap(group: loop)
                .serverChannelOption(.backlog, value: backlog)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.autoRead, value: false)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer(initializer)
                .bind(to: address).get()
        } catch {
            throw MembershipError(
                .bindFailed, "\(address) cannot be bound for TCP: \(error)", cause: error)
        }
    }
}
