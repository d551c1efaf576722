// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import Disk
import KafkaProtocol
import Logging
import Records
import SimulatedDisk

@testable import KafkaService

/// Handlers over a broker on a disk in memory, called as if requests came over a connection.
struct AdminFixture {
    let broker: Broker
    let handlers: RequestHandlers

    init(
        _ disk: SimulatedFileSystem = SimulatedFileSystem(),
        _ change: (inout BrokerSettings) -> Void = { _ in },
        _ changeKafka: (inout KafkaSettings) -> Void = { _ in }
    ) throws {
        var settings = BrokerSettings()
        settings.diskReserveBytes = 0
        settings.scrubBytesPerSecond = 0
        change(&settings)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        broker = try Broker.open(
            dataDirectory: "/data", fileSystem: disk, settings: settings, logger: logger)
        var kafka = KafkaSettings()
        kafka.nodeID = 7
        kafka.clusterID = "AAAAAAAAAAAAAAAAAAAAAA"
        changeKafka(&kafka)
        handlers = RequestHandlers(broker: broker, settings: kafka, logger: logger)
    }

    /// Sends a request through its bytes and the answer through its own, in one version: what the
    /// version has no field for does not come through.
    func call<Request: KafkaMessage, Response: KafkaMessage>(
        _ request: Request, version: Int16,
        _ handler: (RequestHandlers) -> (Request, RequestContext) async -> Response
    ) async throws -> Response {
        let context = RequestContext(
            apiVersion: version, clientID: "test", clientHost: "127.0.0.1",
            advertised: KafkaSettings.Address(host: "broker.example", port: 9192))
        let response = await handler(handlers)(try Self.sent(request, version), context)
        return try Self.sent(response, version)
    }

    private static func sent<Message: KafkaMessage>(
        _ message: Message, _ version: Int16
    ) throws -> Message {
        var writer = KafkaWriter()
        message.encode(into: &writer, version: version)
        return try writer.bytes.withUnsafeBytes { bytes in
            var reader = KafkaReader(bytes)
            return try Message(from: &reader, version: version)
        }
    }

    /// Makes a topic, and puts so many records into each partition.
    func makeTopic(
        _ name: String, partitions: Int = 1, records: Int = 0, settings: [String: String] = [:]
    ) async throws -> TopicDescription {
        let topic = try await broker.createTopic(
            name, partitionCount: partitions, settings: settings)
        for number in 0..<partitions where records > 0 {
            var builder = BatchBuilder()
            for record in 0..<records {
                builder.append(
                    key: nil, value: Array("value \(record)".utf8),
                    timestamp: Timestamp(milliseconds: 1000 + Int64(record)))
            }
            _ = try await broker.partition(name, number).append(builder.finish())
        }
        return topic
    }
}
