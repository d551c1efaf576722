// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import KafkaProtocol
import Records
import Testing

@testable import KafkaService

@Suite("How much a request may ask for", .timeLimit(.minutes(1)))
struct RequestLimitsTests {
    /// Whether a connection outlives a request of so many topics.
    private func isAnswered<Request: KafkaMessage>(
        _ key: ApiKey, _ version: Int16, _ request: Request
    ) async throws -> Bool {
        var isAnswered = false
        try await withListener { listener, _ in
            try await KafkaTestClient.connect(to: listener) { session in
                _ = try await session.send(key, version, request)
                isAnswered = try await session.nextFrame() != nil
            }
        }
        return isAnswered
    }

    private func deletion(nameBytes: Int) -> DeleteTopicsRequest {
        var request = DeleteTopicsRequest()
        let name = String(repeating: "x", count: 1000)
        request.topicNames = Array(repeating: name, count: nameBytes / 1002)
        return request
    }

    @Test("an administrative request of 4 MiB is answered, a larger one ends the connection")
    func administration() async throws {
        #expect(try await isAnswered(.deleteTopics, 3, deletion(nameBytes: (4 << 20) - 4096)))
        #expect(try await !isAnswered(.deleteTopics, 3, deletion(nameBytes: (4 << 20) + 4096)))
    }

    @Test("requests of rows are bounded whatever they are about")
    func rows() async throws {
        var metadata = MetadataRequest()
        var row = MetadataRequest.MetadataRequestTopic()
        row.name = String(repeating: "x", count: 1000)
        metadata.topics = Array(repeating: row, count: 4300)
        #expect(try await !isAnswered(.metadata, 4, metadata))
        var fetch = FetchRequest()
        var topic = FetchRequest.FetchTopic()
        topic.partitions = Array(repeating: FetchRequest.FetchPartition(), count: 200_000)
        fetch.topics = [topic]
        #expect(try await !isAnswered(.fetch, 11, fetch))
    }

    @Test("a topic that is named twice is told of once")
    func repeatedTopics() async throws {
        let fixture = try AdminFixture()
        let topic = try await fixture.makeTopic("t", partitions: 3)
        var byName = MetadataRequest.MetadataRequestTopic()
        byName.name = "t"
        var byID = MetadataRequest.MetadataRequestTopic()
        byID.name = nil
        byID.topicId = KafkaUUID(topic.topicID)
        var request = MetadataRequest()
        request.topics = [byName, byID, byName, byID, byName]
        let answer: MetadataResponse = try await fixture.call(request, version: 12) {
            $0.metadata
        }
        #expect(answer.topics.map(\.partitions.count) == [3, 3])
        await fixture.broker.close()
    }

    @Test("a group that is named twice is answered with its offsets once")
    func repeatedGroups() async throws {
        let fixture = try await GroupHandlersFixture()
        var group = OffsetFetchRequest.OffsetFetchRequestGroup()
        group.groupId = "readers"
        group.topics = nil
        var request = OffsetFetchRequest()
        request.groups = [group, group]
        let answer: OffsetFetchResponse = try await fixture.base.call(request, version: 8) {
            $0.offsetFetch
        }
        #expect(answer.groups.map(\.errorCode) == [.none, .invalidRequest])
        await fixture.close()
    }
}

@Suite("Answers while the disk is slow", .timeLimit(.minutes(1)))
struct SlowDiskTests {
    @Test("until the groups are read, members are told that the coordinator is loading")
    func loading() async throws {
        let disk = HeldDisk(lookedFor: "/data/groups")
        disk.holdLooks()
        try await withListener(on: disk) { listener, broker in
            defer { disk.releaseLooks() }
            try await KafkaTestClient.connect(to: listener) { session in
                var fetch = OffsetFetchRequest()
                fetch.groupId = "readers"
                fetch.topics = nil
                let fetched: OffsetFetchResponse = try await session.ask(.offsetFetch, 7, fetch)
                #expect(fetched.errorCode == .coordinatorLoadInProgress)
                var join = JoinGroupRequest()
                join.groupId = "readers"
                let joined: JoinGroupResponse = try await session.ask(.joinGroup, 5, join)
                #expect(joined.errorCode == .coordinatorLoadInProgress)
                // Members that were there before the restart go on: no session runs meanwhile.
                var heartbeat = HeartbeatRequest()
                heartbeat.groupId = "readers"
                let alive: HeartbeatResponse = try await session.ask(.heartbeat, 3, heartbeat)
                #expect(alive.errorCode == .none)
                var sync = SyncGroupRequest()
                sync.groupId = "readers"
                let synced: SyncGroupResponse = try await session.ask(.syncGroup, 3, sync)
                #expect(synced.errorCode == .rebalanceInProgress)
            }
        }
    }

    @Test("a batch that is not durable in time has timed out, and is in the log all the same")
    func timedOut() async throws {
        let disk = HeldDisk()
        try await withListener(on: disk) { listener, broker in
            _ = try await broker.createTopic(
                "t", partitionCount: 1, settings: ["durability": "fsync"])
            try await KafkaTestClient.connect(to: listener) { session in
                disk.holdSyncs()
                var request = ProduceFetchTests.produce("t", batch(["once"]))
                request.timeoutMs = 1
                let late: ProduceResponse = try await session.ask(.produce, 7, request)
                disk.releaseSyncs()
                #expect(try ProduceFetchTests.row(late).errorCode == .requestTimedOut)
                // The connection goes on, and answers nothing twice.
                let next: ProduceResponse = try await session.ask(
                    .produce, 7, ProduceFetchTests.produce("t", batch(["twice"])))
                #expect(try ProduceFetchTests.row(next).errorCode == .none)
                #expect(try ProduceFetchTests.row(next).baseOffset == 1)
            }
        }
    }
}
