// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import KafkaProtocol
import Records
import Testing

@testable import KafkaService

@Suite("Records in and out over the Kafka protocol")
struct ProduceFetchTests {
    static func produce(
        _ topic: String, _ batch: [UInt8], acks: Int16 = -1, partition: Int32 = 0
    ) -> ProduceRequest {
        var request = ProduceRequest()
        request.acks = acks
        request.timeoutMs = 5000
        var data = ProduceRequest.TopicProduceData()
        data.name = topic
        var item = ProduceRequest.PartitionProduceData()
        item.index = partition
        item.records = .bytes(batch)
        data.partitionData = [item]
        request.topicData = [data]
        return request
    }

    static func fetch(
        _ topic: String, from offset: Int64, id: KafkaUUID = .zero, wait: Int32 = 0,
        bytesMin: Int32 = 1, bytesMax: Int32 = 1 << 20, partitionBytesMax: Int32 = 1 << 20
    ) -> FetchRequest {
        var request = FetchRequest()
        request.maxWaitMs = wait
        request.minBytes = bytesMin
        request.maxBytes = bytesMax
        var item = FetchRequest.FetchTopic()
        item.topic = topic
        item.topicId = id
        var partition = FetchRequest.FetchPartition()
        partition.fetchOffset = offset
        partition.partitionMaxBytes = partitionBytesMax
        item.partitions = [partition]
        request.topics = [item]
        return request
    }

    /// The row of the only partition of a fetch's answer.
    static func row(_ response: FetchResponse) throws -> FetchResponse.PartitionData {
        let topic = try #require(response.responses.first)
        return try #require(topic.partitions.first)
    }

    static func row(
        _ response: ProduceResponse
    ) throws -> ProduceResponse.PartitionProduceResponse {
        try #require(response.responses.first?.partitionResponses.first)
    }

    static func byteCount(_ records: KafkaRecords) -> Int {
        if case .slice(let range) = records { range.count } else { -1 }
    }

    @Test(
        "what one version produces every version fetches, as it was sent",
        arguments: [Int16(3), 7, 8, 9, 11])
    func roundTrip(version: Int16) async throws {
        try await withListener { listener, broker in
            let topic = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                let sent = batch(["a", "bc", "def"])
                let answer: ProduceResponse = try await session.ask(
                    .produce, version, Self.produce("t", sent))
                #expect(try Self.row(answer).errorCode == .none)
                #expect(try Self.row(answer).baseOffset == 0)
                let second: ProduceResponse = try await session.ask(
                    .produce, version, Self.produce("t", sent))
                #expect(try Self.row(second).baseOffset == 3)
                for version in ApiKey.fetch.versions {
                    let fetched: FetchResponse = try await session.ask(
                        .fetch, version,
                        Self.fetch("t", from: 0, id: KafkaUUID(topic.topicID)))
                    let row = try Self.row(fetched)
                    #expect(row.errorCode == .none)
                    #expect(row.highWatermark == 6)
                    #expect(row.lastStableOffset == 6)
                    #expect(Self.byteCount(row.records) == 2 * sent.count)
                }
            }
        }
    }

    @Test("a fetch begins with the batch that holds the offset")
    func batchBoundary() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                let sent = batch(["a", "b", "c"])
                let _: ProduceResponse = try await session.ask(
                    .produce, 7, Self.produce("t", sent))
                let fetched: FetchResponse = try await session.ask(
                    .fetch, 11, Self.fetch("t", from: 2))
                #expect(Self.byteCount(try Self.row(fetched).records) == sent.count)
            }
        }
    }

    @Test("the first batch comes whole, however little is asked for")
    func wholeBatch() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                let sent = batch([String(repeating: "x", count: 10_000)])
                let _: ProduceResponse = try await session.ask(
                    .produce, 7, Self.produce("t", sent))
                let fetched: FetchResponse = try await session.ask(
                    .fetch, 11, Self.fetch("t", from: 0, bytesMax: 10, partitionBytesMax: 10))
                #expect(Self.byteCount(try Self.row(fetched).records) == sent.count)
            }
        }
    }

    @Test("a fetch waits for records, and answers as soon as they are there")
    func longPoll() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { reader in
                let waiting = try await reader.send(
                    .fetch, 11, Self.fetch("t", from: 0, wait: 60_000))
                let sent = batch(["late"])
                try await KafkaTestClient.connect(to: listener) { writer in
                    let answer: ProduceResponse = try await writer.ask(
                        .produce, 7, Self.produce("t", sent))
                    #expect(try Self.row(answer).errorCode == .none)
                }
                let fetched: FetchResponse = try await reader.answer(.fetch, 11, waiting)
                #expect(Self.byteCount(try Self.row(fetched).records) == sent.count)
            }
        }
    }

    @Test("a fetch that waits in vain answers that there is nothing, and not null")
    func nothing() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                let fetched: FetchResponse = try await session.ask(
                    .fetch, 11, Self.fetch("t", from: 0, wait: 30))
                #expect(Self.byteCount(try Self.row(fetched).records) == 0)
                #expect(try Self.row(fetched).errorCode == .none)
            }
        }
    }

    @Test("a fetch waits for as many bytes as it asks for")
    func bytesMin() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { reader in
                let sent = batch(["1234567890"])
                let waiting = try await reader.send(
                    .fetch, 11,
                    Self.fetch("t", from: 0, wait: 60_000, bytesMin: Int32(2 * sent.count)))
                try await KafkaTestClient.connect(to: listener) { writer in
                    for _ in 0..<2 {
                        let _: ProduceResponse = try await writer.ask(
                            .produce, 7, Self.produce("t", sent))
                    }
                }
                let fetched: FetchResponse = try await reader.answer(.fetch, 11, waiting)
                #expect(Self.byteCount(try Self.row(fetched).records) == 2 * sent.count)
            }
        }
    }

    @Test(
        "a fetch does not wait for bytes that it has no room for", .timeLimit(.minutes(1)),
        arguments: [(500_000, 100_000), (500_000, 4 << 20)])
    func bytesMinWithoutRoom(bytesMin: Int32, bytesMax: Int32) async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                let sent = batch([String(repeating: "x", count: 60_000)])
                for _ in 0..<20 {
                    _ = try await session.ask(
                        .produce, 7, Self.produce("t", sent), ProduceResponse.self)
                }
                let began = ContinuousClock.now
                let fetched: FetchResponse = try await session.ask(
                    .fetch, 11,
                    Self.fetch(
                        "t", from: 0, wait: 30_000, bytesMin: bytesMin, bytesMax: bytesMax,
                        partitionBytesMax: bytesMax))
                #expect(Self.byteCount(try Self.row(fetched).records) > 50_000)
                #expect(ContinuousClock.now - began < .seconds(20))
            }
        }
    }

    @Test("a fetch of no bytes is given the first batch, wherever it has to be read from")
    func noBytes() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                let sent = batch([String(repeating: "x", count: 600_000)])
                _ = try await session.ask(
                    .produce, 7, Self.produce("t", sent), ProduceResponse.self)
                let fetched: FetchResponse = try await session.ask(
                    .fetch, 11,
                    Self.fetch("t", from: 0, bytesMax: 0, partitionBytesMax: 0))
                #expect(Self.byteCount(try Self.row(fetched).records) == sent.count)
            }
        }
    }

    @Test("offsets outside of the log, unknown topics and other epochs have their errors")
    func fetchErrors() async throws {
        try await withListener { listener, broker in
            let topic = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                func code(_ version: Int16, _ request: FetchRequest) async throws -> KafkaErrorCode
                {
                    let response: FetchResponse = try await session.ask(.fetch, version, request)
                    return try Self.row(response).errorCode
                }
                let beyond = try await code(11, Self.fetch("t", from: 1))
                #expect(beyond == .offsetOutOfRange)
                #expect(try await code(11, Self.fetch("t", from: -5)) == .offsetOutOfRange)
                #expect(
                    try await code(11, Self.fetch("none", from: 0)) == .unknownTopicOrPartition)
                #expect(
                    try await code(13, Self.fetch("", from: 0, id: KafkaUUID(high: 1, low: 2)))
                        == .unknownTopicId)
                var request = Self.fetch("t", from: 0, id: KafkaUUID(topic.topicID))
                request.topics[0].partitions[0].currentLeaderEpoch = 99
                #expect(try await code(13, request) == .unknownLeaderEpoch)
                request.topics[0].partitions[0].currentLeaderEpoch = 0
                #expect(try await code(13, request) == .fencedLeaderEpoch)
            }
        }
    }

    @Test("batches that are no batches have their errors, and nothing of them is kept")
    func produceErrors() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic(
                "t", partitionCount: 1, settings: ["max.message.bytes": "2000"])
            try await KafkaTestClient.connect(to: listener) { session in
                func code(_ bytes: [UInt8], version: Int16 = 9) async throws -> KafkaErrorCode {
                    let response: ProduceResponse = try await session.ask(
                        .produce, version, Self.produce("t", bytes))
                    return try Self.row(response).errorCode
                }
                let good = batch(["a"])
                func changed(_ place: Int, _ byte: UInt8) -> [UInt8] {
                    var bytes = good
                    bytes[place] = byte
                    return bytes
                }
                let empty = try await code([])
                #expect(empty == .invalidRecord)
                #expect(try await code(Array(good.dropLast())) == .invalidRecord)
                #expect(try await code(good + good) == .invalidRecord)
                #expect(try await code(changed(16, 1)) == .invalidRecord)
                #expect(try await code(changed(7, 1)) == .invalidRecord)
                #expect(try await code(changed(good.count - 2, 0x7f)) == .corruptMessage)
                #expect(
                    try await code(batch([String(repeating: "x", count: 3000)]))
                        == .messageTooLarge)
                #expect(try await code(good) == .none)
                #expect(try broker.partition("t", 0).highWatermark == 1)
            }
        }
    }

    @Test("acks other than -1, 0 and 1 and transactions are refused")
    func refusedRequests() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                let odd: ProduceResponse = try await session.ask(
                    .produce, 9, Self.produce("t", batch(["a"]), acks: 2))
                #expect(try Self.row(odd).errorCode == .invalidRequiredAcks)
                var request = Self.produce("t", batch(["a"]))
                request.transactionalId = "tx"
                let transactional: ProduceResponse = try await session.ask(.produce, 9, request)
                #expect(
                    try Self.row(transactional).errorCode == .transactionalIdAuthorizationFailed)
            }
        }
    }

    @Test("without acks there is no answer, and an error ends the connection")
    func withoutAcks() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                _ = try await session.send(
                    .produce, 7, Self.produce("t", batch(["a"]), acks: 0))
                // The next answer is the next request's.
                let fetched: FetchResponse = try await session.ask(
                    .fetch, 11, Self.fetch("t", from: 0, wait: 10_000))
                #expect(Self.byteCount(try Self.row(fetched).records) > 0)
                _ = try await session.send(
                    .produce, 7, Self.produce("none", batch(["a"]), acks: 0))
                #expect(try await session.nextFrame() == nil)
            }
        }
    }

    @Test("requests that follow each other without waiting are answered in their order")
    func pipelining() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 2, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                var sent: [(ApiKey, Int16, Int32)] = []
                for number in 0..<200 {
                    switch number % 4 {
                    case 0:
                        sent.append(
                            (
                                .apiVersions, 3,
                                try await session.send(.apiVersions, 3, ApiVersionsRequest())
                            ))
                    case 1:
                        sent.append(
                            (
                                .metadata, 5,
                                try await session.send(.metadata, 5, MetadataRequest())
                            ))
                    default:
                        sent.append(
                            (
                                .produce, 7,
                                try await session.send(
                                    .produce, 7,
                                    Self.produce(
                                        "t", batch(["\(number)"]), partition: Int32(number % 2)))
                            ))
                    }
                }
                var offsets: [Int64] = []
                for (key, version, correlation) in sent {
                    switch key {
                    case .apiVersions:
                        let _: ApiVersionsResponse = try await session.answer(
                            key, version, correlation)
                    case .metadata:
                        let _: MetadataResponse = try await session.answer(
                            key, version, correlation)
                    default:
                        let answer: ProduceResponse = try await session.answer(
                            key, version, correlation)
                        offsets.append(try Self.row(answer).baseOffset)
                    }
                }
                // Two partitions in turn, each dense.
                #expect(offsets == (0..<50).flatMap { [Int64($0), Int64($0)] })
            }
        }
    }

    @Test("an idempotent producer's batch that comes again has its first offset")
    func idempotence() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                var asked = InitProducerIdRequest()
                asked.transactionalId = nil
                let identity: InitProducerIdResponse = try await session.ask(
                    .initProducerId, 4, asked)
                #expect(identity.errorCode == .none)
                func send(_ sequence: Int32) async throws -> (KafkaErrorCode, Int64) {
                    let answer: ProduceResponse = try await session.ask(
                        .produce, 7,
                        Self.produce(
                            "t",
                            batch(
                                ["\(sequence)"], producerID: identity.producerId,
                                epoch: identity.producerEpoch, sequence: sequence)))
                    let row = try Self.row(answer)
                    return (row.errorCode, row.baseOffset)
                }
                #expect(try await send(0) == (.none, 0))
                #expect(try await send(1) == (.none, 1))
                #expect(try await send(0) == (.none, 0))
                #expect(try await send(3).0 == .outOfOrderSequenceNumber)
                #expect(try await send(2) == (.none, 2))
                #expect(try broker.partition("t", 0).highWatermark == 3)
            }
        }
    }

    @Test("a session says only what is new, and goes with its connection")
    func sessions() async throws {
        try await withListener { listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            let first = try await KafkaTestClient.connect(to: listener) { session in
                var request = Self.fetch("t", from: 0)
                request.sessionEpoch = 0
                let begun: FetchResponse = try await session.ask(.fetch, 11, request)
                #expect(begun.sessionId != 0)
                #expect(begun.responses.count == 1)
                request.sessionId = begun.sessionId
                request.sessionEpoch = 1
                request.topics = []
                let unchanged: FetchResponse = try await session.ask(.fetch, 11, request)
                #expect(unchanged.responses.isEmpty)
                let sent = batch(["new"])
                let _: ProduceResponse = try await session.ask(
                    .produce, 7, Self.produce("t", sent))
                request.sessionEpoch = 2
                let changed: FetchResponse = try await session.ask(.fetch, 11, request)
                #expect(Self.byteCount(try Self.row(changed).records) == sent.count)
                let late: FetchResponse = try await session.ask(.fetch, 11, request)
                #expect(late.errorCode == .invalidFetchSessionEpoch)
                return begun.sessionId
            }
            try await KafkaTestClient.connect(to: listener) { session in
                var request = Self.fetch("t", from: 0)
                request.sessionId = first
                request.sessionEpoch = 3
                let gone: FetchResponse = try await session.ask(.fetch, 11, request)
                #expect(gone.errorCode == .fetchSessionIdNotFound)
            }
        }
    }

    @Test("a full queue holds the producer back, and loses and reorders nothing")
    func fullQueue() async throws {
        try await withListener(broker: brokerSettings { $0.queueBytesMax = 4 << 10 }) {
            listener, broker in
            _ = try await broker.createTopic("t", partitionCount: 1, settings: [:])
            try await KafkaTestClient.connect(to: listener) { session in
                let sent = batch([String(repeating: "x", count: 1500)])
                var correlations: [Int32] = []
                for _ in 0..<100 {
                    correlations.append(
                        try await session.send(.produce, 7, Self.produce("t", sent)))
                }
                for (number, correlation) in correlations.enumerated() {
                    let answer: ProduceResponse = try await session.answer(
                        .produce, 7, correlation)
                    #expect(try Self.row(answer).errorCode == .none)
                    #expect(try Self.row(answer).baseOffset == Int64(number))
                }
            }
        }
    }
}
