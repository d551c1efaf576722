// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// Stands before an agent's port, UDP and TCP, and can be cut: then nothing comes through to it.
///
/// An agent that advertises the proxy's address is reached only through it. Its own packets go out
/// directly, so both sides of a partition need one.
final class ForwardingProxy: Sendable {
    private let target: SocketAddress
    private let isCut = Atomic(false)
    private let group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    private let opened = Mutex<[any Channel]>([])

    private init(target: SocketAddress) {
        self.target = target
    }

    static func start(at address: String, port: Int, target: String) async throws -> ForwardingProxy
    {
        let proxy = ForwardingProxy(
            target: try SocketAddress(ipAddress: target, port: AgentProcess.port))
        let udp = try await DatagramBootstrap(group: proxy.group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Datagrams(proxy: proxy))
                }
            }
            .bind(host: address, port: port).get()
        let tcp = try await ServerBootstrap(group: proxy.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in proxy.accept(channel) }
            .bind(host: address, port: port).get()
        proxy.opened.withLock { $0 += [udp, tcp] }
        return proxy
    }

    func cut() { isCut.store(true, ordering: .sequentiallyConsistent) }
    func heal() { isCut.store(false, ordering: .sequentiallyConsistent) }

    func stop() {
        for channel in opened.withLock({ $0 }) { channel.close(promise: nil) }
    }

    private var lets: Bool { !isCut.load(ordering: .sequentiallyConsistent) }

    private func accept(_ accepted: any Channel) -> EventLoopFuture<Void> {
        guard lets else { return accepted.close() }
        return ClientBootstrap(group: accepted.eventLoop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(to: target)
            .flatMapThrowing { dialled in
                try accepted.pipeline.syncOperations.addHandler(
                    Glue(proxy: self, other: dialled))
                try dialled.pipeline.syncOperations.addHandler(
                    Glue(proxy: self, other: accepted))
            }
    }

    private final class Datagrams: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>

        private let proxy: ForwardingProxy

        init(proxy: ForwardingProxy) {
            self.proxy = proxy
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard proxy.lets else { return }
            let packet = unwrapInboundIn(data)
            context.writeAndFlush(
                wrapOutboundOut(
                    AddressedEnvelope(remoteAddress: proxy.target, data: packet.data)),
                promise: nil)
        }
    }

    /// One side of a connection: what it reads goes to the other side.
    private final class Glue: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let proxy: ForwardingProxy
        private let other: any Channel

        init(proxy: ForwardingProxy, other: any Channel) {
            self.proxy = proxy
            self.other = other
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard proxy.lets else {
                context.close(promise: nil)
                return
            }
            other.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed {
                other.close(mode: .output, promise: nil)
            }
            context.fireUserInboundEventTriggered(event)
        }

        func channelInactive(context: ChannelHandlerContext) {
            other.close(promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
