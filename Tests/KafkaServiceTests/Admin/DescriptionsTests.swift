// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import Disk
import KafkaProtocol
import SimulatedDisk
import Testing

@testable import KafkaService

@Suite("DescribeCluster", .timeLimit(.minutes(1)))
struct DescribeClusterTests {
    @Test("names this broker in each version", arguments: Int16(0)...1)
    func versions(_ version: Int16) async throws {
        let fixture = try AdminFixture()
        var request = DescribeClusterRequest()
        var response = try await fixture.call(request, version: version) { $0.describeCluster }
        #expect(response.errorCode == .none)
        #expect(response.clusterId == "AAAAAAAAAAAAAAAAAAAAAA")
        #expect(response.controllerId == 7)
        #expect(response.brokers.map(\.brokerId) == [7])
        #expect(response.brokers.map(\.host) == ["broker.example"])
        #expect(response.brokers.map(\.port) == [9192])
        #expect(response.clusterAuthorizedOperations == Int32.min)
        request.includeClusterAuthorizedOperations = true
        response = try await fixture.call(request, version: version) { $0.describeCluster }
        #expect(response.clusterAuthorizedOperations == 0b1_1111_1010_0000)
        await fixture.broker.close()
    }

    @Test("does not speak for controllers", arguments: [Int8(2), 3, 0])
    func controllers(_ type: Int8) async throws {
        let fixture = try AdminFixture()
        var request = DescribeClusterRequest()
        request.endpointType = type
        let response = try await fixture.call(request, version: 1) { $0.describeCluster }
        #expect(
            response.errorCode.rawValue == (type == 2 ? 114 : 115))
        #expect(response.brokers.isEmpty)
        await fixture.broker.close()
    }
}

@Suite("DescribeTopicPartitions", .timeLimit(.minutes(1)))
struct DescribeTopicPartitionsTests {
    private func describe(
        _ topics: [String], limit: Int32 = 2000, after cursor: (String, Int32)? = nil,
        on fixture: AdminFixture
    ) async throws -> DescribeTopicPartitionsResponse {
        var request = DescribeTopicPartitionsRequest()
        request.topics = topics.map { name in
            var topic = DescribeTopicPartitionsRequest.TopicRequest()
            topic.name = name
            return topic
        }
        request.responsePartitionLimit = limit
        if let cursor {
            var position = DescribeTopicPartitionsRequest.Cursor()
            position.topicName = cursor.0
            position.partitionIndex = cursor.1
            request.cursor = position
        }
        return try await fixture.call(request, version: 0) { $0.describeTopicPartitions }
    }

    @Test("describes topics by name, those that are not here too")
    func rows() async throws {
        let fixture = try AdminFixture()
        let made = try await fixture.makeTopic("b", partitions: 2)
        _ = try await fixture.makeTopic("a")
        _ = try await fixture.broker.createTopic(
            "__cordwood_groups", partitionCount: 1, settings: [:], isInternal: true)
        let response = try await describe(["gone", "b", "a b", "b"], on: fixture)
        #expect(response.topics.map(\.name) == ["a b", "b", "gone"])
        #expect(
            response.topics.map(\.errorCode) == [
                .invalidTopicException, .none, .unknownTopicOrPartition,
            ])
        let row = response.topics[1]
        #expect(row.topicId == KafkaUUID(made.topicID))
        #expect(row.partitions.map(\.partitionIndex) == [0, 1])
        #expect(row.partitions.allSatisfy { $0.leaderId == 7 && $0.leaderEpoch >= 0 })
        #expect(row.partitions.allSatisfy { $0.replicaNodes == [7] && $0.isrNodes == [7] })
        #expect(response.nextCursor == nil)
        let all = try await describe([], on: fixture)
        #expect(all.topics.map(\.name) == ["__cordwood_groups", "a", "b"])
        #expect(all.topics.map(\.isInternal) == [true, false, false])
        await fixture.broker.close()
    }

    @Test("shows each partition once, whatever the page's size", arguments: Int32(-1)...9)
    func pages(_ limit: Int32) async throws {
        let fixture = try AdminFixture()
        var expected: [String] = []
        for (name, count) in [("a", 3), ("b", 1), ("c", 4)] {
            _ = try await fixture.makeTopic(name, partitions: count)
            expected += (0..<count).map { "\(name)-\($0)" }
        }
        var seen: [String] = []
        var cursor: (String, Int32)?
        for page in 1... {
            let response = try await describe([], limit: limit, after: cursor, on: fixture)
            let rows = response.topics.flatMap { topic in
                topic.partitions.map { "\(topic.name ?? "")-\($0.partitionIndex)" }
            }
            #expect(rows.count <= max(1, Int(limit)))
            seen += rows
            guard let next = response.nextCursor, page < 20 else { break }
            cursor = (next.topicName, next.partitionIndex)
        }
        #expect(seen == expected)
        await fixture.broker.close()
    }

    @Test("goes on behind a topic that was deleted between two pages")
    func deletedBetween() async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic("a")
        _ = try await fixture.makeTopic("c")
        let response = try await describe([], after: ("b", 2), on: fixture)
        #expect(response.topics.map(\.name) == ["c"])
        let behind = try await describe([], after: ("c", 9), on: fixture)
        #expect(behind.topics.map(\.partitions.count) == [0])
        #expect(behind.nextCursor == nil)
        await fixture.broker.close()
    }
}

@Suite("DescribeLogDirs", .timeLimit(.minutes(1)))
struct DescribeLogDirsTests {
    @Test("says what each partition takes in each version", arguments: Int16(1)...4)
    func versions(_ version: Int16) async throws {
        let disk = SimulatedFileSystem()
        let fixture = try AdminFixture(disk)
        _ = try await fixture.makeTopic("a", partitions: 2, records: 5)
        _ = try await fixture.makeTopic("b")
        var request = DescribeLogDirsRequest()
        request.topics = nil
        let all = try await fixture.call(request, version: version) { $0.describeLogDirs }
        let directory = try #require(all.results.first)
        #expect(all.results.count == 1)
        #expect(directory.errorCode == .none)
        #expect(directory.logDir == "/data")
        #expect(directory.topics.map(\.name) == ["a", "b"])
        let size = await (try fixture.broker.partition("a", 0)).describe().sizeBytes
        #expect(size > 0)
        #expect(directory.topics[0].partitions.map(\.partitionSize).first == Int64(size))
        #expect(directory.topics[0].partitions.map(\.partitionIndex) == [0, 1])
        if version >= 4 {
            let space = try disk.space(at: "/data")
            #expect(directory.totalBytes == Int64(space.total))
            #expect(directory.usableBytes <= directory.totalBytes)
            #expect(directory.usableBytes > 0)
        }
        await fixture.broker.close()
    }

    @Test("has rows for those partitions that were asked for and are here")
    func some() async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic("a", partitions: 3)
        var request = DescribeLogDirsRequest()
        let wanted: [(String, [Int32])] = [
            ("a", [2, 9, -1, 2]), ("gone", [0]), ("a", [2, 0]),
        ]
        request.topics = wanted.map { name, numbers in
            var topic = DescribeLogDirsRequest.DescribableLogDirTopic()
            topic.topic = name
            topic.partitions = numbers
            return topic
        }
        let response = try await fixture.call(request, version: 4) { $0.describeLogDirs }
        let topics = try #require(response.results.first).topics
        #expect(topics.map(\.name) == ["a"])
        #expect(topics.first?.partitions.map(\.partitionIndex) == [0, 2])
        await fixture.broker.close()
    }
}
