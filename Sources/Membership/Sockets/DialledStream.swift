// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOPosix
internal import SerfWire
internal import SwimCore

/// A stream that this node opened: it sends one request, and hands the answer to the core.
///
/// Owner: the node's event loop.
final class DialledStream: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let id: StreamID
    private weak var loop: NodeLoop?
    private let request: [UInt8]
    private var buffer: StreamBuffer
    private var isDone = false
    private var deadline: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    /// - Parameter request: What is sent, sealed.
    init(id: StreamID, request: [UInt8], loop: NodeLoop) {
        self.id = id
        self.request = request
        self.loop = loop
        self.buffer = StreamBuffer(labelHeader: [])
    }

    /// Begins; the outcome comes to the loop, never from inside of this call.
    func dial(_ address: SocketAddress, timeout: TimeAmount, on eventLoop: any EventLoop) {
        deadline = eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            self?.fail(.timedOut)
        }
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenFailure { [weak self] error in self?.fail(.unreachable("\(error)")) }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // Given up while the socket was being made.
        if isDone { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        let bytes = context.channel.allocator.buffer(bytes: request)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone, let loop else { return }
        let bytes = unwrapInboundIn(data)
        guard loop.mayHold(bytes.readableBytes) else {
            loop.drop(.tooLong, peer: nil)
            return fail(.malformed(.tooLong(limit: NodeLoop.streamBytesMax)))
        }
        buffer.append(bytes)
        loop.streamBytes += bytes.readableBytes
        do {
            guard let kind = try buffer.kind() else { return }
            try loop.seal.check(kind: kind)
            guard let body = try buffer.body() else { return }
            let answer = try loop.seal.unseal(body: body)
            close()
            loop.dialled(id, answered: answer)
        } catch let error as PacketSeal.Refusal {
            loop.drop(DropReason(error), peer: nil)
            fail(.refused(explanation(of: error)))
        } catch let error as WireError {
            loop.drop(DropReason(streamError: error), peer: nil)
            fail(.malformed(error))
        } catch {
            fail(.closed)
        }
    }

    /// Gives up without telling the core.
    func close() {
        guard !isDone else { return }
        isDone = true
        deadline?.cancel()
        loop?.streamBytes -= buffer.bytesHeld
        buffer.removeAll()
        context?.close(promise: nil)
    }

    private func fail(_ reason: StreamFailure) {
        guard !isDone else { return }
        close()
        loop?.dialled(id, failed: reason)
    }

    /// A peer without our keys says what is wrong in plain text, or in one that we cannot open.
    private func explanation(of refusal: PacketSeal.Refusal) -> String {
        switch refusal {
        case .wrongLabel: "the answer has a label"
        case .notEncrypted: "the answer is not encrypted, and this node has keys"
        case .encrypted: "the answer is encrypted, and this node has no keys"
        case .undecryptable: "no key of this node opens the answer"
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { fail(.closed) }
    }

    func channelInactive(context: ChannelHandlerContext) { fail(.closed) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(.unreachable("\(error)"))
    }
}
