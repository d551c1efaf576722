// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import KafkaProtocol
import Records
import Testing

@testable import KafkaService

@Suite("What Kafka clients learn of the server")
struct DiscoveryTests {
    @Test("a version of ApiVersions that is not known is answered in version 0")
    func unknownVersion() async throws {
        try await withListener { listener, _ in
            try await KafkaTestClient.connect(to: listener) { session in
                // Header version 2 has tags, as clients send for any newer version.
                let start: [UInt8] = [0, 0, 0, 11, 0, 18, 0, 9, 0, 0, 0, 5, 0xff, 0xff, 0]
                try await session.send(frame: start)
                let answer: ApiVersionsResponse = try await session.answer(.apiVersions, 0, 5)
                #expect(answer.errorCode == .unsupportedVersion)
                #expect(answer.apiKeys.map(\.apiKey) == [18])
            }
        }
    }

    @Test("all that is served is listed, and Produce from 0 on", arguments: Int16(0)...4)
    func versions(version: Int16) async throws {
        try await withListener { listener, _ in
            try await KafkaTestClient.connect(to: listener) { session in
                let answer: ApiVersionsResponse = try await session.ask(
                    .apiVersions, version, ApiVersionsRequest())
                #expect(answer.apiKeys.map(\.apiKey) == ApiKey.allCases.map(\.rawValue))
                #expect(answer.apiKeys.first { $0.apiKey == 0 }?.minVersion == 0)
            }
        }
    }

    @Test("no topics, all topics and missing topics are told apart")
    func topics() async throws {
        try await withListener(settings { $0.autoCreateTopics = false }) { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 3, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                var request = MetadataRequest()
                request.topics = nil
                let all: MetadataResponse = try await session.ask(.metadata, 9, request)
                #expect(all.topics.map(\.name) == ["t"])
                #expect(all.topics.first?.partitions.count == 3)
                #expect(all.brokers.map(\.port) == [Int32(listener.port)])
                #expect(all.brokers.map(\.host) == ["127.0.0.1"])
                request.topics = []
                let none: MetadataResponse = try await session.ask(.metadata, 9, request)
                #expect(none.topics.isEmpty)
                var missing = MetadataRequest.MetadataRequestTopic()
                missing.name = "missing"
                var bad = MetadataRequest.MetadataRequestTopic()
                bad.name = "no good!"
                request.topics = [missing, bad]
                let errors: MetadataResponse = try await session.ask(.metadata, 9, request)
                #expect(
                    errors.topics.map(\.errorCode)
                        == [.unknownTopicOrPartition, .invalidTopicException])
            }
        }
    }

    @Test("a topic that is asked for is created, unless the client forbids it")
    func creation() async throws {
        try await withListener { listener, broker in
            try await KafkaTestClient.connect(to: listener) { session in
                var request = MetadataRequest()
                var topic = MetadataRequest.MetadataRequestTopic()
                topic.name = "wanted"
                request.topics = [topic]
                request.allowAutoTopicCreation = false
                let refused: MetadataResponse = try await session.ask(.metadata, 9, request)
                #expect(refused.topics.first?.errorCode == .unknownTopicOrPartition)
                request.allowAutoTopicCreation = true
                let created: MetadataResponse = try await session.ask(.metadata, 9, request)
                #expect(created.topics.first?.errorCode == KafkaErrorCode.none)
                #expect(try broker.topic("wanted").partitionCount == 1)
            }
        }
    }

    @Test("what is configured is told instead of the address that was reached")
    func advertised() async throws {
        try await withListener(settings { $0.advertised = .init(host: "log.example", port: 19092) })
        {
            listener, _ in
            try await KafkaTestClient.connect(to: listener) { session in
                let answer: MetadataResponse = try await session.ask(
                    .metadata, 9, MetadataRequest())
                #expect(answer.brokers.map(\.host) == ["log.example"])
                #expect(answer.brokers.map(\.port) == [19092])
            }
        }
    }

    @Test("the ends of a partition and what was written when are found", arguments: Int16(1)...11)
    func offsets(version: Int16) async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                for time in [Int64(100), 300, 200] {
                    var builder = BatchBuilder()
                    for step in Int64(0)..<3 {
                        builder.append(
                            key: nil, value: [1],
                            timestamp: Timestamp(milliseconds: time + step * 10))
                    }
                    let buffer = builder.finish()
                    let bytes = withExtendedLifetime(buffer) { Array(buffer.bytes) }
                    let _: ProduceResponse = try await session.ask(
                        .produce, 7, ProduceFetchTests.produce("t", bytes))
                }
                func find(_ timestamp: Int64) async throws -> (Int64, Int64) {
                    var request = ListOffsetsRequest()
                    var topic = ListOffsetsRequest.ListOffsetsTopic()
                    topic.name = "t"
                    var partition = ListOffsetsRequest.ListOffsetsPartition()
                    partition.timestamp = timestamp
                    topic.partitions = [partition]
                    request.topics = [topic]
                    let answer: ListOffsetsResponse = try await session.ask(
                        .listOffsets, version, request)
                    let row = try #require(answer.topics.first?.partitions.first)
                    #expect(row.errorCode == .none)
                    return (row.offset, row.timestamp)
                }
                #expect(try await find(-1) == (9, -1))
                #expect(try await find(-2) == (0, -1))
                #expect(try await find(0) == (0, 100))
                // The record, and not the batch that it is in.
                #expect(try await find(105) == (1, 110))
                #expect(try await find(211) == (3, 300))
                #expect(try await find(321) == (-1, -1))
                if version >= 7 { #expect(try await find(-3) == (5, 320)) }
                if version >= 8 { #expect(try await find(-4) == (0, -1)) }
            }
        }
    }
}
