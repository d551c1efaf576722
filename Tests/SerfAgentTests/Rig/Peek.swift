// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import SerfWire
import Synchronization

/// Looks into a member's table from outside: an exchange of state in which we bring nothing.
///
/// So incarnations can be read of an agent and of our node alike.
enum Peek {
    static func states(at endpoint: String) async throws -> [NodeState] {
        let parts = endpoint.split(separator: ":")
        guard parts.count == 2, let port = Int(parts[1]) else {
            throw Unexpected(description: "no endpoint: \(endpoint)")
        }
        let answer = Answer()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(3))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(answer: answer))
                }
            }
            .connect(host: String(parts[0]), port: port).get()
        let nothing = PushPull(isJoin: false, nodes: [], userState: [])
        let request = StreamBody.encode(.pushPull(nothing), compress: false)
        try await channel.writeAndFlush(ByteBuffer(bytes: request)).get()
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(3)) {
            channel.close(promise: nil)
        }
        try await channel.closeFuture.get()
        deadline.cancel()
        guard case .pushPull(let exchange) = try StreamBody.decode(answer.bytes) else {
            throw Unexpected(description: "no state from \(endpoint)")
        }
        return exchange.nodes
    }

    /// What the member at an endpoint has as a node's incarnation.
    static func incarnation(of name: String, at endpoint: String) async throws -> UInt32? {
        try await states(at: endpoint).first { $0.name == name }?.incarnation
    }

    private final class Answer: Sendable {
        private let collected = Mutex<[UInt8]>([])

        var bytes: [UInt8] { collected.withLock { $0 } }

        func append(_ bytes: [UInt8]) { collected.withLock { $0 += bytes } }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answer: Answer

        init(answer: Answer) {
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            answer.append(Array(buffer: unwrapInboundIn(data)))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
