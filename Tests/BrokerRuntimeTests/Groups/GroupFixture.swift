// SPDX-License-Identifier: Apache-2.0

import ClusterCore
import GroupCore
import Records
import SimulatedDisk
import Testing

@testable import BrokerRuntime

/// Groups of a broker on a disk in memory, and what their tests do with them.
enum GroupFixture {
    /// A disk on which the data directory itself survives.
    static func disk(seed: UInt64) throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem(seed: seed)
        try disk.createDirectory("/data")
        try disk.syncDirectory("/")
        return disk
    }

    /// A broker whose groups have been read.
    static func open(
        _ disk: SimulatedFileSystem, clock: BrokerClock = .system,
        _ change: (inout BrokerSettings) -> Void = { _ in }
    ) async throws -> Broker {
        let broker = try BrokerFixture.open(disk, clock: clock) {
            $0.groups.initialRebalanceDelay = 0
            change(&$0)
        }
        _ = try await broker.groups.listGroups()
        return broker
    }

    /// Stops the machine, gives up what ran on it, and turns it on again.
    static func powerCut(_ broker: Broker, _ disk: SimulatedFileSystem) async {
        if !disk.isStopped { disk.crashAfter(calls: 1) }
        await broker.close()
        disk.crash()
    }

    static func joining(_ group: String, memberID: String = "") -> JoinGroup {
        JoinGroup(
            groupID: group, memberID: memberID, clientID: "test", clientHost: "127.0.0.1",
            sessionTimeout: 10_000, rebalanceTimeout: 10_000, protocolType: "consumer",
            protocols: [JoinGroup.Offer(name: "range", metadata: subscription(to: "logs"))],
            requiresKnownMemberID: false, supportsSkippingAssignment: false)
    }

    /// A member alone in its group, with an assignment.
    static func join(_ broker: Broker, _ group: String) async throws -> JoinGroup.Answer {
        let joined = await broker.groups.joinGroup(joining(group))
        try #require(joined.error == nil)
        let synced = await broker.groups.syncGroup(
            SyncGroup(
                groupID: group, generation: joined.generation, memberID: joined.memberID,
                assignments: [
                    SyncGroup.Assignment(
                        memberID: joined.memberID, assignment: assignment(of: "logs", [0, 1]))
                ]))
        try #require(synced.error == nil)
        return joined
    }

    static func commit(
        _ broker: Broker, _ group: String, _ topic: TopicDescription, _ offsets: [Int32: Int64],
        metadata: String = "", as member: JoinGroup.Answer? = nil
    ) async -> [GroupError?] {
        await broker.groups.offsetCommit(
            OffsetCommit(
                groupID: group, generation: member?.generation ?? -1,
                memberID: member?.memberID ?? "",
                entries: offsets.sorted { $0.key < $1.key }.map { partition, offset in
                    OffsetCommit.Entry(
                        topic: topic.name, topicID: topic.topicID.number, partition: partition,
                        offset: Offset(offset), metadata: metadata)
                })
        ).errors
    }

    /// What is committed of the first partitions of a topic; -1 for nothing.
    static func committed(
        _ broker: Broker, _ group: String, _ topic: String, _ count: Int32
    ) async -> [Int64] {
        let answer = await broker.groups.offsetFetch(
            OffsetFetch(
                groupID: group,
                topics: [OffsetFetch.Topic(name: topic, partitions: Array(0..<count))]))
        return answer.topics.flatMap(\.rows).map { $0.committed?.offset.rawValue ?? -1 }
    }

    /// Version 0 of a consumer's subscription to one topic.
    static func subscription(to topic: String) -> [UInt8] {
        [0, 0, 0, 0, 0, 1, 0, UInt8(topic.utf8.count)] + Array(topic.utf8) + [0, 0, 0, 0]
    }

    /// Version 0 of a consumer's assignment of one topic.
    static func assignment(of topic: String, _ partitions: [UInt8]) -> [UInt8] {
        [0, 0, 0, 0, 0, 1, 0, UInt8(topic.utf8.count)] + Array(topic.utf8)
            + [0, 0, 0, UInt8(partitions.count)] + partitions.flatMap { [0, 0, 0, $0] }
            + [0, 0, 0, 0]
    }
}
