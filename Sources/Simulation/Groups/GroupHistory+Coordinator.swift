// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GroupCore
internal import Records

/// The thread around the coordinator, and the machine that it runs on.
extension GroupHistory {
    /// A request has come over the network.
    mutating func arrive(_ call: GroupCall, _ request: GroupRequest) throws(Violation) {
        guard coordinator != nil else { return }
        lastRequest += 1
        let id = RequestID(lastRequest)
        var request = request
        if case .offsetCommit(var commit) = request {
            // The handler names the topic as it is now.
            let topicID = topicIDs[Self.number(commit.groupID)]
            for index in commit.entries.indices { commit.entries[index].topicID = topicID }
            request = .offsetCommit(commit)
        }
        count(\.requests)
        let (group, fencedID) = fence(request)
        open[id] = Open(
            call: call, request: request, receivedAt: now, incarnation: models[group].incarnation,
            syncedGeneration: models[group].syncedGeneration, fencedID: fencedID)
        note(
            Note(
                time: now, verb: "receive", who: "",
                detail: .request(request, client: call.client)))
        try receive(.request(id, request, at: time))
        if period == .troubled, chance(2), open[id] != nil { try close(id) }
    }

    /// The group of a request, and whether it comes under an id that a static member no longer has.
    private func fence(_ request: GroupRequest) -> (group: Int, fencedID: Bool) {
        guard case .offsetCommit(let commit) = request else { return (request.group, false) }
        let group = Self.number(commit.groupID)
        let current = commit.instanceID.flatMap { models[group].instances[$0] }
        return (group, current != nil && current != commit.memberID)
    }

    /// The connection of a request that waits closes.
    private mutating func close(_ id: RequestID) throws(Violation) {
        count(\.closedConnections)
        note("close", "request \(id.rawValue)")
        try receive(.abandoned(id, at: time))
        switch open[id]?.request {
        case .joinGroup, .syncGroup: open[id] = nil
        default: break
        }
    }

    /// Hands an input to the coordinator and does what it says.
    mutating func receive(_ input: GroupCore.Input) throws(Violation) {
        var effects: [GroupCore.Effect] = []
        coordinator?.receive(input, into: &effects)
        coordinator?.core.checkInvariants()
        var begun: [AppendToken] = []
        for effect in effects {
            switch effect {
            case .append(let records, let token):
                append(records, token)
                if sabotage == .answersBeforeDurable { begun.append(token) }
            case .answer(let id, let response): try answer(id, response)
            case .observe(let observation): try observe(observation)
            }
        }
        scheduleTick()
        for token in begun {
            // The model is told what the coordinator is; a crash shows who is right.
            for case .group(let group, let metadata) in log.underWay.last?.records ?? [] {
                models[Self.number(group)].durableGeneration = metadata?.generation ?? 0
            }
            try receive(.appended(token, at: time))
        }
    }

    private mutating func scheduleTick() {
        guard let deadline = coordinator?.core.nextDeadline, deadline < nextTick ?? .max else {
            return
        }
        let late = Int64(draw(0...10))
        nextTick = max(deadline, now) + late
        queue.plan(.tick(life: life), at: max(deadline, now) + late)
    }

    mutating func tick() throws(Violation) {
        guard nextTick.map({ $0 <= now }) ?? false else { return }
        nextTick = nil
        try receive(.tick(at: time))
        guard sabotage != .ignoresTime, let deadline = coordinator?.core.nextDeadline else {
            return
        }
        guard deadline > now else {
            throw Violation("the deadline \(deadline) stands after a tick at \(now)")
        }
    }

    // MARK: The log

    private mutating func append(_ records: [GroupRecord], _ token: AppendToken) {
        for case .offset(let group, let partition, let committed) in records {
            models[Self.number(group)].partitions[Int(partition.partition)].candidates.append(
                GroupModel.Partition.Candidate(value: committed?.offset.rawValue, token: token))
        }
        var written = records
        switch sabotage {
        case .losesRecords where token.rawValue % 7 == 0: written = []
        case .skipsTombstones: written.removeAll { $0.value == nil }
        default: break
        }
        let fails = period == .troubled && chance(settings.appendFailureRate)
        let fate: GroupHistoryLog.Fate = !fails ? .durable : chance(50) ? .lost : .written
        let last = log.underWay.last?.endsAt ?? now
        let endsAt = max(last, now + Int64(draw(0...settings.appendDelayMax)))
        note("append", "\(token.rawValue)", "\(records.count) records, \(fate)")
        log.underWay.append(
            GroupHistoryLog.Append(
                token: token, records: records, written: written, endsAt: endsAt, fate: fate))
        queue.plan(.appendEnds(life: life), at: endsAt)
    }

    mutating func endAppend() throws(Violation) {
        guard !log.underWay.isEmpty else { return }
        let append = log.underWay.removeFirst()
        log.write(append)
        let isDurable = append.fate == .durable
        note(isDurable ? "durable" : "failed", "\(append.token.rawValue)")
        if !isDurable { count(\.appendFailures) }
        guard sabotage != .answersBeforeDurable else { return }
        if isDurable {
            settle(append)
            try receive(.appended(append.token, at: time))
        } else {
            try receive(.appendFailed(append.token, at: time))
        }
    }

    /// Lets the model know what is durable, before anybody is told.
    private mutating func settle(_ append: GroupHistoryLog.Append) {
        for record in append.records {
            switch record {
            case .group(let group, let metadata):
                models[Self.number(group)].durableGeneration = metadata?.generation ?? 0
            case .offset(let group, let partition, _):
                models[Self.number(group)].partitions[Int(partition.partition)]
                    .settle(append.token)
            }
        }
    }

    /// Writes the log anew, as the snapshot says.
    mutating func rewriteLog() throws(Violation) {
        guard let core = coordinator?.core, log.underWay.isEmpty else { return }
        var records: [GroupRecord] = []
        var position: GroupCore.SnapshotPosition?
        repeat {
            let part = core.snapshotRecords(from: position, countMax: draw(1...5))
            records += part.records
            position = part.next
        } while position != nil
        if !log.isAmbiguous, sabotage == nil {
            // What the log says is what the coordinator believes to be durable.
            var other = GroupCore(settings: settings.core, seed: 0)
            for record in try log.records() { other.replay(record) }
            other.finishReplay(at: time)
            let replayed = other.snapshotRecords(from: nil, countMax: .max).records
            guard replayed == records else {
                throw Violation("a replay gives \(replayed.count) records, not \(records.count)")
            }
        }
        count(\.rewrites)
        note("rewrite", "the log", "\(records.count) records")
        log.rewrite(records)
    }

    // MARK: Lives

    mutating func crash() {
        guard coordinator != nil else { return }
        count(\.crashes)
        let written = draw(0...log.underWay.count)
        let lost = log.crash(written: written)
        counts.lostAppends += lost
        note("crash", "", "\(lost) appends lost, \(written) written")
        coordinator = nil
        open = [:]
        nextTick = nil
        life += 1
        queue.plan(.restart, at: now + Int64(draw(0...1000)))
    }

    mutating func restart() throws(Violation) {
        guard coordinator == nil else { return }
        let records = try log.records()
        log.adopt()
        note("restart", "", "\(records.count) records")
        coordinator = SabotagedCoordinator(
            settings.core, seed: generator.next(), replaying: records, at: time, sabotage)
        guard let core = coordinator?.core else { return }
        core.checkInvariants()
        for topicID in core.topicIDs where !topicIDs.contains(topicID) {
            try receive(.topicDeleted(topicID, at: time))
        }
        for group in models.indices { try checkRecovered(group) }
        scheduleTick()
    }

    /// What was acknowledged must be there; what was not, may.
    private mutating func checkRecovered(_ group: Int) throws(Violation) {
        let overview = coordinator?.core.overview(of: Self.name(group))
        if overview == nil { models[group].forget() }
        if let overview, overview.generation < models[group].syncedGeneration {
            throw Violation(
                "\(Self.name(group)) starts with generation \(overview.generation) after "
                    + "\(models[group].syncedGeneration)")
        }
        models[group].durableGeneration = overview?.generation ?? 0
        // Everybody has a whole session timeout again.
        models[group].heardOf = [:]
        for member in overview?.members ?? [] {
            models[group].heardOf[member.memberID] = (now, settings.core.sessionTimeoutMin)
        }
        for partition in models[group].partitions.indices {
            let value = overview?.commits.first { $0.partition.partition == Int32(partition) }?
                .committed.offset.rawValue
            let candidates = models[group].partitions[partition].candidates
            guard models[group].partitions[partition].read(value) else {
                throw Violation(
                    "after a restart, partition \(partition) of \(Self.name(group)) is at "
                        + "\(value.map(String.init) ?? "nothing"), but may be at "
                        + "\(candidates.map { $0.value.map(String.init) ?? "nothing" })")
            }
            models[group].partitions[partition].candidates = [
                GroupModel.Partition.Candidate(value: value, token: nil)
            ]
        }
        // What is on its way again since the restart.
        for append in log.underWay {
            for case .offset(let name, let partition, let committed) in append.records
            where Self.number(name) == group {
                models[group].partitions[Int(partition.partition)].candidates.append(
                    GroupModel.Partition.Candidate(
                        value: committed?.offset.rawValue, token: append.token))
            }
        }
    }
}

extension GroupRequest {
    /// The number of the group that it is about; 0 for one that is about many.
    var group: Int {
        switch self {
        case .joinGroup(let request): GroupHistory.number(request.groupID)
        case .syncGroup(let request): GroupHistory.number(request.groupID)
        case .heartbeat(let request): GroupHistory.number(request.groupID)
        case .leaveGroup(let request): GroupHistory.number(request.groupID)
        case .offsetCommit(let request): GroupHistory.number(request.groupID)
        case .offsetFetch(let request): GroupHistory.number(request.groupID)
        case .offsetDelete(let request): GroupHistory.number(request.groupID)
        case .deleteGroups(let request): request.groupIDs.first.map(GroupHistory.number) ?? 0
        case .describeGroups, .listGroups: 0
        }
    }

    var name: String {
        switch self {
        case .joinGroup(let request): "JoinGroup of \(request.memberID) \(request.instanceID ?? "")"
        case .syncGroup(let request): "SyncGroup \(request.generation) of \(request.memberID)"
        case .heartbeat(let request): "Heartbeat \(request.generation) of \(request.memberID)"
        case .leaveGroup(let request): "LeaveGroup of \(request.members.map(\.memberID))"
        case .offsetCommit(let request):
            "OffsetCommit \(request.generation) of \(request.memberID): "
                + "\(request.entries.map { "\($0.partition)=\($0.offset)" })"
        case .offsetFetch: "OffsetFetch"
        case .offsetDelete: "OffsetDelete"
        case .deleteGroups: "DeleteGroups"
        case .describeGroups: "DescribeGroups"
        case .listGroups: "ListGroups"
        }
    }
}
