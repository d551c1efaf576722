// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The UDP socket of a node.
///
/// NIO reads it, many packets at a time, and owns its descriptor. Packets are written with plain
/// `sendto`: NIO closes a socket when the network is down for a moment or when a peer announces an
/// address that cannot be sent to, and queues what cannot be sent; gossip wants neither.
///
/// Owner: the node's event loop.
final class PacketSocket {
    private let descriptor: CInt
    let family: NIOBSDSocket.ProtocolFamily
    private let channel: any Channel

    /// The largest packet that there is.
    private static let packetSizeMax = 65_536
    /// Packets that are read with one system call.
    private static let packetsPerRead = 16
    /// System calls before timers and streams get their turn.
    private static let readsPerTurn = 4
    /// What the system is asked to buffer; it may give less.
    private static let receiveBufferSize: CInt = 2 << 20

    /// How sending went.
    enum Sent {
        case sent
        case full
        case refused
    }

    private init(
        descriptor: CInt, family: NIOBSDSocket.ProtocolFamily, channel: any Channel
    ) {
        self.descriptor = descriptor
        self.family = family
        self.channel = channel
    }

    /// A bound socket that nobody reads yet: what comes waits in the system's buffer.
    static func bind(to address: SocketAddress) throws(MembershipError) -> CInt {
        let family = address.protocol == .inet6 ? AF_INET6 : AF_INET
        let kind = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw failure("no UDP socket can be made") }
        var size = receiveBufferSize
        // The system's own size does as well.
        _ = setsockopt(
            descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        let status = address.withSockAddr { Glibc.bind(descriptor, $0, socklen_t($1)) }
        guard status == 0 else {
            let error = failure("\(address) cannot be bound for UDP")
            Glibc.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Reads a bound socket on a loop, which this must be.
    ///
    /// - Parameter handler: Hears of each packet.
    static func open(
        _ descriptor: CInt, bound: SocketAddress, on loop: any EventLoop,
        handler: PacketHandler
    ) -> EventLoopFuture<PacketSocket> {
        let handler = NIOLoopBound(handler, eventLoop: loop)
        let allocator = FixedSizeRecvByteBufferAllocator(capacity: packetSizeMax * packetsPerRead)
        return DatagramBootstrap(group: loop)
            .channelOption(.recvAllocator, value: allocator)
            .channelOption(.datagramVectorReadMessageCount, value: packetsPerRead)
            .channelOption(.maxMessagesPerRead, value: UInt(readsPerTurn))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
            .withBoundSocket(descriptor)
            .assumeIsolated()
            .map { channel in
                PacketSocket(descriptor: descriptor, family: bound.protocol, channel: channel)
            }
            .nonisolated()
    }

    /// Hands a packet to the system, which takes it at once or not at all.
    func send(_ packet: [UInt8], to address: SocketAddress) -> Sent {
        // Once the channel is inactive its descriptor may be another file's.
        guard channel.isActive else { return .refused }
        let count = address.withSockAddr { address, size in
            Glibc.sendto(
                descriptor, packet, packet.count, CInt(MSG_DONTWAIT), address,
                socklen_t(size))
        }
        if count == packet.count { return .sent }
        return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? .full : .refused
    }

    func close() -> EventLoopFuture<Void> {
        // Fails only if it was closed before.
        channel.close().flatMapErrorThrowing { _ in }
    }

    private static func failure(_ what: String) -> MembershipError {
        let reason = String(cString: strerror(errno))
        return MembershipError(.bindFailed, "\(what): \(reason)")
    }
}

/// Hands packets to a node.
final class PacketHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private weak var loop: NodeLoop?

    init(loop: NodeLoop) { self.loop = loop }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        loop?.received(packet: envelope.data, from: envelope.remoteAddress)
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop?.packetSocketClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        loop?.packetSocketFailed(error)
    }
}
