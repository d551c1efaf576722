// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import GRPCCore
import GroupCore
import LogAPI
import SwiftProtobuf
import Testing

@testable import LogService

@Suite("Groups with members", .timeLimit(.minutes(1)))
struct GroupMemberTests {
    /// A group `g` whose one member reads `topic` and was assigned partitions of it.
    @discardableResult
    private func join(
        _ fixture: BrokerFixture, _ topic: String, _ partitions: [Int32]
    ) async throws -> JoinGroup.Answer {
        let joined = await fixture.broker.groups.joinGroup(
            JoinGroup(
                groupID: "g", instanceID: "reader-1", clientID: "app", clientHost: "/127.0.0.1",
                sessionTimeout: 60_000, rebalanceTimeout: 60_000, protocolType: "consumer",
                protocols: [.init(name: "range", metadata: Self.subscription(to: topic))],
                requiresKnownMemberID: false, supportsSkippingAssignment: false))
        try #require(joined.error == nil)
        let synced = await fixture.broker.groups.syncGroup(
            SyncGroup(
                groupID: "g", generation: joined.generation, memberID: joined.memberID,
                instanceID: "reader-1",
                assignments: [
                    .init(
                        memberID: joined.memberID,
                        assignment: Self.assignment(of: topic, partitions))
                ]))
        try #require(synced.error == nil)
        return joined
    }

    /// A subscription as consumers write it: version, topics, nothing of their own.
    private static func subscription(to topic: String) -> [UInt8] {
        number(0, 2) + number(1, 4) + text(topic) + number(-1, 4)
    }

    /// An assignment as consumers write it.
    private static func assignment(of topic: String, _ partitions: [Int32]) -> [UInt8] {
        number(0, 2) + number(1, 4) + text(topic) + number(Int32(partitions.count), 4)
            + partitions.flatMap { number($0, 4) } + number(-1, 4)
    }

    private static func text(_ text: String) -> [UInt8] {
        number(Int32(text.utf8.count), 2) + Array(text.utf8)
    }

    private static func number(_ value: Int32, _ size: Int) -> [UInt8] {
        (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    @Test("a member is shown with what it was assigned, committed or not")
    func describe() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a", "b"], to: "many", 1)
            _ = try await fixture.groups.resetOffsets(
                .with {
                    $0.group = "g"
                    $0.topics = [
                        .with {
                            $0.topic = "many"
                            $0.partitions = [1]
                        }
                    ]
                    $0.earliest = .init()
                })
            let joined = try await join(fixture, "many", [2, 1])
            let group = try await fixture.groups.describeGroup(.with { $0.group = "g" })
            #expect(group.group.state == "Stable")
            #expect(group.group.protocolType == "consumer")
            #expect(group.group.memberCount == 1)
            #expect(group.protocol == "range")
            #expect(group.generation == joined.generation)
            let member = try #require(group.members.first)
            #expect(member.id == joined.memberID)
            #expect(member.instanceID == "reader-1")
            #expect(member.clientID == "app")
            #expect(member.clientHost == "/127.0.0.1")
            #expect(member.assignment.map(\.partition) == [1, 2])
            #expect(group.offsets.map(\.partition.partition) == [1, 2])
            #expect(group.offsets.allSatisfy { $0.memberID == joined.memberID })
            let committed = try #require(group.offsets.first)
            #expect(committed.lagRecords == 2)
            let assigned = try #require(group.offsets.last)
            #expect(!assigned.hasCommittedOffset)
            #expect(!assigned.hasLagRecords)
            #expect(assigned.highWatermark == 0)
            let stable = try await fixture.groups.listGroups(.with { $0.states = ["Stable"] })
            #expect(stable.groups.map(\.name) == ["g"])
        }
    }

    @Test("a group with members is neither reset nor deleted")
    func refused() async throws {
        try await BrokerFixture.run { fixture in
            try await join(fixture, "many", [0])
            for dryRun in [true, false] {
                let reset = await failure {
                    _ = try await fixture.groups.resetOffsets(
                        .with {
                            $0.group = "g"
                            $0.topics = [.with { $0.topic = "many" }]
                            $0.latest = .init()
                            $0.dryRun = dryRun
                        })
                }
                #expect(reset?.code == "CW-1017")
                #expect(reset?.status == .failedPrecondition)
            }
            let deleted = await failure {
                _ = try await fixture.groups.deleteGroup(.with { $0.group = "g" })
            }
            #expect(deleted?.code == "CW-1017")
        }
    }

    @Test("offsets are forgotten of topics that no member reads, and of no others")
    func deleteOffsets() async throws {
        try await BrokerFixture.run { fixture in
            func delete(_ topic: String, _ partitions: Int32...) async throws -> [Int32] {
                try await fixture.groups.deleteOffsets(
                    .with {
                        $0.group = "g"
                        $0.topics = [
                            .with {
                                $0.topic = topic
                                $0.partitions = partitions
                            }
                        ]
                    }
                ).deleted.map(\.partition)
            }
            _ = try await fixture.groups.resetOffsets(
                .with {
                    $0.group = "g"
                    $0.topics = [.with { $0.topic = "many" }, .with { $0.topic = "default" }]
                    $0.earliest = .init()
                })
            #expect(try await delete("many", 3, 1) == [1, 3])
            #expect(try await delete("many", 1) == [])
            try await join(fixture, "many", [0])
            let subscribed = await failure { _ = try await delete("many") }
            #expect(subscribed?.code == "CW-1017")
            #expect(try await delete("default") == [0])
            let left = try await fixture.groups.describeGroup(.with { $0.group = "g" }).offsets
            #expect(left.map(\.partition.topic) == ["many", "many"])
            #expect(left.map(\.partition.partition) == [0, 2])

            #expect(await failure { _ = try await delete("nothing") }?.code == "CW-1002")
            let nothing = await failure {
                _ = try await fixture.groups.deleteOffsets(.with { $0.group = "g" })
            }
            #expect(nothing?.code == "CW-1001")
            let nobody = await failure {
                _ = try await fixture.groups.deleteOffsets(
                    .with {
                        $0.group = "nobody"
                        $0.topics = [.with { $0.topic = "many" }]
                    })
            }
            #expect(nobody?.code == "CW-1016")
        }
    }
}
