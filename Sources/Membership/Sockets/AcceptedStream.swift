// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import SerfCore
internal import SerfWire
internal import SwimCore

/// A stream that a peer opened: one request, at most one answer, then closed.
///
/// Owner: the node's event loop.
final class AcceptedStream: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// The request is not whole.
        case reading
        /// The core has the request.
        case asking
        /// The answer is on its way.
        case answering
        /// A refusal is on its way, and the peer may still send.
        case lingering
        /// Closed, or about to be.
        case done
    }

    /// How long a peer that was refused may take to read why, before the stream is cut.
    private static let lingerMax = TimeAmount.seconds(1)

    let id: StreamID
    private weak var loop: NodeLoop?
    private var state = State.reading
    private var buffer: StreamBuffer
    private var peer = Endpoint(address: .v4(0), port: 0)
    private var deadline: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(id: StreamID, loop: NodeLoop) {
        self.id = id
        self.loop = loop
        self.buffer = StreamBuffer(labelHeader: loop.seal.header)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        guard let loop, let peer = context.remoteAddress.flatMap(Endpoint.init) else {
            context.close(promise: nil)
            return
        }
        self.peer = peer
        let timeout = loop.streamTimeout
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            self?.timedOut()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state == .reading, let loop else { return }
        let bytes = unwrapInboundIn(data)
        guard loop.mayHold(bytes.readableBytes) else {
            loop.drop(.tooLong, peer: peer)
            return close()
        }
        buffer.append(bytes)
        loop.streamBytes += bytes.readableBytes
        read()
    }

    private func read() {
        guard let loop else { return close() }
        do {
            // Of what cannot be opened anyway not one byte more is kept.
            guard let kind = try buffer.kind() else { return }
            try loop.seal.check(kind: kind)
            guard let body = try buffer.body() else { return }
            let plain = try loop.seal.unseal(body: body)
            freeBuffer()
            state = .asking
            guard !loop.filters(.incoming, peer, plain, isStream: true) else { return close() }
            loop.receive(.request(id, plain, from: peer))
        } catch let error as PacketSeal.Refusal {
            refuse(error)
        } catch {
            loop.drop(DropReason(streamError: error), peer: peer)
            close()
        }
    }

    /// Sends the answer, and closes.
    func answer(_ body: [UInt8]) {
        guard state == .asking, let context, let loop else { return close() }
        guard let sealed = loop.seal.seal(body: body, isDialled: false) else {
            loop.drop(.tooLong, peer: peer)
            return close()
        }
        state = .answering
        let bytes = context.channel.allocator.buffer(bytes: sealed)
        context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { _ in
            self.close()
        }
    }

    /// Closes without a word.
    func close() {
        state = .done
        context?.close(promise: nil)
    }

    /// Says why the request cannot be read, where the protocol has a way to.
    private func refuse(_ refusal: PacketSeal.Refusal) {
        guard let loop, let context else { return close() }
        loop.drop(DropReason(refusal), peer: peer)
        freeBuffer()
        let body = refusal.text.map { loop.encode(streamMessage: .error($0)) }
        guard let sealed = body.flatMap({ loop.seal.seal(body: $0, isDialled: false) }) else {
            return close()
        }
        state = .lingering
        let bytes = context.channel.allocator.buffer(bytes: sealed)
        // Closing while the peer still sends would take the answer away from it.
        context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { _ in
            context.close(mode: .output, promise: nil)
        }
        deadline?.cancel()
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerMax) {
            [weak self] in self?.close()
        }
    }

    private func timedOut() {
        if state == .reading { loop?.drop(.tooSlow, peer: peer) }
        close()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A peer that has sent all may close its side and wait.
        guard event as? ChannelEvent == .inputClosed else { return }
        if state == .reading || state == .lingering { close() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        freeBuffer()
        let wasAsking = state == .asking
        state = .done
        loop?.accepted(closed: id, wasAsking: wasAsking)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    private func freeBuffer() {
        loop?.streamBytes -= buffer.bytesHeld
        buffer.removeAll()
    }
}

extension PacketSeal.Refusal {
    /// What a peer is told; nothing if it is not even of our cluster's kind.
    fileprivate var text: String? {
        switch self {
        case .wrongLabel: nil
        case .notEncrypted: "this node takes encrypted streams only, and the stream is plain"
        case .encrypted: "the stream is encrypted, and this node has no keys"
        case .undecryptable: "no key of this node opens the stream"
        }
    }
}

extension DropReason {
    /// What makes a stream's bytes unusable.
    init(streamError error: any Error) {
        switch error as? WireError {
        case .tooLong: self = .tooLong
        case .wrongLabel: self = .wrongLabel
        default: self = .malformed
        }
    }
}
