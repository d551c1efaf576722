// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import KafkaProtocol
import Testing

@testable import KafkaService

@Suite("CreateTopics", .timeLimit(.minutes(1)))
struct CreateTopicsTests {
    typealias Topic = CreateTopicsRequest.CreatableTopic

    static func topic(
        _ name: String, partitions: Int32 = -1, replicas: Int16 = -1,
        configs: [(String, String?)] = [], assignments: [(Int32, [Int32])] = []
    ) -> Topic {
        var topic = Topic()
        topic.name = name
        topic.numPartitions = partitions
        topic.replicationFactor = replicas
        topic.configs = configs.map { name, value in
            var config = CreateTopicsRequest.CreatableTopicConfig()
            config.name = name
            config.value = value
            return config
        }
        topic.assignments = assignments.map { number, brokers in
            var assignment = CreateTopicsRequest.CreatableReplicaAssignment()
            assignment.partitionIndex = number
            assignment.brokerIds = brokers
            return assignment
        }
        return topic
    }

    private func create(
        _ topics: [Topic], version: Int16 = 7, validateOnly: Bool = false, on fixture: AdminFixture
    ) async throws -> CreateTopicsResponse {
        var request = CreateTopicsRequest()
        request.topics = topics
        request.timeoutMs = 30_000
        request.validateOnly = validateOnly
        return try await fixture.call(request, version: version) { $0.createTopics }
    }

    @Test("makes topics in each version", arguments: Int16(2)...7)
    func versions(_ version: Int16) async throws {
        let fixture = try AdminFixture()
        let response = try await create(
            [
                Self.topic(
                    "a", partitions: 3, replicas: 1, configs: [("retention.ms", "60000")]),
                Self.topic("b", partitions: 1, replicas: 1),
            ], version: version, on: fixture)
        #expect(response.topics.map(\.name) == ["a", "b"])
        #expect(response.topics.allSatisfy { $0.errorCode == .none && $0.errorMessage == nil })
        let made = try fixture.broker.topic("a")
        #expect(made.partitionCount == 3)
        #expect(made.settings.filter(\.isSet).map(\.value) == ["60000"])
        let row = try #require(response.topics.first)
        if version >= 5 {
            #expect(row.numPartitions == 3)
            #expect(row.replicationFactor == 1)
            let config = row.configs?.first { $0.name == "retention.ms" }
            #expect(config?.value == "60000")
            #expect(config?.configSource == 1)
        }
        if version >= 7 { #expect(row.topicId == KafkaUUID(made.topicID)) }
        await fixture.broker.close()
    }

    @Test("leaves counts of -1 to the server")
    func defaults() async throws {
        let fixture = try AdminFixture { $0.partitionCountDefault = 4 }
        let response = try await create([Self.topic("a")], on: fixture)
        #expect(response.topics.first?.errorCode == KafkaErrorCode.none)
        #expect(try fixture.broker.topic("a").partitionCount == 4)
        await fixture.broker.close()
    }

    @Test("answers each row, and those that cannot be done with their own error")
    func rows() async throws {
        let fixture = try AdminFixture { $0.messageBytesLimit = 1 << 20 }
        _ = try await fixture.makeTopic("there")
        let rows: [(Topic, KafkaErrorCode)] = [
            (Self.topic("good"), .none),
            (Self.topic("there"), .topicAlreadyExists),
            (Self.topic("a b"), .invalidTopicException),
            (Self.topic("__cordwood_mine"), .invalidTopicException),
            (Self.topic("none", partitions: 0), .invalidPartitions),
            (Self.topic("less", partitions: -2), .invalidPartitions),
            (Self.topic("many", partitions: .max), .invalidPartitions),
            (Self.topic("three", replicas: 3), .invalidReplicationFactor),
            (Self.topic("nil", replicas: 0), .invalidReplicationFactor),
            (Self.topic("compacted", configs: [("cleanup.policy", "compact")]), .invalidConfig),
            (Self.topic("unknown", configs: [("colour", "red")]), .invalidConfig),
            (Self.topic("null", configs: [("retention.ms", nil)]), .invalidConfig),
            (Self.topic("big", configs: [("max.message.bytes", "1048577")]), .invalidConfig),
            (
                Self.topic("unsure", configs: [("segment.ms", "5000"), ("segment.ms", "6000")]),
                .invalidRequest
            ),
            (Self.topic("twice"), .invalidRequest),
            (Self.topic("twice"), .invalidRequest),
            (Self.topic("placed", assignments: [(1, [7]), (0, [7])]), .none),
            (Self.topic("elsewhere", assignments: [(0, [8])]), .invalidReplicaAssignment),
            (Self.topic("replicated", assignments: [(0, [7, 8])]), .invalidReplicaAssignment),
            (Self.topic("nowhere", assignments: [(0, [])]), .invalidReplicaAssignment),
            (Self.topic("gap", assignments: [(0, [7]), (2, [7])]), .invalidReplicaAssignment),
            (Self.topic("both", partitions: 1, assignments: [(0, [7])]), .invalidRequest),
        ]
        let response = try await create(rows.map(\.0), on: fixture)
        #expect(response.topics.map(\.name) == rows.map(\.0.name))
        for (row, (topic, code)) in zip(response.topics, rows) {
            #expect(row.errorCode == code, "\(topic.name): \(row.errorMessage ?? "")")
            #expect((row.errorMessage == nil) == (code == .none), "\(topic.name)")
        }
        let compacted = response.topics.first { $0.name == "compacted" }
        #expect(compacted?.errorMessage?.contains("compaction is not supported") == true)
        #expect(fixture.broker.topics.map(\.name) == ["good", "placed", "there"])
        #expect(try fixture.broker.topic("placed").partitionCount == 2)
        await fixture.broker.close()
    }

    @Test("only looks whether it could when it is asked to")
    func validateOnly() async throws {
        let fixture = try AdminFixture()
        let response = try await create(
            [Self.topic("a", partitions: 2), Self.topic("b", replicas: 2)], validateOnly: true,
            on: fixture)
        #expect(response.topics.map(\.errorCode) == [.none, .invalidReplicationFactor])
        #expect(response.topics.first?.numPartitions == 2)
        #expect(response.topics.first?.topicId == .zero)
        #expect(fixture.broker.topics.isEmpty)
        await fixture.broker.close()
    }

    @Test("takes the facts that clients state of a topic, and shows them as stated")
    func facts() async throws {
        let fixture = try AdminFixture()
        let facts = [
            ("cleanup.policy", "delete"), ("compression.type", "producer"),
            ("min.insync.replicas", "1"), ("message.timestamp.type", "CreateTime"),
        ]
        let response = try await create(
            [Self.topic("a", configs: facts.map { ($0.0, $0.1) })], on: fixture)
        let row = try #require(response.topics.first)
        #expect(row.errorCode == .none)
        for (name, value) in facts {
            let config = try #require(row.configs?.first { $0.name == name })
            #expect(config.value == value)
            #expect(config.configSource == 1)
        }
        await fixture.broker.close()
    }

    @Test("does not send back all of an endless name")
    func longNames() async throws {
        let fixture = try AdminFixture()
        let long = String(repeating: "é", count: 16_000)
        let config = (long, nil as String?)
        for version in Int16(2)...7 {
            let response = try await create(
                [Self.topic(long), Self.topic("a", configs: [config])], version: version,
                on: fixture)
            #expect(response.topics.map(\.errorCode) == [.invalidTopicException, .invalidConfig])
            #expect(response.topics.allSatisfy { ($0.errorMessage ?? "").utf8.count < 5000 })
        }
        await fixture.broker.close()
    }

    @Test("does not begin what the client no longer waits for")
    func patience() throws {
        let start = ContinuousClock.now
        let patience = Patience(milliseconds: 10, from: start)
        try patience.check(at: start + .milliseconds(9))
        let refusal = #expect(throws: Refusal.self) {
            try patience.check(at: start + .milliseconds(10))
        }
        #expect(refusal?.code == .requestTimedOut)
        try Patience(milliseconds: 0, from: start).check(at: start + .seconds(1000))
        try Patience(milliseconds: -1, from: start).check(at: start + .seconds(1000))
    }
}
