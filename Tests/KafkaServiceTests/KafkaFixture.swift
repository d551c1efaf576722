// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import Bytes
import Disk
import KafkaProtocol
import Logging
import NIOCore
import NIOPosix
import Records
import SimulatedDisk
import Testing

@testable import KafkaService

let noLogger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// Settings of a listener for tests, with some changed.
func settings(_ change: (inout KafkaSettings) -> Void = { _ in }) -> KafkaSettings {
    var settings = KafkaSettings()
    settings.clusterID = "AAAAAAAAAAAAAAAAAAAAAA"
    change(&settings)
    return settings
}

/// Settings of a broker for tests, with some changed.
func brokerSettings(_ change: (inout BrokerSettings) -> Void = { _ in }) -> BrokerSettings {
    var settings = BrokerSettings()
    settings.diskLowBytes = 0
    settings.diskCriticalBytes = 0
    settings.diskReserveBytes = 0
    change(&settings)
    return settings
}

/// Runs a test against a listener over a broker on a disk in memory.
func withListener(
    _ settings: KafkaSettings = settings(), broker limits: BrokerSettings = brokerSettings(),
    on disk: any FileSystem = SimulatedFileSystem(modelsPowerCuts: false),
    logger: Logger = noLogger,
    _ body: (KafkaListener, Broker) async throws -> Void
) async throws {
    let broker = try Broker.open(
        dataDirectory: "/data", fileSystem: disk, settings: limits, logger: logger)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let listener = try await KafkaListener.start(
        host: "127.0.0.1", port: 0, broker: broker, settings: settings, logger: logger, on: group)
    do {
        try await body(listener, broker)
    } catch {
        await end(listener, broker, group)
        throw error
    }
    await end(listener, broker, group)
}

private func end(
    _ listener: KafkaListener, _ broker: Broker, _ group: MultiThreadedEventLoopGroup
) async {
    await listener.close()
    await broker.close()
    // Nothing runs on the loops any more.
    try? await group.shutdownGracefully()
}

/// A client that sends what it is told to, byte for byte.
struct KafkaTestClient: ~Copyable {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Connects for the length of a closure.
    static func connect<Result>(
        to listener: KafkaListener,
        _ body: (inout Session) async throws -> Result
    ) async throws -> Result {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: listener.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(
                            inboundType: ByteBuffer.self, outboundType: ByteBuffer.self))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var session = Session(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await body(&session)
        }
    }

    /// One connection.
    struct Session {
        var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        var received = ByteBuffer()
        var nextCorrelation: Int32 = 1

        /// Sends a request and waits for its answer.
        mutating func ask<Request: KafkaMessage, Response: KafkaMessage>(
            _ key: ApiKey, _ version: Int16, _ request: Request, _: Response.Type = Response.self
        ) async throws -> Response {
            let correlation = try await send(key, version, request)
            return try await answer(key, version, correlation)
        }

        /// Sends a request; the number that its answer carries.
        mutating func send(
            _ key: ApiKey, _ version: Int16, _ request: some KafkaMessage
        ) async throws -> Int32 {
            let correlation = nextCorrelation
            nextCorrelation += 1
            try await send(frame: Self.frame(key, version, request, correlation))
            return correlation
        }

        /// Sends bytes as they are.
        func send(frame: [UInt8]) async throws {
            try await outbound.write(ByteBuffer(bytes: frame))
        }

        static func frame(
            _ key: ApiKey, _ version: Int16, _ request: some KafkaMessage, _ correlation: Int32
        ) -> [UInt8] {
            var writer = KafkaWriter()
            writer.write(key.rawValue)
            writer.write(version)
            writer.write(correlation)
            writer.write(Int16(4))
            writer.write(Array("test".utf8))
            if key.requestHeaderVersion(for: version) >= 2 { writer.writeEmptyTags() }
            request.encode(into: &writer, version: version)
            var frame = ByteBuffer()
            frame.writeInteger(Int32(writer.bytes.count))
            frame.writeBytes(writer.bytes)
            return Array(buffer: frame)
        }

        /// Waits for the next answer.
        mutating func answer<Response: KafkaMessage>(
            _ key: ApiKey, _ version: Int16, _ correlation: Int32,
            _: Response.Type = Response.self
        ) async throws -> Response {
            let bytes = try #require(try await nextFrame())
            return try bytes.withUnsafeBytes { bytes in
                var reader = KafkaReader(bytes)
                #expect(try reader.readInt32() == correlation)
                if key.responseHeaderVersion(for: version) >= 1 { try reader.skipTags() }
                return try Response(from: &reader, version: version)
            }
        }

        /// The next frame without its length; `nil` if the server closed the connection.
        mutating func nextFrame() async throws -> [UInt8]? {
            while true {
                if let length = received.getInteger(at: received.readerIndex, as: Int32.self),
                    received.readableBytes >= 4 + Int(length)
                {
                    received.moveReaderIndex(forwardBy: 4)
                    return received.readBytes(length: Int(length))
                }
                do {
                    guard var more = try await inbound.next(isolation: #isolation) else {
                        return nil
                    }
                    received.writeBuffer(&more)
                } catch is IOError {
                    // Reset rather than closed.
                    return nil
                }
            }
        }
    }
}

/// A batch of records with these values, as a producer sends it.
func batch(
    _ values: [String], producerID: Int64 = -1, epoch: Int16 = -1, sequence: Int32 = -1
) -> [UInt8] {
    var builder = BatchBuilder()
    for value in values {
        builder.append(
            key: nil, value: Array(value.utf8),
            timestamp: Timestamp(milliseconds: 1_700_000_000_000))
    }
    let buffer = builder.finish()
    let bytes = buffer.mutableBytes
    bytes.storeBigEndian(producerID, at: 43)
    bytes.storeBigEndian(epoch, at: 51)
    bytes.storeBigEndian(sequence, at: 53)
    bytes.storeBigEndian(RecordBatch.checksum(of: UnsafeRawBufferPointer(bytes)), at: 17)
    return withExtendedLifetime(buffer) { Array(buffer.bytes) }
}
