// SPDX-License-Identifier: Apache-2.0

internal import GroupCore
internal import Records

/// What must hold of every answer, and at the end of each period.
extension GroupHistory {
    /// Judges an answer, and sends it to whom it belongs.
    mutating func answer(_ id: RequestID, _ response: GroupResponse) throws(Violation) {
        guard let request = open.removeValue(forKey: id) else {
            // Nobody waits for the answers of a connection that closed.
            return
        }
        let waited = now - request.receivedAt
        guard waited <= settings.waitMax || sabotage == .ignoresTime else {
            throw Violation("\(request.request.name) waited \(waited) ms")
        }
        mix(id.rawValue &+ UInt64(bitPattern: now))
        switch (request.request, response) {
        case (.joinGroup(let join), .joinGroup(let answer)): try judge(join, answer, request)
        case (.syncGroup(let sync), .syncGroup(let answer)): try judge(sync, answer)
        case (.heartbeat(let beat), .heartbeat(let error)):
            if error == nil || error == .rebalanceInProgress {
                hearOf(beat.memberID, Self.number(beat.groupID))
            }
        case (.offsetCommit(let commit), .offsetCommit(let answer)):
            try judge(commit, answer, request)
        case (.offsetFetch(let fetch), .offsetFetch(let answer)): try judge(fetch, answer)
        case (.leaveGroup, .leaveGroup), (.offsetDelete, .offsetDelete): break
        case (.deleteGroups, .deleteGroups(let answer)):
            if answer.errors == [nil] { count(\.deletions) }
        default: throw Violation("\(request.request.name) is answered \(response)")
        }
        // An answer of the quiet period arrives.
        guard request.call.life > 0 else { return }
        if period != .quiet, chance(settings.lossRate) { return count(\.losses) }
        queue.plan(
            .answer(request.call, response), at: now + Int64(draw(0...settings.delayMax)))
    }

    private mutating func hearOf(_ memberID: String, _ group: Int) {
        models[group].heardOf[memberID]?.time = now
    }

    private mutating func judge(
        _ join: JoinGroup, _ answer: JoinGroup.Answer, _ request: Open
    ) throws(Violation) {
        let group = Self.number(join.groupID)
        guard answer.error == nil else { return }
        mix(UInt64(bitPattern: Int64(answer.generation)))
        guard answer.generation >= models[group].syncedGeneration else {
            throw Violation(
                "\(answer.memberID) joins generation \(answer.generation) after "
                    + "\(models[group].syncedGeneration)")
        }
        guard join.protocols.contains(where: { $0.name == answer.protocolName }) else {
            throw Violation("\(answer.memberID) is to use \(answer.protocolName ?? "nothing")")
        }
        let isLeader = answer.leaderID == answer.memberID
        guard answer.members.isEmpty != isLeader else {
            throw Violation("\(answer.memberID) is told of \(answer.members.count) members")
        }
        if answer.skipAssignment { count(\.skippedAssignments) }
        models[group].heardOf[answer.memberID] = (now, join.sessionTimeout)
    }

    private mutating func judge(_ sync: SyncGroup, _ answer: SyncGroup.Answer) throws(Violation) {
        let group = Self.number(sync.groupID)
        guard answer.error == nil else { return }
        count(\.assignments)
        hearOf(sync.memberID, group)
        mix(answer.assignment.reduce(7) { $0 &* 31 &+ UInt64($1) })
        if let instanceID = sync.instanceID { models[group].instances[instanceID] = sync.memberID }
        try models[group].own(
            answer.assignment.map { Int32($0) }, sync.instanceID ?? sync.memberID, sync.generation)
    }

    private mutating func judge(
        _ commit: OffsetCommit, _ answer: OffsetCommit.Answer, _ request: Open
    ) throws(Violation) {
        let group = Self.number(commit.groupID)
        guard answer.errors.contains(nil) else {
            if answer.errors.contains(.illegalGeneration)
                || answer.errors.contains(.fencedInstanceID)
            {
                count(\.fencedCommits)
            }
            return
        }
        count(\.commits)
        if !commit.memberID.isEmpty { hearOf(commit.memberID, group, since: request.receivedAt) }
        let isSameGroup = request.incarnation == models[group].incarnation
        if isSameGroup, commit.generation >= 0, commit.generation < request.syncedGeneration {
            throw Violation(
                "a commit of generation \(commit.generation) was taken in generation "
                    + "\(request.syncedGeneration)")
        }
        if isSameGroup, request.fencedID {
            throw Violation("a commit of \(commit.memberID) was taken, whom another replaced")
        }
        for entry in commit.entries {
            let candidates = models[group].partitions[Int(entry.partition)].candidates
            let place = candidates.firstIndex { $0.value == entry.offset.rawValue } ?? 0
            guard place == 0 || sabotage == .answersBeforeDurable else {
                throw Violation("\(entry.offset) was acknowledged before it was durable")
            }
            if sabotage == .answersBeforeDurable {
                models[group].partitions[Int(entry.partition)].candidates.removeFirst(place)
            }
        }
    }

    private mutating func hearOf(_ memberID: String, _ group: Int, since time: Int64) {
        guard let heard = models[group].heardOf[memberID] else { return }
        models[group].heardOf[memberID]?.time = max(heard.time, time)
    }

    private mutating func judge(_ fetch: OffsetFetch, _ answer: OffsetFetch.Answer)
        throws(Violation)
    {
        let group = Self.number(fetch.groupID)
        for row in answer.topics.flatMap(\.rows) {
            let value = row.committed?.offset.rawValue
            mix(UInt64(bitPattern: value ?? -1))
            let candidates = models[group].partitions[Int(row.partition)].candidates
            guard models[group].partitions[Int(row.partition)].read(value) else {
                throw Violation(
                    "partition \(row.partition) of \(fetch.groupID) is at "
                        + "\(value.map(String.init) ?? "nothing"), but may be at "
                        + "\(candidates.map { $0.value.map(String.init) ?? "nothing" })")
            }
        }
    }

    mutating func observe(_ observation: GroupObservation) throws(Violation) {
        switch observation {
        case .generationBegan(let group, let generation, let memberCount, _):
            count(\.generations)
            note("generation", group, "\(generation) of \(memberCount)")
        case .memberRemoved(let group, let memberID, let reason):
            note("remove", memberID, "from \(group): \(reason)")
            try judgeRemoval(of: memberID, from: Self.number(group), reason)
        case .groupRemoved(let group):
            count(\.forgottenGroups)
            models[Self.number(group)].forget()
        case .offsetsExpired(_, let expired): counts.expiries += expired
        case .rebalanceBegan(let group, let generation, let reason):
            note("rebalance", group, "after \(generation): \(reason.rawValue)")
        case .becameStable, .becameEmpty, .appendFailed: break
        }
    }

    private mutating func judgeRemoval(
        of memberID: String, from group: Int, _ reason: MemberRemovalReason
    ) throws(Violation) {
        switch reason {
        case .replaced: count(\.replacements)
        case .rebalanceTimeout, .syncTimeout: count(\.slowMembers)
        case .sessionTimeout:
            count(\.deadMembers)
            if let heard = models[group].heardOf[memberID], now - heard.time < heard.sessionTimeout
            {
                throw Violation(
                    "\(memberID) is taken for dead \(now - heard.time) ms after it was heard of")
            }
        case .left, .connectionClosed, .groupFull: break
        }
        models[group].heardOf[memberID] = nil
    }

    // MARK: Ends of periods

    /// After the quiet period, every group is as its clients want it.
    mutating func checkSettled() throws(Violation) {
        note("settled", "")
        for group in models.indices {
            let alive = clients.filter { $0.group == group && $0.isUp }
            let overview = coordinator?.core.overview(of: Self.name(group))
            guard !alive.isEmpty else {
                guard overview == nil || overview?.state == .empty else {
                    throw Violation("\(Self.name(group)) has members that are not there")
                }
                continue
            }
            guard let overview, overview.state == .stable else {
                throw Violation(
                    "\(Self.name(group)) is \(overview?.state.rawValue ?? "gone") with "
                        + "\(alive.count) consumers")
            }
            guard overview.members.map(\.memberID) == alive.map(\.memberID).sorted() else {
                throw Violation(
                    "\(Self.name(group)) has the members \(overview.members.map(\.memberID)), not "
                        + "\(alive.map(\.memberID).sorted())")
            }
            for client in alive
            where client.phase != .stable || client.generation != overview.generation {
                throw Violation(
                    "client \(client.number) is \(client.phase) in generation \(client.generation) "
                        + "of \(overview.generation)")
            }
            let owned = alive.flatMap(\.assignment).sorted()
            guard owned == (0..<settings.partitionCount).map({ Int32($0) }) else {
                throw Violation("\(Self.name(group)) owns the partitions \(owned)")
            }
        }
        for client in clients.indices where clients[client].isUp { kill(client) }
        period = .ending
        queue.plan(
            .over, at: now + settings.quietPeriod + 3 * settings.core.emptyGroupRetention)
    }

    /// When nobody is there any more, only offsets are kept.
    mutating func checkOver() throws(Violation) {
        isOver = true
        guard let core = coordinator?.core else { return }
        for request in open.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            throw Violation("\(open[request]?.request.name ?? "a request") was never answered")
        }
        var kept = 0
        for group in models.indices {
            guard let overview = core.overview(of: Self.name(group)) else { continue }
            guard overview.state == .empty, !overview.commits.isEmpty else {
                throw Violation(
                    "\(Self.name(group)) is \(overview.state.rawValue) with "
                        + "\(overview.commits.count) offsets, and nobody is there")
            }
            kept += 1
        }
        guard core.groupCount == kept else {
            throw Violation("\(core.groupCount) groups are kept, not \(kept)")
        }
        // A last life must know the same.
        crash()
        try restart()
        mix(log.digest)
    }
}
