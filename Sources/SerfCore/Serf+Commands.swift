// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

extension Serf {
    /// Carries a command out, or begins to.
    mutating func perform(
        _ command: Command, _ id: CommandID, at now: Moment, into swim: inout [SwimEffect]
    ) {
        do {
            let outcome = try begin(command, id, at: now, into: &swim)
            if let outcome { layer.effects.append(.ended(id, .success(outcome))) }
        } catch {
            layer.effects.append(.ended(id, .failure(error)))
        }
    }

    /// - Returns: How it ended; `nil` if that will be known later.
    private mutating func begin(
        _ command: Command, _ id: CommandID, at now: Moment, into swim: inout [SwimEffect]
    ) throws(SerfError) -> CommandOutcome? {
        // Those who ask still wait for answers while we leave.
        if case .respond(let token, let payload) = command, layer.phase == .leaving {
            try layer.respond(payload, to: token)
            return .done
        }
        guard layer.phase == .running else { throw .notRunning(layer.phase) }
        switch command {
        case .join(let endpoints, let replaysEvents):
            return try join(
                endpoints, replaysEvents: replaysEvents, id, at: now, into: &swim)
        case .leave:
            leave(for: id, at: now)
            return nil
        case .forceLeave(let name, let prune):
            return try forceLeave(name, prune: prune, id, at: now)
        case .setTags(let tags):
            return try setTags(tags, id, at: now)
        case .send(let name, let payload, let mayCoalesce):
            try layer.send(name, payload, mayCoalesce: mayCoalesce)
            return .done
        case .query(let request):
            let isPing = request.name == InternalQuery.ping.rawValue && request.payload.isEmpty
            guard isPing || !request.name.hasPrefix(InternalQuery.prefix) else {
                throw .reservedName(request.name)
            }
            try layer.ask(request, for: .command(id))
            return nil
        case .respond(let token, let payload):
            try layer.respond(payload, to: token)
            return .done
        case .key(let command):
            try layer.ask(command, for: id)
            return nil
        }
    }

    // MARK: Joining

    private mutating func join(
        _ endpoints: [Endpoint], replaysEvents: Bool, _ id: CommandID, at now: Moment,
        into swim: inout [SwimEffect]
    ) throws(SerfError) -> CommandOutcome? {
        let limit = layer.settings.swim.exchangesMax
        guard endpoints.count <= limit else { throw .tooMany(limit: limit) }
        try checkRoom()
        guard !endpoints.isEmpty else { return .joined(count: 0, failures: []) }
        var join = CommandTable.Join(command: id, replaysEvents: replaysEvents, streams: [])
        for endpoint in endpoints {
            join.streams.append(
                memberlist.pushPull(
                    with: endpoint, isJoin: true, at: now, delegate: &layer, into: &swim))
        }
        underWay.joins.append(join)
        return nil
    }

    /// Takes note of how exchanges ended.
    mutating func settleJoins() {
        for outcome in memberlist.takePushPullOutcomes() {
            let place = underWay.joins.firstIndex { $0.streams.contains(outcome.stream) }
            // Others are attempts to find failed members, which nobody waits for.
            guard let place else { continue }
            settle(outcome, of: place)
        }
    }

    private mutating func settle(_ outcome: PushPullOutcome, of place: Int) {
        underWay.joins[place].streams.removeAll { $0 == outcome.stream }
        if let failure = outcome.failure {
            underWay.joins[place].failures.append(failure)
        } else {
            underWay.joins[place].count += 1
            // After each exchange, not once at the end: the next address may take seconds to fail, and
            // may belong to members that know a newer time.
            if layer.phase == .running { layer.announceJoin() }
        }
        guard underWay.joins[place].streams.isEmpty else { return }
        let join = underWay.joins.remove(at: place)
        layer.effects.append(
            .ended(
                join.command,
                join.count > 0
                    ? .success(.joined(count: join.count, failures: join.failures))
                    : .failure(.joinFailed(join.failures))))
    }

    // MARK: Telling others

    private mutating func forceLeave(
        _ name: String, prune: Bool, _ id: CommandID, at now: Moment
    ) throws(SerfError) -> CommandOutcome? {
        guard name != layer.name else { throw .ownName }
        guard layer.members[name] != nil else { throw .unknownMember(name) }
        try checkRoom()
        let number = layer.announceLeave(of: name, prune: prune)
        return wait(for: .intent(number), id, at: now)
    }

    private mutating func setTags(
        _ tags: [String: String], _ id: CommandID, at now: Moment
    ) throws(SerfError) -> CommandOutcome? {
        let meta = try Self.encoded(tags)
        try checkRoom()
        let broadcast = memberlist.update(meta: meta, at: now, delegate: &layer)
        return wait(for: .swim(broadcast), id, at: now)
    }

    private mutating func wait(
        for news: CommandTable.News, _ id: CommandID, at now: Moment
    ) -> CommandOutcome? {
        guard memberlist.hasCompany else { return .done }
        underWay.tellings.append(
            CommandTable.Telling(
                command: id, news: news, deadline: now + layer.settings.broadcastTimeout))
        return nil
    }

    private func checkRoom() throws(SerfError) {
        let limit = layer.settings.openCountMax
        guard underWay.count < limit else { throw .tooMany(limit: limit) }
    }

    /// Ends the commands whose news was told, or was not in time.
    mutating func settleTellings(
        sentIntents: [BroadcastID], sent: [BroadcastID], at now: Moment
    ) {
        guard !underWay.tellings.isEmpty else { return }
        var waiting: [CommandTable.Telling] = []
        for telling in underWay.tellings {
            let isTold =
                switch telling.news {
                case .intent(let number): sentIntents.contains(number)
                case .swim(let id): sent.contains(id)
                }
            // Those who were to be told may be gone by now.
            if isTold || !memberlist.hasCompany {
                layer.effects.append(.ended(telling.command, .success(.done)))
            } else if telling.deadline <= now {
                layer.effects.append(.ended(telling.command, .failure(.broadcastTimedOut)))
            } else {
                waiting.append(telling)
            }
        }
        underWay.tellings = waiting
    }
}
