// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire
internal import SwimCore

// What happens to nodes, and what they are told to do.
extension GossipWorld {
    mutating func start(_ node: Int) throws(Violation) {
        guard !nodes[node].isUp, !nodes[node].isOut else { return }
        nodes[node].life += 1
        if nodes[node].hasStarted { marks.insert(.restarted) }
        nodes[node].hasStarted = true
        nodes[node].hasJoined = false
        let life = nodes[node].life
        note { "\(nodes[node].name) starts its life \(life) with \(tell(nodes[node].tags))" }
        do throws(SerfError) {
            nodes[node].core = try Serf(
                settings: settings, name: nodes[node].name, endpoint: nodes[node].endpoint,
                tags: nodes[node].tags, keyring: nodes[node].keyring, seed: chanceOfNodes.next(),
                at: moment)
        } catch {
            throw Violation("\(nodes[node].name) cannot be made: \(error)")
        }
        watch.started(nodes[node], now)
        try act(node, .start)
        try joinSeeds(node, life)
    }

    /// Ends a process, without a word to anybody.
    mutating func stop(_ node: Int) {
        guard nodes[node].isUp else { return }
        note { "\(nodes[node].name) ends" }
        nodes[node].stop()
        watch.stopped(node, now)
    }

    /// Asks the seeds, as the shell does until one has answered.
    mutating func joinSeeds(_ node: Int, _ life: Int) throws(Violation) {
        guard nodes[node].life == life, nodes[node].isUp, !nodes[node].hasJoined else { return }
        let seeds = nodes[node].seeds.filter { $0 != node }
        guard !seeds.isEmpty else { return }
        guard nodes[node].isAwake, !watch.deliveries.isJoining(node) else {
            return queue.plan(.join(node: node, life: life), at: now + joinRetry)
        }
        try join(node, seeds, replays: replaysEvents, for: .join)
    }

    mutating func join(
        _ node: Int, _ others: [Int], replays: Bool, for purpose: IssuedCommand.Purpose
    ) throws(Violation) {
        watch.deliveries.joinBegins(node)
        try command(
            .join(others.map { nodes[$0].endpoint }, replayEvents: replays), for: purpose, node)
    }

    /// Gives a command to a node that is awake.
    ///
    /// - Returns: Its number.
    @discardableResult
    mutating func command(
        _ command: Serf.Command, for purpose: IssuedCommand.Purpose, _ node: Int
    ) throws(Violation) -> UInt64 {
        lastCommand += 1
        let id = lastCommand
        commands[id] = IssuedCommand(node: node, life: nodes[node].life, purpose: purpose)
        if purpose != .respond { note { "\(nodes[node].name) is told: \(tell(command))" } }
        try act(node, .command(CommandID(rawValue: id), command))
        return id
    }

    mutating func ended(
        _ id: CommandID, _ result: Result<CommandOutcome, SerfError>, _ node: Int
    ) throws(Violation) {
        guard let issued = commands.removeValue(forKey: id.rawValue), issued.node == node,
            issued.life == nodes[node].life
        else { throw Violation("\(nodes[node].name) ends command \(id.rawValue) a second time") }
        if issued.purpose != .respond {
            note { "\(nodes[node].name) is done with \(issued.purpose): \(tell(result))" }
        }
        switch issued.purpose {
        case .join, .rejoin: joinEnded(issued, result, node)
        case .query(let number):
            try watch.queries.ended(number, id.rawValue, result, at: nodes[node].name)
        case .key(let number): watch.keyReports.append((number, result))
        case .event:
            if case .failure(let error) = result, error != .notRunning(.leaving) {
                throw Violation("\(nodes[node].name) does not send an event: \(error)")
            }
        case .leave, .forceLeave, .tags, .respond: break
        }
    }

    private mutating func joinEnded(
        _ issued: IssuedCommand, _ result: Result<CommandOutcome, SerfError>, _ node: Int
    ) {
        let ignoresOld: Bool
        if case .rejoin(let ignores) = issued.purpose {
            ignoresOld = ignores
        } else {
            ignoresOld = !replaysEvents
        }
        watch.deliveries.joinEnds(node, ignoresOld: ignoresOld, now)
        if case .success(.joined(let count, _)) = result, count > 0 {
            nodes[node].hasJoined = true
        } else if issued.purpose == .join {
            queue.plan(.join(node: node, life: issued.life), at: now + joinRetry)
        }
    }

    // MARK: Frozen processes

    mutating func freeze(_ node: Int, for time: Int64) {
        guard nodes[node].isAwake else { return }
        note { "\(nodes[node].name) is frozen for \(Double(time / 1_000_000) / 1000) s" }
        nodes[node].isFrozen = true
        marks.insert(.frozen)
        queue.plan(.thaw(node: node, life: nodes[node].life), at: now + time)
    }

    /// The process goes on: with the clock that ran on without it, and with what waits in its sockets,
    /// in one order or the other.
    mutating func thaw(_ node: Int, _ life: Int) throws(Violation) {
        guard nodes[node].life == life, nodes[node].isFrozen else { return }
        note { "\(nodes[node].name) thaws; \(nodes[node].waiting.count) things wait" }
        if nodes[node].waitingPackets > 20 { marks.insert(.thawedLate) }
        nodes[node].isFrozen = false
        let waiting = nodes[node].waiting
        nodes[node].waiting = []
        nodes[node].waitingPackets = 0
        nodes[node].waitingStreams = 0
        watch.thawed(node, now)
        let isClockFirst = chanceOfWorld.happens(percent: 50)
        if isClockFirst { try act(node, .tick) }
        for thing in waiting {
            guard nodes[node].life == life, nodes[node].isUp else { return }
            switch thing {
            case .packet(let bytes, let from): try act(node, .packet(bytes, from: from))
            case .request(let stream, let body): try deliverRequest(stream, body)
            case .answer(let stream, let body): try deliverAnswer(stream, body)
            case .streamEnd(let stream, let failure): try deliverEnd(stream, failure)
            }
        }
        guard nodes[node].life == life, nodes[node].isUp else { return }
        try act(node, .tick)
    }

    // MARK: The network's faults

    mutating func cut(_ links: [GossipEvent.Link], for time: Int64) {
        for link in links { network.cut(link.from, link.to) }
        marks.insert(.linkCut)
        watch.disturbed(now + time)
        queue.plan(.mend(links, era: era), at: now + time)
    }

    mutating func mend(_ links: [GossipEvent.Link], _ era: Int) {
        guard era == self.era else { return }
        note { "\(links.count) links are whole again" }
        for link in links { network.mend(link.from, link.to) }
        watch.disturbed(now)
    }

    mutating func slow(by factor: Int64, loss: Int, for time: Int64) {
        network.slowness *= factor
        network.addedLoss += loss
        watch.disturbed(now + time)
        queue.plan(.clear(slowness: factor, loss: loss, era: era), at: now + time)
    }

    mutating func clear(_ slowness: Int64, _ loss: Int, _ era: Int) {
        guard era == self.era else { return }
        network.slowness /= slowness
        network.addedLoss -= loss
        watch.disturbed(now)
    }

    /// All streams that are under way break.
    mutating func breakStreams() {
        marks.insert(.streamsBroken)
        for number in streams.indices.suffix(200)
        where !streams[number].isOver
            && streams[number].openerLife
                == nodes[streams[number].opener].life
        {
            queue.plan(.streamEnd(stream: number, .closed), at: now)
        }
    }

    /// Everything is mended, and nobody is frozen.
    mutating func calm(_ fair: GossipNetwork.Weather) throws(Violation) {
        era += 1
        network.calm(fair)
        kept = []
        keptMax = 0
        for node in nodes.indices where nodes[node].isFrozen { try thaw(node, nodes[node].life) }
        watch.disturbed(now)
    }
}
