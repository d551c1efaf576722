// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import ClusterCore
import KafkaProtocol
import Records
import SimulatedDisk
import Testing

@testable import KafkaService

@Suite("DeleteTopics", .timeLimit(.minutes(1)))
struct DeleteTopicsTests {
    private func request(
        names: [String] = [], ids: [KafkaUUID] = [], version: Int16
    ) -> DeleteTopicsRequest {
        var request = DeleteTopicsRequest()
        request.timeoutMs = 30_000
        if version < 6 {
            request.topicNames = names
        } else {
            request.topics =
                names.map { name in
                    var topic = DeleteTopicsRequest.DeleteTopicState()
                    topic.name = name
                    return topic
                }
                + ids.map { id in
                    var topic = DeleteTopicsRequest.DeleteTopicState()
                    topic.name = nil
                    topic.topicId = id
                    return topic
                }
        }
        return request
    }

    @Test("removes topics by name in each version", arguments: Int16(1)...6)
    func byName(_ version: Int16) async throws {
        let fixture = try AdminFixture()
        let topic = try await fixture.makeTopic("a", partitions: 2, records: 3)
        _ = try await fixture.makeTopic("b")
        _ = try await fixture.broker.createTopic(
            "__cordwood_groups", partitionCount: 1, settings: [:], isInternal: true)
        let response = try await fixture.call(
            request(
                names: ["a", "gone", "__cordwood_groups", "b", "b"], version: version),
            version: version
        ) { $0.deleteTopics }
        #expect(
            response.responses.map(\.name) == ["a", "gone", "__cordwood_groups", "b", "b"])
        #expect(
            response.responses.map(\.errorCode) == [
                .none, .unknownTopicOrPartition, .invalidTopicException, .invalidRequest,
                .invalidRequest,
            ])
        if version >= 5 {
            #expect(response.responses[1].errorMessage?.contains("gone") == true)
        }
        if version >= 6 { #expect(response.responses[0].topicId == KafkaUUID(topic.topicID)) }
        #expect(fixture.broker.topics.map(\.name) == ["__cordwood_groups", "b"])
        await fixture.broker.close()
    }

    @Test("removes topics by id, and knows when one is not the topic of its name any more")
    func byID() async throws {
        let fixture = try AdminFixture()
        let old = try await fixture.makeTopic("a")
        try await fixture.broker.deleteTopic("a")
        let new = try await fixture.makeTopic("a")
        let ids = [KafkaUUID(old.topicID), KafkaUUID(new.topicID), .zero]
        let response = try await fixture.call(request(ids: ids, version: 6), version: 6) {
            $0.deleteTopics
        }
        #expect(response.responses.map(\.topicId) == ids)
        #expect(response.responses.map(\.name) == [nil, "a", nil])
        #expect(
            response.responses.map(\.errorCode) == [.unknownTopicId, .none, .invalidRequest])
        #expect(fixture.broker.topics.isEmpty)
        await fixture.broker.close()
    }
}

@Suite("CreatePartitions", .timeLimit(.minutes(1)))
struct CreatePartitionsTests {
    private func row(
        _ name: String, _ count: Int32, assignments: [[Int32]]? = nil
    ) -> CreatePartitionsRequest.CreatePartitionsTopic {
        var topic = CreatePartitionsRequest.CreatePartitionsTopic()
        topic.name = name
        topic.count = count
        topic.assignments = assignments?.map { brokers in
            var assignment = CreatePartitionsRequest.CreatePartitionsAssignment()
            assignment.brokerIds = brokers
            return assignment
        }
        return topic
    }

    @Test("adds partitions in each version, and answers each row", arguments: Int16(0)...3)
    func versions(_ version: Int16) async throws {
        let fixture = try AdminFixture()
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            _ = try await fixture.makeTopic(name, partitions: 2)
        }
        let rows: [(CreatePartitionsRequest.CreatePartitionsTopic, KafkaErrorCode)] = [
            (row("a", 5), .none),
            (row("b", 2), .invalidPartitions),
            (row("c", 100_000), .invalidPartitions),
            (row("d", 3, assignments: [[7]]), .none),
            (row("e", 3, assignments: [[1]]), .invalidReplicaAssignment),
            (row("f", 3, assignments: [[7], [7]]), .invalidReplicaAssignment),
            (row("g", 3), .invalidRequest),
            (row("g", 4), .invalidRequest),
            (row("gone", 3), .unknownTopicOrPartition),
        ]
        var request = CreatePartitionsRequest()
        request.topics = rows.map(\.0)
        request.timeoutMs = 30_000
        let response = try await fixture.call(request, version: version) { $0.createPartitions }
        #expect(response.results.map(\.name) == rows.map(\.0.name))
        for (result, (topic, code)) in zip(response.results, rows) {
            #expect(result.errorCode == code, "\(topic.name): \(result.errorMessage ?? "")")
        }
        let counts = fixture.broker.topics.map(\.partitionCount)
        #expect(counts == [5, 2, 2, 3, 2, 2, 2])
        await fixture.broker.close()
    }

    @Test("only looks whether it could when it is asked to")
    func validateOnly() async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic("a")
        var request = CreatePartitionsRequest()
        request.topics = [row("a", 3)]
        request.validateOnly = true
        let response = try await fixture.call(request, version: 3) { $0.createPartitions }
        #expect(response.results.map(\.errorCode) == [.none])
        #expect(try fixture.broker.topic("a").partitionCount == 1)
        await fixture.broker.close()
    }
}

@Suite("DeleteRecords", .timeLimit(.minutes(1)))
struct DeleteRecordsTests {
    @Test("moves the low watermark in each version", arguments: Int16(0)...2)
    func versions(_ version: Int16) async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic("a", partitions: 5, records: 10)
        let offsets: [(Int32, Int64)] = [(0, 4), (1, -1), (2, 11), (3, -2), (4, 10), (5, 1)]
        var request = DeleteRecordsRequest()
        request.timeoutMs = 30_000
        for name in ["a", "gone"] {
            var topic = DeleteRecordsRequest.DeleteRecordsTopic()
            topic.name = name
            topic.partitions = offsets.map { number, offset in
                var partition = DeleteRecordsRequest.DeleteRecordsPartition()
                partition.partitionIndex = number
                partition.offset = offset
                return partition
            }
            request.topics.append(topic)
        }
        let response = try await fixture.call(request, version: version) { $0.deleteRecords }
        #expect(response.topics.map(\.name) == ["a", "gone"])
        let rows = try #require(response.topics.first).partitions
        #expect(rows.map(\.partitionIndex) == offsets.map(\.0))
        #expect(rows.map(\.lowWatermark) == [4, 10, -1, -1, 10, -1])
        #expect(
            rows.map(\.errorCode) == [
                .none, .none, .offsetOutOfRange, .offsetOutOfRange, .none,
                .unknownTopicOrPartition,
            ])
        let others = try #require(response.topics.last).partitions
        #expect(others.count == offsets.count)
        #expect(try fixture.broker.partition("a", 0).logStartOffset == Offset(4))
        #expect(try fixture.broker.partition("a", 2).logStartOffset == .zero)
        await fixture.broker.close()
    }
}
