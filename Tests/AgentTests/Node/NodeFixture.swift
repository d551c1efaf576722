// SPDX-License-Identifier: Apache-2.0

import Disk
import Foundation
import Logging
import NIOCore
import NIOPosix
import SimulatedDisk
import Synchronization
import Testing

@testable import Agent

/// Keeps quiet.
let noLogger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// The settings of a node for tests, with some changed.
func nodeSettings(_ change: (inout Settings) -> Void = { _ in }) -> Settings {
    var settings = Settings()
    settings.dataDirectory = "/data"
    settings.listen.grpcAddress = ListenAddress(host: "127.0.0.1", port: 0)
    settings.listen.kafkaAddress = ListenAddress(host: "127.0.0.1", port: 0)
    settings.gossip.bind = nil
    settings.disk.lowBytes = 0
    settings.disk.criticalBytes = 0
    settings.disk.reserveBytes = 0
    change(&settings)
    return settings
}

/// Runs a test against a node on a disk in memory, and stops it.
@discardableResult
func withNode<Result: Sendable>(
    on disk: any FileSystem = SimulatedFileSystem(modelsPowerCuts: false),
    _ change: (inout Settings) -> Void = { _ in },
    _ body: (Node) async throws -> Result
) async throws -> Result {
    let node = try await Node.start(
        settings: nodeSettings(change), fileSystem: disk, logger: noLogger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await node.run() }
        defer { node.stop() }
        let result = try await body(node)
        node.stop()
        try await group.waitForAll()
        return result
    }
}

extension Node {
    /// Returns once a number of connections is open.
    func waitForConnections(_ count: Int) async throws {
        while connectionCount != count { try await Task.sleep(for: .milliseconds(5)) }
    }
}

/// A TCP connection that says only what it is told to.
final class RawConnection: Sendable {
    /// HTTP/2's preface and an empty SETTINGS frame.
    static let greeting =
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

    /// HEADERS of a POST without END_STREAM: literal fields, not indexed, not Huffman-coded.
    static var unendingCall: [UInt8] {
        var block: [UInt8] = []
        for (name, value) in [
            (":method", "POST"), (":scheme", "http"), (":path", "/log.v1.Log/Produce"),
            (":authority", "a"), ("content-type", "application/grpc"), ("te", "trailers"),
        ] {
            block += [0, UInt8(name.utf8.count)] + Array(name.utf8)
            block += [UInt8(value.utf8.count)] + Array(value.utf8)
        }
        return [0, 0, UInt8(block.count), 1, 4, 0, 0, 0, 1] + block
    }

    private let channel: any Channel
    private let deaf: Deaf

    /// Connects.
    ///
    /// - Parameter answersPings: Whether it does that one thing by itself.
    init(to address: ListenAddress, answersPings: Bool = false) async throws {
        let deaf = Deaf(answersPings: answersPings)
        self.deaf = deaf
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(deaf)
                }
            }
            .connect(host: address.host, port: address.port).get()
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Returns once the other side has closed.
    func waitUntilClosed() async throws {
        try await channel.closeFuture.get()
    }

    /// Returns once the other side has acknowledged the SETTINGS of the greeting, and so has read
    /// what was sent with it.
    func waitUntilAnswered() async throws {
        while !deaf.isAcknowledged { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// Whether the other side has not closed.
    var isOpen: Bool { channel.isActive }

    func close() async throws {
        try await channel.close()
    }

    /// Answers nothing but pings, and takes a reset for what it is: the end.
    private final class Deaf: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        private let answersPings: Bool
        private let received = Mutex<[UInt8]>([])

        init(answersPings: Bool) { self.answersPings = answersPings }

        /// Whether a SETTINGS frame with the flag ACK has come.
        var isAcknowledged: Bool {
            received.withLock { bytes in
                let acknowledgement: [UInt8] = [0, 0, 0, 4, 1, 0, 0, 0, 0]
                return bytes.indices.contains { bytes[$0...].starts(with: acknowledgement) }
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = received.withLock { received in
                received += unwrapInboundIn(data).readableBytesView
                return received
            }
            guard answersPings else { return }
            // Frames are of 9 bytes and their content; those of type 6 are pings of 8 bytes. All
            // are looked through again each time: there are few, and a ping may be answered twice.
            var rest = bytes[...]
            while rest.count >= 9 {
                let header = Array(rest.prefix(9))
                let size = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
                let content = rest.dropFirst(9).prefix(size)
                guard content.count == size else { return }
                if header[3] == 6, header[4] == 0 {
                    let answer = ByteBuffer(bytes: [0, 0, 8, 6, 1, 0, 0, 0, 0] + content)
                    context.writeAndFlush(NIOAny(answer), promise: nil)
                }
                rest = rest.dropFirst(9 + size)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
