// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import GRPCCore
import LogAPI
import Records
import SwiftProtobuf
import Testing

@testable import LogService

@Suite("Groups", .timeLimit(.minutes(1)))
struct GroupServiceTests {
    /// Commits offsets for a group without members.
    @discardableResult
    private func reset(
        _ fixture: BrokerFixture, _ group: String, _ topics: [Cordwood_V1_TopicPartitions],
        to target: Cordwood_V1_ResetOffsetsRequest.OneOf_To, dryRun: Bool = false
    ) async throws -> [Cordwood_V1_OffsetReset] {
        try await fixture.groups.resetOffsets(
            .with {
                $0.group = group
                $0.topics = topics
                $0.to = target
                $0.dryRun = dryRun
            }
        ).resets
    }

    private func describe(
        _ fixture: BrokerFixture, _ group: String
    ) async throws -> Cordwood_V1_DescribeGroupResponse {
        try await fixture.groups.describeGroup(.with { $0.group = group })
    }

    @Test("groups are listed by name, in pages, and by state")
    func list() async throws {
        try await BrokerFixture.run { fixture in
            for name in ["c", "a", "b"] {
                try await reset(fixture, name, [.of("default")], to: .earliest(.init()))
            }
            let all = try await fixture.groups.listGroups(Cordwood_V1_ListGroupsRequest())
            #expect(all.groups.map(\.name) == ["a", "b", "c"])
            #expect(all.groups.allSatisfy { $0.state == "Empty" && $0.memberCount == 0 })
            #expect(all.groups.first?.coordinator.nodeID == "node-1")
            #expect(all.groups.first?.coordinator.address == "127.0.0.1:8400")
            #expect(all.nextPageToken.isEmpty)

            let first = try await fixture.groups.listGroups(.with { $0.pageSize = 2 })
            #expect(first.groups.map(\.name) == ["a", "b"])
            let second = try await fixture.groups.listGroups(
                .with {
                    $0.pageSize = 2
                    $0.pageToken = first.nextPageToken
                })
            #expect(second.groups.map(\.name) == ["c"])
            #expect(second.nextPageToken.isEmpty)

            let stable = try await fixture.groups.listGroups(.with { $0.states = ["Stable"] })
            #expect(stable.groups.isEmpty)
            let empty = try await fixture.groups.listGroups(
                .with { $0.states = ["Stable", "Empty"] })
            #expect(empty.groups.count == 3)
        }
    }

    @Test("a state that groups are never in, and a page of less than nothing, are refused")
    func badList() async throws {
        try await BrokerFixture.run { fixture in
            let state = await failure {
                _ = try await fixture.groups.listGroups(.with { $0.states = ["Happy"] })
            }
            #expect(state?.code == "CW-1001")
            let page = await failure {
                _ = try await fixture.groups.listGroups(.with { $0.pageSize = -1 })
            }
            #expect(page?.status == .invalidArgument)
        }
    }

    @Test("a group is described with how far it is behind, in records and in time")
    func describe() async throws {
        try await BrokerFixture.run { fixture in
            let now = BrokerClock.system.wall().rawValue
            try await fixture.append(
                ["a", "b", "c"], at: [now - 90_000, now - 60_000, now - 30_000], to: "many", 1)
            try await reset(fixture, "g", [.of("many", 0, 1)], to: .earliest(.init()))
            try await reset(fixture, "g", [.of("many", 1)], to: .offset(1))
            let group = try await describe(fixture, "g")
            #expect(group.group.name == "g")
            #expect(group.group.state == "Empty")
            #expect(group.members.isEmpty)
            #expect(group.offsets.map(\.partition.partition) == [0, 1])
            let empty = try #require(group.offsets.first)
            #expect(empty.lagRecords == 0)
            #expect(empty.lagMs == 0)
            let behind = try #require(group.offsets.last)
            #expect(behind.committedOffset == 1)
            #expect(behind.logStartOffset == 0)
            #expect(behind.highWatermark == 3)
            #expect(behind.lagRecords == 2)
            #expect((60_000..<90_000).contains(behind.lagMs))
            #expect(behind.memberID.isEmpty)
        }
    }

    @Test("a group that is not there is not found, and one without a name is refused")
    func notFound() async throws {
        try await BrokerFixture.run { fixture in
            let described = await failure { _ = try await describe(fixture, "nobody") }
            #expect(described?.status == .notFound)
            #expect(described?.code == "CW-1016")
            let deleted = await failure {
                _ = try await fixture.groups.deleteGroup(.with { $0.group = "nobody" })
            }
            #expect(deleted?.code == "CW-1016")
            let unchanged = await failure {
                try await reset(fixture, "nobody", [], to: .latest(.init()))
            }
            #expect(unchanged?.code == "CW-1016")
            let nameless = await failure { _ = try await describe(fixture, "") }
            #expect(nameless?.code == "CW-1001")
        }
    }

    @Test("offsets are reset to a place, of the partitions that were named")
    func resetToPlace() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a", "b", "c"], to: "many", 0)
            try await fixture.append(["d"], to: "many", 2)
            let all = try await reset(fixture, "g", [.of("many")], to: .latest(.init()))
            #expect(all.map(\.partition.partition) == [0, 1, 2, 3])
            #expect(all.map(\.newOffset) == [3, 0, 1, 0])
            #expect(all.allSatisfy { !$0.hasOldOffset })
            let some = try await reset(fixture, "g", [.of("many", 2, 0)], to: .last(2))
            #expect(some.map(\.partition.partition) == [0, 2])
            #expect(some.map(\.oldOffset) == [3, 1])
            #expect(some.map(\.newOffset) == [1, 0])
            let again = try await reset(fixture, "g", [], to: .offset(2))
            #expect(again.map(\.newOffset) == [2, 0, 1, 0])
        }
    }

    @Test("offsets are reset to a time, or to so long ago")
    func resetToTime() async throws {
        try await BrokerFixture.run { fixture in
            let now = BrokerClock.system.wall().rawValue
            try await fixture.append(
                ["a", "b", "c"], at: [now - 90_000, now - 60_000, now - 30_000])
            let time = try await reset(
                fixture, "g", [.of("default")], to: .timestampMs(now - 60_000))
            #expect(time.map(\.newOffset) == [1])
            let ago = try await reset(fixture, "g", [], to: .agoMs(45_000))
            #expect(ago.map(\.newOffset) == [2])
            let young = try await reset(fixture, "g", [], to: .timestampMs(now + 60_000))
            #expect(young.map(\.newOffset) == [3])
        }
    }

    @Test("offsets are shifted within the bounds of each partition")
    func shift() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a", "b", "c"], to: "many", 0)
            try await fixture.append(["d", "e", "f", "g"], to: "many", 1)
            try await reset(fixture, "g", [.of("many", 0, 1)], to: .offset(2))
            let on = try await reset(fixture, "g", [], to: .shift(2))
            #expect(on.map(\.newOffset) == [3, 4])
            let back = try await reset(fixture, "g", [.of("many", 1)], to: .shift(-3))
            #expect(back.map(\.newOffset) == [1])
            for count in [Int64.min, .max] {
                let far = try await reset(fixture, "g", [], to: .shift(count))
                #expect(far.map(\.newOffset) == (count < 0 ? [0, 0] : [3, 4]))
            }
        }
    }

    @Test("a dry run says what would be done and does nothing")
    func dryRun() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a", "b"])
            try await reset(fixture, "g", [.of("default")], to: .earliest(.init()))
            let planned = try await reset(fixture, "g", [], to: .latest(.init()), dryRun: true)
            #expect(planned.map(\.newOffset) == [2])
            #expect(try await describe(fixture, "g").offsets.map(\.committedOffset) == [0])
            try await reset(fixture, "h", [.of("default")], to: .latest(.init()), dryRun: true)
            let group = await failure { _ = try await describe(fixture, "h") }
            #expect(group?.status == .notFound)
        }
    }

    @Test("a reset that makes no sense is refused whole")
    func badReset() async throws {
        try await BrokerFixture.run { fixture in
            try await reset(fixture, "g", [.of("many", 0)], to: .earliest(.init()))
            func code(
                _ topics: [Cordwood_V1_TopicPartitions],
                _ target: Cordwood_V1_ResetOffsetsRequest.OneOf_To? = .latest(.init())
            ) async -> String? {
                await failure {
                    _ = try await fixture.groups.resetOffsets(
                        .with {
                            $0.group = "g"
                            $0.topics = topics
                            $0.to = target
                        })
                }?.code
            }
            #expect(await code([.of("default")], nil) == "CW-1001")
            #expect(await code([.of("default")], .offset(-1)) == "CW-1001")
            #expect(await code([.of("default")], .agoMs(-1)) == "CW-1001")
            #expect(await code([.of("default")], .last(-1)) == "CW-1001")
            #expect(await code([.of("default"), .of("default")]) == "CW-1001")
            #expect(await code([.of("many", 1, 1)]) == "CW-1001")
            #expect(await code([.of("many", 0), .of("nothing")]) == "CW-1002")
            #expect(await code([.of("many", 0, 4)]) == "CW-1006")
            #expect(await code([.of("many", -1)]) == "CW-1006")
            #expect(await code([.of("many", 1)], .shift(1)) == "CW-1001")
            #expect(await code([.of("default")], .shift(1)) == "CW-1001")
            #expect(await code((0..<2000).map { .of("t\($0)") }) == "CW-1001")
            #expect(try await describe(fixture, "g").offsets.map(\.partition.partition) == [0])
        }
    }

    @Test("a deleted group is gone with its offsets")
    func delete() async throws {
        try await BrokerFixture.run { fixture in
            try await reset(fixture, "g", [.of("default")], to: .earliest(.init()))
            _ = try await fixture.groups.deleteGroup(.with { $0.group = "g" })
            let described = await failure { _ = try await describe(fixture, "g") }
            #expect(described?.status == .notFound)
            let all = try await fixture.groups.listGroups(Cordwood_V1_ListGroupsRequest())
            #expect(all.groups.isEmpty)
        }
    }
}

extension Cordwood_V1_TopicPartitions {
    /// Partitions of a topic; all where none are named.
    fileprivate static func of(_ topic: String, _ partitions: Int32...) -> Self {
        .with {
            $0.topic = topic
            $0.partitions = partitions
        }
    }
}
