// SPDX-License-Identifier: Apache-2.0

public import BrokerRuntime
public import Logging
public import NIOCore
public import NIOPosix

/// The server's Kafka port.
///
/// Any thread may call.
public final class KafkaListener: Sendable {
    /// The port that was bound.
    public let port: Int

    /// What the connections count their bytes in.
    let budget: ServerBudget
    private let channel: any Channel
    private let loops: [Loop]

    /// An event loop, and what the listener keeps on it.
    private struct Loop: Sendable {
        var loop: any EventLoop
        var registry: NIOLoopBound<ConnectionRegistry>
    }

    /// Listens.
    ///
    /// - Parameters:
    ///   - host: The address to listen on.
    ///   - port: The port; 0 for one that is free.
    ///   - prepare: Called with each new connection's channel before anything else is done with it.
    public static func start(
        host: String, port: Int, broker: Broker, settings: KafkaSettings, logger: Logger,
        on group: MultiThreadedEventLoopGroup,
        prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in }
    ) async throws -> KafkaListener {
        let handlers = RequestHandlers(broker: broker, settings: settings, logger: logger)
        let budget = ServerBudget(bytesMax: settings.serverBytesMax)
        var loops: [Loop] = []
        for loop in group.makeIterator() {
            loops.append(
                try await loop.submit {
                    let registry = ConnectionRegistry()
                    registry.begin(on: loop, logger: logger)
                    return Loop(loop: loop, registry: NIOLoopBound(registry, eventLoop: loop))
                }.get())
        }
        let all = loops
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: receiving)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try prepare(channel)
                    guard let loop = all.first(where: { $0.loop === channel.eventLoop }) else {
                        preconditionFailure("a connection is on a loop of the group")
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        KafkaConnection(
                            handlers: handlers, budget: budget, registry: loop.registry.value))
                }
            }
            .bind(host: host, port: port).get()
        return KafkaListener(
            channel: channel, port: channel.localAddress?.port ?? port, budget: budget, loops: all)
    }

    /// How much is read from a socket at once: little from those that send little.
    private static let receiving = AdaptiveRecvByteBufferAllocator(
        minimum: 512, initial: 2048, maximum: 256 << 10)

    private var isDrained: Bool {
        get async {
            for loop in loops {
                // A loop that takes no more tasks has no more connections.
                let isEmpty = try? await loop.loop.submit { loop.registry.value.isEmpty }.get()
                if isEmpty == false { return false }
            }
            return true
        }
    }

    private init(channel: any Channel, port: Int, budget: ServerBudget, loops: [Loop]) {
        self.budget = budget
        self.channel = channel
        self.port = port
        self.loops = loops
    }

    /// Takes no more connections nor requests; those under way are answered.
    public func drain() {
        channel.close(promise: nil)
        for loop in loops { loop.loop.execute { loop.registry.value.drain() } }
    }

    /// Drains, and after a second closes what is left.
    public func close() async {
        drain()
        for _ in 0..<100 where !(await isDrained) {
            // Woken early only when the task is cancelled, and then there is no time to wait.
            try? await Task.sleep(for: .milliseconds(10))
        }
        // Fails only if it was closed before.
        try? await channel.close().get()
        for loop in loops {
            // Fails only when the loop is shut down, with its connections.
            try? await loop.loop.submit { loop.registry.value.end() }.get()
        }
    }
}
