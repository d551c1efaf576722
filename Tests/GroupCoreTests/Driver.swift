// SPDX-License-Identifier: Apache-2.0

import Bytes
import GroupCore
import Records
import Testing

/// Runs a coordinator with a log that does what the test says, and keeps what it answers.
struct Driver {
    var core: GroupCore
    var now: Int64 = 1000
    var wall: Int64 = 1_700_000_000_000
    /// Whether appends become durable at once.
    var isLogPrompt = true
    private(set) var log: [GroupRecord] = []
    private(set) var underWay: [(token: AppendToken, records: [GroupRecord])] = []
    private(set) var answers: [RequestID: GroupResponse] = [:]
    private(set) var observations: [GroupObservation] = []
    private var lastRequest: UInt64 = 0

    static let topicID: UInt128 = 77

    init(_ change: (inout GroupSettings) -> Void = { _ in }, replaying records: [GroupRecord] = [])
    {
        var settings = GroupSettings()
        change(&settings)
        core = GroupCore(settings: settings, seed: UInt64(records.count) + 1)
        for record in records { core.replay(record) }
        core.finishReplay(at: time)
        core.checkInvariants()
        log = records
    }

    var time: GroupTime {
        GroupTime(milliseconds: now, wallTime: Timestamp(milliseconds: wall))
    }

    mutating func receive(_ input: GroupCore.Input) {
        var effects: [GroupCore.Effect] = []
        core.receive(input, into: &effects)
        core.checkInvariants()
        for effect in effects {
            switch effect {
            case .answer(let id, let response):
                #expect(answers[id] == nil, "\(id) is answered twice")
                answers[id] = response
            case .append(let records, let token): underWay.append((token, records))
            case .observe(let observation): observations.append(observation)
            }
        }
        if isLogPrompt { endAppends() }
    }

    /// Ends all appends that are under way.
    mutating func endAppends(durable isDurable: Bool = true) {
        while !underWay.isEmpty { endFirstAppend(durable: isDurable) }
    }

    mutating func endFirstAppend(durable isDurable: Bool = true) {
        let append = underWay.removeFirst()
        if isDurable { log += append.records }
        receive(
            isDurable ? .appended(append.token, at: time) : .appendFailed(append.token, at: time))
    }

    /// Lets time pass, with a tick whenever one is due.
    mutating func pass(_ milliseconds: Int64) {
        let end = now + milliseconds
        while let deadline = core.nextDeadline, deadline <= end {
            wall += max(deadline - now, 0)
            now = max(deadline, now)
            receive(.tick(at: time))
        }
        wall += end - now
        now = end
    }

    @discardableResult
    mutating func send(_ request: GroupRequest) -> RequestID {
        lastRequest += 1
        let id = RequestID(lastRequest)
        receive(.request(id, request, at: time))
        return id
    }

    // MARK: Requests by name

    @discardableResult
    mutating func join(
        _ group: String = "g", as member: String = "", instance: String? = nil,
        client: String = "c", type: String = "consumer", protocols: [String] = ["range"],
        metadata: [UInt8] = [], handshake: Bool = false, skip: Bool = false,
        session: Int64 = 10_000, rebalance: Int64 = 30_000
    ) -> RequestID {
        send(
            .joinGroup(
                JoinGroup(
                    groupID: group, memberID: member, instanceID: instance, clientID: client,
                    clientHost: "/127.0.0.1", sessionTimeout: session, rebalanceTimeout: rebalance,
                    protocolType: type,
                    protocols: protocols.map { JoinGroup.Offer(name: $0, metadata: metadata) },
                    requiresKnownMemberID: handshake, supportsSkippingAssignment: skip)))
    }

    @discardableResult
    mutating func sync(
        _ group: String = "g", as member: String, _ generation: Int32, instance: String? = nil,
        type: String? = nil, protocolName: String? = nil,
        giving assignments: [String: [UInt8]] = [:]
    ) -> RequestID {
        send(
            .syncGroup(
                SyncGroup(
                    groupID: group, generation: generation, memberID: member, instanceID: instance,
                    protocolType: type, protocolName: protocolName,
                    assignments: assignments.sorted { $0.key < $1.key }.map {
                        SyncGroup.Assignment(memberID: $0.key, assignment: $0.value)
                    })))
    }

    mutating func heartbeat(
        _ group: String = "g", as member: String, _ generation: Int32, instance: String? = nil
    ) -> GroupError? {
        let id = send(
            .heartbeat(
                Heartbeat(
                    groupID: group, generation: generation, memberID: member, instanceID: instance))
        )
        guard case .heartbeat(let error)? = answers[id] else {
            Issue.record("a heartbeat was not answered")
            return nil
        }
        return error
    }

    mutating func leave(
        _ group: String = "g", _ members: LeaveGroup.Leaver...
    ) -> [GroupError?] {
        let id = send(.leaveGroup(LeaveGroup(groupID: group, members: members)))
        guard case .leaveGroup(let answer)? = answers[id] else { return [] }
        return answer.error.map { [$0] } ?? answer.outcomes.map(\.error)
    }

    @discardableResult
    mutating func commit(
        _ group: String = "g", as member: String = "", _ generation: Int32 = -1,
        instance: String? = nil, topic: String = "t", partition: Int32 = 0, to offset: Int64,
        metadata: String = "", retention: Int64? = nil
    ) -> RequestID {
        send(
            .offsetCommit(
                OffsetCommit(
                    groupID: group, generation: generation, memberID: member, instanceID: instance,
                    retention: retention,
                    entries: [
                        OffsetCommit.Entry(
                            topic: topic, topicID: Self.topicID, partition: partition,
                            offset: Offset(offset), metadata: metadata)
                    ])))
    }

    // MARK: Answers by kind

    func joined(_ id: RequestID) -> JoinGroup.Answer? {
        if case .joinGroup(let answer)? = answers[id] { answer } else { nil }
    }

    func synced(_ id: RequestID) -> SyncGroup.Answer? {
        if case .syncGroup(let answer)? = answers[id] { answer } else { nil }
    }

    /// The error of a commit of one offset; `nil` while there is no answer.
    func committed(_ id: RequestID) -> GroupError?? {
        if case .offsetCommit(let answer)? = answers[id] { .some(answer.errors[0]) } else { nil }
    }

    /// What is committed of one partition; -1 for nothing.
    mutating func offset(
        _ group: String = "g", topic: String = "t", partition: Int32 = 0
    ) -> Int64? {
        let topics = [OffsetFetch.Topic(name: topic, partitions: [partition])]
        let id = send(.offsetFetch(OffsetFetch(groupID: group, topics: topics)))
        guard case .offsetFetch(let answer)? = answers[id], answer.error == nil else { return nil }
        return answer.topics[0].rows[0].committed?.offset.rawValue ?? -1
    }

    mutating func describe(_ group: String = "g") -> DescribeGroups.Group? {
        let id = send(.describeGroups(DescribeGroups(groupIDs: [group])))
        guard case .describeGroups(let answer)? = answers[id] else { return nil }
        return answer.groups[0]
    }

    func state(_ group: String = "g") -> GroupState? { core.overview(of: group)?.state }

    mutating func delete(_ groups: String...) -> [GroupError?]? {
        let id = send(.deleteGroups(DeleteGroups(groupIDs: groups)))
        guard case .deleteGroups(let answer)? = answers[id] else { return nil }
        return answer.errors
    }

    mutating func deleteOffset(
        _ group: String = "g", topic: String = "t", partition: Int32 = 0
    ) -> OffsetDelete.Answer? {
        let entries = [OffsetDelete.Entry(topic: topic, partition: partition)]
        let id = send(.offsetDelete(OffsetDelete(groupID: group, entries: entries)))
        guard case .offsetDelete(let answer)? = answers[id] else { return nil }
        return answer
    }

    // MARK: Stories

    /// Makes a stable group of so many members; their ids, the leader's first.
    mutating func stableGroup(
        _ count: Int, _ group: String = "g", instances: [String] = [], topics: [String] = ["t"],
        protocols: [String] = ["range"]
    ) -> [String] {
        let requests = (0..<count).map { number in
            join(
                group, instance: number < instances.count ? instances[number] : nil,
                client: "c\(number)", protocols: protocols, metadata: subscription(topics))
        }
        pass(1500)
        let answers = requests.compactMap { joined($0) }
        guard answers.count == count, let leader = answers.first(where: { !$0.members.isEmpty })
        else {
            Issue.record("\(answers.count) of \(count) joined")
            return []
        }
        let members = answers.map(\.memberID)
        var assignments: [String: [UInt8]] = [:]
        for (number, member) in members.enumerated() {
            assignments[member] = assignment(topics[0], [Int32(number)])
        }
        for member in members where member != leader.memberID {
            sync(group, as: member, leader.generation)
        }
        sync(group, as: leader.memberID, leader.generation, giving: assignments)
        return [leader.memberID] + members.filter { $0 != leader.memberID }
    }
}

/// A consumer's subscription, version 1, with nothing owned.
func subscription(_ topics: [String], userData: [UInt8] = []) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(Int16(1))
    bytes.appendBigEndian(Int32(topics.count))
    for topic in topics {
        bytes.appendBigEndian(Int16(topic.utf8.count))
        bytes.append(contentsOf: topic.utf8)
    }
    bytes.appendBigEndian(Int32(userData.count))
    bytes += userData
    bytes.appendBigEndian(Int32(0))
    return bytes
}

/// An assignment to a consumer, version 1.
func assignment(_ topic: String, _ partitions: [Int32]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(Int16(1))
    bytes.appendBigEndian(Int32(1))
    bytes.appendBigEndian(Int16(topic.utf8.count))
    bytes.append(contentsOf: topic.utf8)
    bytes.appendBigEndian(Int32(partitions.count))
    for partition in partitions { bytes.appendBigEndian(partition) }
    bytes.appendBigEndian(Int32(-1))
    return bytes
}
