// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import KafkaProtocol
import Testing

@testable import KafkaService

@Suite("Requests of committed offsets", .timeLimit(.minutes(1)))
struct OffsetTests {
    /// What is committed of partitions, in the fields that a version has.
    private func fetch(
        _ fixture: GroupHandlersFixture, _ group: String, _ topics: [String: [Int32]]?,
        version: Int16
    ) async throws -> (
        code: KafkaErrorCode, rows: [[Int64]], epochs: [[Int32]], notes: [[String?]]
    ) {
        var request = OffsetFetchRequest()
        let names = topics?.keys.sorted()
        if version < 8 {
            request.groupId = group
            request.topics = names?.map { name in
                var row = OffsetFetchRequest.OffsetFetchRequestTopic()
                row.name = name
                row.partitionIndexes = topics?[name] ?? []
                return row
            }
        } else {
            var asked = OffsetFetchRequest.OffsetFetchRequestGroup()
            asked.groupId = group
            asked.topics = names?.map { name in
                var row = OffsetFetchRequest.OffsetFetchRequestTopics()
                row.name = name
                row.partitionIndexes = topics?[name] ?? []
                return row
            }
            request.groups = [asked]
        }
        let response: OffsetFetchResponse = try await fixture.base.call(
            request, version: version
        ) { $0.offsetFetch }
        guard version >= 8 else {
            if let names { #expect(response.topics.map(\.name) == names) }
            let cells = response.topics.map(\.partitions)
            return (
                response.errorCode, cells.map { $0.map(\.committedOffset) },
                cells.map { $0.map(\.committedLeaderEpoch) }, cells.map { $0.map(\.metadata) }
            )
        }
        #expect(response.groups.map(\.groupId) == [group])
        if let names { #expect(response.groups[0].topics.map(\.name) == names) }
        let cells = response.groups[0].topics.map(\.partitions)
        return (
            response.groups[0].errorCode, cells.map { $0.map(\.committedOffset) },
            cells.map { $0.map(\.committedLeaderEpoch) }, cells.map { $0.map(\.metadata) }
        )
    }

    @Test("OffsetCommit answers each row in each version", arguments: ApiKey.offsetCommit.versions)
    func commit(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        let member = try await fixture.member(of: "readers")
        let codes = try await fixture.commit(
            "readers", [0: 5, 1: -7, 2: 9, -1: 3], version: version, as: member)
        #expect(
            codes == [.unknownTopicOrPartition, .none, .invalidRequest, .unknownTopicOrPartition])
        #expect(
            try await fixture.commit("readers", [0: 5], topic: "none", version: version, as: member)
                == [.unknownTopicOrPartition])
        var stale = member
        stale.generationId += 1
        #expect(
            try await fixture.commit("readers", [0: 9], version: version, as: stale)
                == [.illegalGeneration])
        // Without a generation only while there are no members.
        #expect(
            try await fixture.commit("readers", [0: 9], version: version) == [.unknownMemberId])
        #expect(
            try await fixture.commit("alone", [0: 9], version: version, metadata: nil) == [.none])
        let long = String(repeating: "m", count: 5000)
        #expect(
            try await fixture.commit("alone", [0: 9], version: version, metadata: long)
                == [.offsetMetadataTooLarge])
        let found = try await fetch(fixture, "readers", ["logs": [0, 1]], version: 5)
        #expect(found.rows == [[5, -1]])
        #expect(found.epochs == [[version >= 6 ? 3 : -1, -1]])
        await fixture.close()
    }

    @Test(
        "OffsetFetch answers each row, or all that there is", arguments: ApiKey.offsetFetch.versions
    )
    func fetchOffsets(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        _ = try await fixture.base.makeTopic("more")
        _ = try await fixture.commit("readers", [0: 5, 1: 6], version: 9)
        _ = try await fixture.commit("readers", [0: 7], topic: "more", version: 9)
        let asked = try await fetch(
            fixture, "readers", ["logs": [1, 0, 4], "none": [0]], version: version)
        #expect(asked.code == .none)
        #expect(asked.rows == [[6, 5, -1], [-1]])
        #expect(asked.notes == [["note", "note", ""], [""]])
        if version >= 5 { #expect(asked.epochs == [[3, 3, -1], [-1]]) }
        #expect(
            try await fetch(fixture, "nobody", ["logs": [0]], version: version).rows == [[-1]])
        if version >= 2 {
            #expect(
                try await fetch(fixture, "readers", nil, version: version).rows == [[5, 6], [7]])
            #expect(try await fetch(fixture, "nobody", nil, version: version).rows.isEmpty)
        }
        await fixture.close()
    }

    @Test("OffsetFetch answers several groups, from version 8 on")
    func severalGroups() async throws {
        let fixture = try await GroupHandlersFixture()
        _ = try await fixture.commit("one", [0: 1], version: 9)
        _ = try await fixture.commit("two", [0: 2], version: 9)
        var request = OffsetFetchRequest()
        request.groups = ["two", "three", "one"].map {
            var group = OffsetFetchRequest.OffsetFetchRequestGroup()
            group.groupId = $0
            group.topics = nil
            return group
        }
        let response: OffsetFetchResponse = try await fixture.base.call(request, version: 9) {
            $0.offsetFetch
        }
        #expect(response.groups.map(\.groupId) == ["two", "three", "one"])
        #expect(
            response.groups.map { $0.topics.flatMap { $0.partitions.map(\.committedOffset) } }
                == [[2], [], [1]])
        await fixture.close()
    }

    @Test("offsets of a topic do not hold for a later one of its name")
    func recreatedTopic() async throws {
        let fixture = try await GroupHandlersFixture()
        _ = try await fixture.commit("readers", [0: 5], version: 9)
        try await fixture.base.broker.deleteTopic("logs")
        _ = try await fixture.base.makeTopic("logs")
        #expect(try await fetch(fixture, "readers", ["logs": [0]], version: 9).rows == [[-1]])
        #expect(try await fetch(fixture, "readers", nil, version: 9).rows.isEmpty)
        await fixture.close()
    }

    @Test("OffsetDelete forgets what no member is subscribed to, and answers each row")
    func offsetDelete() async throws {
        let fixture = try await GroupHandlersFixture()
        _ = try await fixture.base.makeTopic("more")
        let member = try await fixture.member(of: "readers")
        _ = try await fixture.commit("readers", [0: 5], version: 9, as: member)
        _ = try await fixture.commit("readers", [0: 7], topic: "more", version: 9, as: member)
        var request = OffsetDeleteRequest()
        request.groupId = "readers"
        let asked: [(String, [Int32])] = [("logs", [0]), ("more", [0, 1]), ("none", [0])]
        request.topics = asked.map { name, numbers in
            var row = OffsetDeleteRequest.OffsetDeleteRequestTopic()
            row.name = name
            row.partitions = numbers.map {
                var cell = OffsetDeleteRequest.OffsetDeleteRequestPartition()
                cell.partitionIndex = $0
                return cell
            }
            return row
        }
        let response: OffsetDeleteResponse = try await fixture.base.call(request, version: 0) {
            $0.offsetDelete
        }
        #expect(response.errorCode == .none)
        #expect(response.topics.map(\.name) == ["logs", "more", "none"])
        #expect(
            response.topics.map { $0.partitions.map(\.errorCode) } == [
                [.groupSubscribedToTopic], [.none, .unknownTopicOrPartition],
                [.unknownTopicOrPartition],
            ])
        let left = try await fetch(fixture, "readers", ["logs": [0], "more": [0]], version: 9)
        #expect(left.rows == [[5], [-1]])
        request.groupId = "nobody"
        let refused: OffsetDeleteResponse = try await fixture.base.call(request, version: 0) {
            $0.offsetDelete
        }
        #expect(refused.errorCode == .groupIdNotFound)
        await fixture.close()
    }
}
