// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import SerfWire
import Synchronization
import Testing

@testable import Membership

/// A UDP socket of the test, which plays a peer byte by byte.
final class RawPeer: Sendable {
    let endpoint: Endpoint
    private let channel: any Channel
    private let inbox: Inbox

    final class Inbox: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        let packets = Mutex<[[UInt8]]>([])

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).data.readableBytesView)
            packets.withLock { $0.append(bytes) }
        }
    }

    private init(endpoint: Endpoint, channel: any Channel, inbox: Inbox) {
        self.endpoint = endpoint
        self.channel = channel
        self.inbox = inbox
    }

    /// A peer for as long as the body runs.
    static func with<Value>(_ body: (RawPeer) async throws -> Value) async throws -> Value {
        let inbox = Inbox()
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(inbox) }
            .bind(host: "127.0.0.1", port: 0).get()
        let endpoint = try #require(channel.localAddress.flatMap(Endpoint.init))
        let peer = RawPeer(endpoint: endpoint, channel: channel, inbox: inbox)
        do {
            let value = try await body(peer)
            try await channel.close()
            return value
        } catch {
            try await channel.close()
            throw error
        }
    }

    func send(_ bytes: [UInt8], to endpoint: Endpoint) async throws {
        let address = try #require(endpoint.socketAddress)
        try await channel.writeAndFlush(
            AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: bytes))
        ).get()
    }

    func send(_ message: SwimMessage, to endpoint: Endpoint) async throws {
        try await send(message.encoded(), to: endpoint)
    }

    /// All packets that came.
    var packets: [[UInt8]] { inbox.packets.withLock { $0 } }

    /// All messages that came, opened.
    func messages(opening: ([UInt8]) throws -> [UInt8] = { $0 }) throws -> [SwimMessage] {
        var messages: [SwimMessage] = []
        for packet in packets {
            var unreadable = 0
            messages += try Packet.decode(opening(packet), unreadable: &unreadable)
            #expect(unreadable == 0)
        }
        return messages
    }

    /// The acks that came so far.
    func acks(opening: ([UInt8]) throws -> [UInt8] = { $0 }) throws -> [UInt32] {
        try messages(opening: opening).compactMap {
            if case .ack(let ack) = $0 { ack.sequence } else { nil }
        }
    }

    func nacks() throws -> [UInt32] {
        try messages().compactMap { if case .nack(let nack) = $0 { nack.sequence } else { nil } }
    }

    func ping(_ sequence: UInt32, _ node: String, source: Source? = nil) -> SwimMessage {
        .ping(Ping(sequence: sequence, node: node, source: source))
    }
}

/// A TCP connection of the test.
final class RawStream: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    final class Inbox: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let state = Mutex<(bytes: [UInt8], isEnded: Bool)>(([], false))

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).readableBytesView)
            state.withLock { $0.bytes += bytes }
        }

        func channelInactive(context: ChannelHandlerContext) {
            state.withLock { $0.isEnded = true }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event as? ChannelEvent == .inputClosed { state.withLock { $0.isEnded = true } }
        }

        // A reset is an end as well.
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private init(channel: any Channel, inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    static func open(_ endpoint: Endpoint) async throws -> RawStream {
        let inbox = Inbox()
        let address = try #require(endpoint.socketAddress)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { $0.pipeline.addHandler(inbox) }
            .connect(to: address).get()
        return RawStream(channel: channel, inbox: inbox)
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Ends our side, so that the node sees the end of the request.
    func endOutput() async throws { try await channel.close(mode: .output).get() }

    var isEnded: Bool { inbox.state.withLock { $0.isEnded } }
    var bytes: [UInt8] { inbox.state.withLock { $0.bytes } }

    /// All that the node sent, once it has closed.
    func answer() async throws -> [UInt8] {
        try await eventually("the node closes the stream") { isEnded }
        return bytes
    }

    func close() async {
        // The node may have closed it.
        try? await channel.close().get()
    }

    /// One request and its answer.
    static func exchange(_ endpoint: Endpoint, _ request: [UInt8]) async throws -> [UInt8] {
        let stream = try await open(endpoint)
        try await stream.send(request)
        let answer = try await stream.answer()
        await stream.close()
        return answer
    }
}
