// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore

/// Watches one connection and closes it when its client is one too many, too slow to begin, gone,
/// or has stayed for too long.
///
/// The gRPC transport has no deadline until HTTP/2 is spoken, and once it has asked a client to
/// leave it waits for the answer without end. This handler stands in front of it and sees the bytes.
///
///     greeting ──preface──▶ open ──age, or the server stops──▶ leaving ──▶ closed
///        └─ deadline: closed  └─ silence: closed                  └─ silence, grace: closed
///
/// Owned by the connection's event loop.
final class ConnectionGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// What a client may do.
    struct Limits: Sendable {
        /// For the client to speak HTTP/2.
        var handshake: TimeAmount
        /// Without a byte, although the transport asks for an answer sooner.
        var silence: TimeAmount
        /// Until the client is asked to leave.
        var age: TimeAmount
        /// For calls to end after that.
        var grace: TimeAmount
        /// For the client to answer that.
        var leaveAnswer = TimeAmount.seconds(2)
    }

    private enum Phase {
        case greeting(until: NIODeadline)
        case open(until: NIODeadline)
        case leaving(since: NIODeadline)
    }

    /// HTTP/2's connection preface and the header of the SETTINGS frame that must follow it
    /// (RFC 9113 3.4).
    private static let greetingSize = 24 + 9

    private let limits: Limits
    private let connections: ConnectionLimits
    private let peer: ConnectionLimits.Peer
    private let logger: Logger
    private var phase: Phase?
    private var greetingLeft = greetingSize
    private var lastRead = NIODeadline.now()
    private var check: Scheduled<Void>?
    private var isCounted = false

    init(
        peer: SocketAddress?, limits: Limits, connections: ConnectionLimits, logger: Logger
    ) {
        self.peer = ConnectionLimits.Peer(peer)
        self.limits = limits
        self.connections = connections
        self.logger = logger
    }

    func channelActive(context: ChannelHandlerContext) {
        // The handlers behind must see the connection begin before they see it end.
        context.fireChannelActive()
        if let refusal = connections.open(peer) {
            logger.warning(
                "a connection was refused", metadata: metadata(context, reason: refusal.rawValue))
            context.close(promise: nil)
            return
        }
        isCounted = true
        lastRead = .now()
        phase = .greeting(until: lastRead + limits.handshake)
        examine(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastRead = .now()
        if greetingLeft > 0 {
            greetingLeft -= unwrapInboundIn(data).readableBytes
            if greetingLeft <= 0, case .greeting = phase {
                phase = .open(until: lastRead + jittered(limits.age))
                examine(context)
            }
        }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            leave(context)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    /// Asks the client to leave, or closes at once where it cannot have understood HTTP/2 yet.
    private func leave(_ context: ChannelHandlerContext) {
        switch phase {
        case .greeting, nil: context.close(promise: nil)
        case .open:
            phase = .leaving(since: .now())
            context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            examine(context)
        case .leaving: break
        }
    }

    /// Acts on the deadlines that have passed, and comes back at the next.
    private func examine(_ context: ChannelHandlerContext) {
        check?.cancel()
        check = nil
        let now = NIODeadline.now()
        let next: NIODeadline
        switch phase {
        case nil: return
        case .greeting(let until):
            if now >= until { return close(context, reason: "no HTTP/2 in time") }
            next = until
        case .open(let until):
            if now >= until { return leave(context) }
            if now >= lastRead + limits.silence { return close(context, reason: "silence") }
            next = min(until, lastRead + limits.silence)
        case .leaving(let since):
            let hasAnswered = lastRead >= since
            if !hasAnswered, now >= since + limits.leaveAnswer {
                return close(context, reason: "no answer to being asked to leave")
            }
            if now >= since + limits.grace { return close(context, reason: "grace is over") }
            next = since + (hasAnswered ? limits.grace : min(limits.leaveAnswer, limits.grace))
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        check = context.eventLoop.scheduleTask(deadline: next) {
            let (guardian, context) = bound.value
            guardian.examine(context)
        }
    }

    private func close(_ context: ChannelHandlerContext, reason: String) {
        logger.info("a connection was closed", metadata: metadata(context, reason: reason))
        phase = nil
        context.close(promise: nil)
    }

    private func end() {
        check?.cancel()
        check = nil
        phase = nil
        if isCounted {
            isCounted = false
            connections.close(peer)
        }
    }

    /// Within a tenth, so that connections opened together do not all leave together.
    private func jittered(_ age: TimeAmount) -> TimeAmount {
        .nanoseconds(Int64(Double(age.nanoseconds) * Double.random(in: 0.9...1.1)))
    }

    private func metadata(
        _ context: ChannelHandlerContext, reason: String
    ) -> Logger.Metadata {
        ["reason": "\(reason)", "remote": "\(context.remoteAddress?.description ?? "unknown")"]
    }
}
