// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import KafkaProtocol
import NIOCore
import NIOEmbedded
import SimulatedDisk
import Testing

@testable import KafkaService

@Suite("What one connection may hold", .timeLimit(.minutes(1)))
struct KafkaConnectionTests {
    /// Connections without sockets, which share a budget.
    private final class Fixture {
        let handlers: RequestHandlers
        let budget: ServerBudget
        let registry = ConnectionRegistry()
        private var channels: [EmbeddedChannel] = []

        init(_ handlers: RequestHandlers, budget bytes: Int) {
            self.handlers = handlers
            budget = ServerBudget(bytesMax: bytes)
        }

        /// A connection, and the counter of its reads from the socket.
        func connect() throws -> (EmbeddedChannel, ReadCounter) {
            let counter = ReadCounter()
            let channel = EmbeddedChannel()
            try channel.pipeline.syncOperations.addHandlers([
                counter,
                KafkaConnection(handlers: handlers, budget: budget, registry: registry),
            ])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            channels.append(channel)
            return (channel, counter)
        }

        func end() throws {
            for channel in channels { _ = try channel.finish(acceptAlreadyClosed: true) }
        }
    }

    /// Runs a test whose connections all live on its one thread.
    private static func run(
        budget: Int, share: Int = 16 << 20, _ body: (Fixture) throws -> Void
    ) async throws {
        let broker = try Broker.open(
            dataDirectory: "/data", fileSystem: SimulatedFileSystem(modelsPowerCuts: false),
            settings: brokerSettings(), logger: noLogger)
        let handlers = RequestHandlers(
            broker: broker, settings: settings { $0.connectionBytesMax = share },
            logger: noLogger)
        let result = Result {
            let fixture = Fixture(handlers, budget: budget)
            try body(fixture)
            try fixture.end()
            // Whatever was taken was given back.
            #expect(fixture.budget.bytesLeft == budget)
        }
        await broker.close()
        try result.get()
    }

    /// Counts how often a connection reads from its socket.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = Never
        var count = 0
        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    /// The first bytes of a request of so many.
    private static func start(ofRequest size: Int, bytes: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(size - 4))
        buffer.writeRepeatingByte(0, count: bytes - 4)
        return buffer
    }

    /// Whether a connection that was given bytes asks for more.
    private static func readsOn(_ channel: EmbeddedChannel, _ counter: ReadCounter) -> Bool {
        let before = counter.count
        channel.read()
        return counter.count > before
    }

    /// Lets others run, until the test's time is over.
    private static func pause() async throws {
        try Task.checkCancellation()
        await Task.yield()
    }

    @Test("a connection that sends and never takes its answers holds no more than its share")
    func unread() async throws {
        try await Self.run(budget: 64 << 20, share: 128 << 10) { fixture in
            let (channel, counter) = try fixture.connect()
            channel.isWritable = false
            let request = Self.start(ofRequest: 64 << 10, bytes: 64 << 10)
            var sent = 0
            while sent < 1 << 20, Self.readsOn(channel, counter) {
                try channel.writeInbound(request)
                sent += 64 << 10
            }
            #expect(sent <= 256 << 10)
        }
    }

    @Test("a request larger than a connection's share comes in whole")
    func largeRequest() async throws {
        try await Self.run(budget: 64 << 20, share: 128 << 10) { fixture in
            let (channel, counter) = try fixture.connect()
            try channel.writeInbound(Self.start(ofRequest: 4 << 20, bytes: 1 << 20))
            #expect(Self.readsOn(channel, counter))
        }
    }

    @Test("of requests that together are too large some come in whole while the others wait")
    func partialRequests() async throws {
        try await Self.run(budget: 8 << 20) { fixture in
            var reading: [EmbeddedChannel] = []
            var connections: [(EmbeddedChannel, ReadCounter)] = []
            for _ in 0..<10 {
                let (channel, counter) = try fixture.connect()
                try channel.writeInbound(Self.start(ofRequest: 2 << 20, bytes: 128 << 10))
                connections.append((channel, counter))
                if Self.readsOn(channel, counter) { reading.append(channel) }
            }
            // Four of 2 MiB fit; a few more pass before the beginnings of all have come.
            #expect(!reading.isEmpty && reading.count <= 5)
            #expect(fixture.budget.bytesLeft == 0 || reading.count < 10)
            for channel in reading {
                // Those that were let on never stop in the middle.
                for _ in 0..<14 {
                    var more = ByteBuffer()
                    more.writeRepeatingByte(0, count: 128 << 10)
                    try channel.writeInbound(more)
                    let counter = try #require(connections.first { $0.0 === channel }?.1)
                    #expect(Self.readsOn(channel, counter))
                }
            }
            // Room comes back with those that go, and the others read on by themselves.
            let waiting = connections.filter { connection in
                !reading.contains { $0 === connection.0 }
            }
            let before = waiting.map(\.1.count)
            for channel in reading { _ = try channel.finish(acceptAlreadyClosed: true) }
            for (channel, _) in waiting { channel.embeddedEventLoop.run() }
            #expect(zip(waiting, before).contains { $0.0.1.count > $0.1 })
        }
    }

    @Test("what a closed connection held is counted no more")
    func closed() async throws {
        try await Self.run(budget: 1 << 20) { fixture in
            let (channel, counter) = try fixture.connect()
            try channel.writeInbound(Self.start(ofRequest: 700 << 10, bytes: 100 << 10))
            #expect(Self.readsOn(channel, counter))
            #expect(fixture.budget.bytesLeft == (1 << 20) - (700 << 10))
            _ = try channel.finish()
            #expect(fixture.budget.bytesLeft == 1 << 20)
        }
    }

    @Test("a connection that is not read from notices that its peer has gone")
    func peerGone() async throws {
        // No request fits beside this one, so that the other connection is held.
        try await withListener(settings { $0.serverBytesMax = 256 << 10 }) { listener, broker in
            let budget = listener.budget
            try await KafkaTestClient.connect(to: listener) { client in
                let size = 200 << 10
                try await client.send(
                    frame: Array(buffer: Self.start(ofRequest: size, bytes: 130 << 10)))
                while budget.bytesLeft > 56 << 10 { try await Self.pause() }
                try await KafkaTestClient.connect(to: listener) { held in
                    try await held.send(
                        frame: Array(buffer: Self.start(ofRequest: size, bytes: 130 << 10)))
                    while budget.bytesLeft > 0 { try await Self.pause() }
                }
                while budget.bytesLeft < 56 << 10 { try await Self.pause() }
            }
        }
    }
}
