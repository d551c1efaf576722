// SPDX-License-Identifier: Apache-2.0

internal import GroupCore
internal import Records

/// What consumers do: join, sync, beat, commit, leave, and start over when they are told to.
extension GroupHistory {
    mutating func makeClient(_ number: Int) -> GroupClient {
        var protocols = ["range"]
        if chance(50) { protocols.insert("sticky", at: draw(0...1)) }
        return GroupClient(
            number: number, group: number % settings.groupCount,
            instanceID: chance(40) ? "i\(number)" : nil,
            requiresKnownMemberID: chance(60), supportsSkippingAssignment: chance(50),
            sessionTimeout: Int64(draw(600...Int(GroupHistorySettings.sessionTimeoutMax))),
            rebalanceTimeout: Int64(draw(800...Int(GroupHistorySettings.rebalanceTimeoutMax))),
            heartbeatInterval: Int64(draw(100...200)), protocols: protocols)
    }

    /// A process begins.
    mutating func start(_ client: Int, after delay: Int) {
        clients[client].life += 1
        clients[client].memberID = ""
        clients[client].generation = -1
        clients[client].assignment = []
        clients[client].pausedUntil = 0
        note("start", "client \(client)")
        rest(client, delay)
    }

    /// A process ends, without a word.
    mutating func kill(_ client: Int) {
        note("kill", "client \(client)")
        clients[client].life += 1
        clients[client].phase = .down
    }

    /// Waits before joining again.
    private mutating func rest(_ client: Int, _ delay: Int) {
        clients[client].phase = .resting
        clients[client].call += 1
        clients[client].assignment = []
        queue.plan(.wake(client: client, life: clients[client].life), at: now + Int64(delay))
    }

    mutating func wake(_ client: Int, _ life: Int) {
        guard isAwake(client, life, .wake(client: client, life: life)) else { return }
        if clients[client].phase == .resting { join(client) }
    }

    /// Whether a process is there; if it is paused, the event comes again later.
    private mutating func isAwake(_ client: Int, _ life: Int, _ event: Event) -> Bool {
        guard clients[client].life == life, clients[client].isUp else { return false }
        guard clients[client].pausedUntil <= now else {
            queue.plan(event, at: clients[client].pausedUntil)
            return false
        }
        return true
    }

    // MARK: Calls

    private mutating func join(_ client: Int) {
        clients[client].phase = .joining
        let it = clients[client]
        call(
            client, patience: it.rebalanceTimeout + 1000,
            .joinGroup(
                JoinGroup(
                    groupID: Self.name(it.group), memberID: it.memberID, instanceID: it.instanceID,
                    clientID: "c\(client)", clientHost: "/10.0.0.\(client)",
                    sessionTimeout: it.sessionTimeout, rebalanceTimeout: it.rebalanceTimeout,
                    protocolType: "consumer",
                    protocols: it.protocols.map {
                        JoinGroup.Offer(name: $0, metadata: [it.subscription])
                    },
                    requiresKnownMemberID: it.requiresKnownMemberID,
                    supportsSkippingAssignment: it.supportsSkippingAssignment)))
    }

    private mutating func sync(_ client: Int, _ assignments: [SyncGroup.Assignment]) {
        clients[client].phase = .syncing
        let it = clients[client]
        call(
            client, patience: it.rebalanceTimeout + 1000,
            .syncGroup(
                SyncGroup(
                    groupID: Self.name(it.group), generation: it.generation, memberID: it.memberID,
                    instanceID: it.instanceID, assignments: assignments)))
    }

    /// Calls and waits for the answer.
    private mutating func call(_ client: Int, patience: Int64, _ request: GroupRequest) {
        clients[client].call += 1
        let call = GroupCall(
            client: client, life: clients[client].life, number: clients[client].call)
        send(call, request)
        queue.plan(.timeout(call), at: now + patience)
    }

    /// Calls without waiting.
    private mutating func tell(_ client: Int, _ request: GroupRequest) {
        send(GroupCall(client: client, life: clients[client].life, number: 0), request)
    }

    /// Puts a request on the network, which may lose it, or deliver it once more.
    private mutating func send(_ call: GroupCall, _ request: GroupRequest) {
        if period != .quiet, chance(settings.lossRate) {
            count(\.losses)
        } else {
            queue.plan(.request(call, request), at: now + Int64(draw(0...settings.delayMax)))
        }
        guard period == .troubled, chance(settings.duplicateRate) else { return }
        // Nobody listens to the answer of the other one.
        count(\.duplicates)
        let ghost = GroupCall(client: call.client, life: 0, number: 0)
        queue.plan(.request(ghost, request), at: now + Int64(draw(0...(settings.delayMax * 20))))
    }

    mutating func timeOut(_ call: GroupCall) {
        guard isAwake(call.client, call.life, .timeout(call)),
            clients[call.client].call == call.number
        else { return }
        switch clients[call.client].phase {
        case .joining, .syncing: rest(call.client, draw(0...100))
        case .down, .resting, .stable: break
        }
    }

    /// Beats, and commits now and then.
    mutating func beat(_ client: Int, _ life: Int) {
        let it = clients[client]
        guard isAwake(client, life, .heartbeat(client: client, life: life)), it.phase == .stable
        else { return }
        tell(
            client,
            .heartbeat(
                Heartbeat(
                    groupID: Self.name(it.group), generation: it.generation, memberID: it.memberID,
                    instanceID: it.instanceID)))
        if chance(30) { commit(client) }
        if chance(5) { fetch(it.group, client) }
        queue.plan(
            .heartbeat(client: client, life: life), at: now + it.heartbeatInterval)
    }

    private mutating func commit(_ client: Int) {
        let it = clients[client]
        guard !it.assignment.isEmpty else { return }
        var entries: [OffsetCommit.Entry] = []
        for partition in it.assignment where entries.isEmpty || chance(50) {
            entries.append(entry(partition))
        }
        tell(
            client,
            .offsetCommit(
                OffsetCommit(
                    groupID: Self.name(it.group), generation: it.generation, memberID: it.memberID,
                    instanceID: it.instanceID, entries: entries)))
    }

    /// An offset that was never committed before, so that it says which commit it was.
    mutating func entry(_ partition: Int32) -> OffsetCommit.Entry {
        lastValue += 1
        return OffsetCommit.Entry(
            topic: Self.topic, topicID: 0, partition: partition, offset: Offset(lastValue))
    }

    private mutating func fetch(_ group: Int, _ client: Int) {
        tell(client, offsetFetch(group))
    }

    func offsetFetch(_ group: Int) -> GroupRequest {
        let topic = OffsetFetch.Topic(
            name: Self.topic, partitions: (0..<settings.partitionCount).map { Int32($0) })
        return .offsetFetch(OffsetFetch(groupID: Self.name(group), topics: [topic]))
    }

    mutating func leave(_ client: Int) {
        let it = clients[client]
        tell(
            client,
            .leaveGroup(
                LeaveGroup(
                    groupID: Self.name(it.group),
                    members: [LeaveGroup.Leaver(memberID: it.memberID, instanceID: it.instanceID)]))
        )
        kill(client)
    }

    // MARK: Answers

    mutating func hear(_ call: GroupCall, _ response: GroupResponse) throws(Violation) {
        guard isAwake(call.client, call.life, .answer(call, response)) else { return }
        let isCurrent = call.number == clients[call.client].call
        switch response {
        case .joinGroup(let answer):
            if isCurrent, clients[call.client].phase == .joining {
                try hear(joined: answer, call.client)
            }
        case .syncGroup(let answer):
            if isCurrent, clients[call.client].phase == .syncing {
                try hear(synced: answer, call.client)
            }
        case .heartbeat(let error?):
            if clients[call.client].phase == .stable { recover(call.client, from: error) }
        case .offsetCommit(let answer):
            // A commit that is fenced tells as much as a heartbeat.
            let fence = answer.errors.compactMap { $0 }.first { $0 != .offsetMetadataTooLarge }
            if let fence, clients[call.client].phase == .stable {
                recover(call.client, from: fence)
            }
        case .heartbeat, .leaveGroup, .offsetFetch, .describeGroups, .listGroups, .deleteGroups,
            .offsetDelete:
            break
        }
    }

    private mutating func hear(
        joined answer: JoinGroup.Answer, _ client: Int
    ) throws(Violation) {
        if let error = answer.error {
            if error == .memberIDRequired {
                clients[client].memberID = answer.memberID
                return rest(client, 0)
            }
            return recover(client, from: error)
        }
        clients[client].memberID = answer.memberID
        clients[client].generation = answer.generation
        let isLeader = answer.leaderID == answer.memberID && !answer.skipAssignment
        sync(client, isLeader ? assign(answer.members) : [])
    }

    /// Shares the partitions among the members.
    private mutating func assign(_ members: [JoinGroup.Joined]) -> [SyncGroup.Assignment] {
        guard !members.isEmpty else { return [] }
        var shares = [[UInt8]](repeating: [], count: members.count)
        let first = draw(0...(members.count - 1))
        for partition in 0..<settings.partitionCount {
            shares[(first + partition) % members.count].append(UInt8(partition))
        }
        return zip(members, shares).map {
            SyncGroup.Assignment(memberID: $0.memberID, assignment: $1)
        }
    }

    private mutating func hear(
        synced answer: SyncGroup.Answer, _ client: Int
    ) throws(Violation) {
        if let error = answer.error { return recover(client, from: error) }
        clients[client].phase = .stable
        clients[client].assignment = answer.assignment.map { Int32($0) }
        queue.plan(
            .heartbeat(client: client, life: clients[client].life),
            at: now + clients[client].heartbeatInterval)
    }

    /// Does what an error asks for.
    private mutating func recover(_ client: Int, from error: GroupError) {
        note("recover", "client \(client)", "from \(error)")
        switch error {
        case .unknownMemberID:
            clients[client].memberID = ""
            clients[client].generation = -1
            rest(client, draw(0...50))
        case .illegalGeneration:
            // Some clients keep their ids then, others do not.
            if client % 2 == 0 { clients[client].memberID = "" }
            clients[client].generation = -1
            rest(client, draw(0...50))
        case .fencedInstanceID:
            // Whoever watches over the process starts it anew.
            count(\.fencedMembers)
            kill(client)
            start(client, after: draw(100...1000))
        case .rebalanceInProgress:
            if clients[client].phase == .stable, chance(50) { commit(client) }
            rest(client, draw(0...20))
        default:
            rest(client, draw(50...200))
        }
    }
}
