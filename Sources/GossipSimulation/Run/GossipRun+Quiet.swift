// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire
internal import SwimCore

// The faults stop, and all views have to become one, and right, before long.
extension GossipRun {
    mutating func calm() throws(Violation) {
        phase = .converging
        calmSince = world.now
        lastOfBefore = world.lastArrival
        world.note { "no more faults" }
        try world.calm(GossipPlan.calmWeather(plan.settings))
        world.refusesDials = true
        var isDown = world.nodes.indices.filter { !world.nodes[$0].isUp }
        // Somebody is left.
        var rest = live.count
        isDown.reverse()
        for node in isDown {
            if rest >= 2, chanceOfEnd.happens(percent: plan.outPercent) {
                world.nodes[node].isOut = true
                continue
            }
            rest += 1
            let delay = chanceOfEnd.time(1...(5 * world.bounds.probe))
            world.queue.plan(.start(node: node, era: world.era), at: world.now + delay)
        }
        for node in live where !world.nodes[node].hasJoined && !world.nodes[node].seeds.isEmpty {
            // Of the seeds that it has none may ever answer. Who asks nobody has to be found.
            world.nodes[node].seeds = live
            world.queue.plan(.join(node: node, life: world.nodes[node].life), at: world.now)
        }
        let out = world.nodes.filter(\.isOut).map(\.name)
        world.note { "out of it: \(out)" }
    }

    mutating func converge() throws(Violation) {
        // Everybody who is to come back has had the time for it, and what was sent before has come.
        guard world.now > max(calmSince + 6 * world.bounds.probe, lastOfBefore) else { return }
        for node in world.nodes.indices where !world.nodes[node].isUp {
            // Whoever left in the meantime stays away.
            world.nodes[node].isOut = true
        }
        try bringTogether()
        guard let reason = unsettled() ?? disagreement() else {
            phase = .coda
            world.note { "all views are one" }
            coda = chooseCoda()
            return
        }
        let limit = world.bounds.convergence(plan.nodeCount)
        guard world.now - max(calmSince, lastOfBefore) <= limit else {
            throw Violation(
                "views are not one \(limit / 1_000_000) ms after the last fault: \(reason)")
        }
    }

    /// Joins by hand parts that have forgotten each other, or never heard of each other.
    ///
    /// No protocol could know. Who remembers somebody as failed will try again by itself.
    private mutating func bringTogether() throws(Violation) {
        let nodes = live
        guard nodes.count > 1 else { return }
        var part = nodes.map { $0 }
        func knows(_ one: Int, _ other: Int) -> Bool {
            let name = world.nodes[other].name
            guard let status = world.nodes[one].core?.member(named: name)?.status else {
                return false
            }
            return status != .left
        }
        // The lowest number that each is connected with, by steps from one to the next.
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for (left, one) in nodes.enumerated() {
                for (right, other) in nodes.enumerated()
                where part[left] != part[right] && (knows(one, other) || knows(other, one)) {
                    let lowest = min(part[left], part[right])
                    part[left] = lowest
                    part[right] = lowest
                    hasChanged = true
                }
            }
        }
        for (place, node) in nodes.enumerated() where part[place] == node && node != nodes[0] {
            world.marks.insert(.broughtTogether)
            world.note { "n\(nodes[0]) and n\(node) are brought together" }
            try world.join(node, [nodes[0]], replays: true, for: .rejoin(ignoresOld: false))
        }
    }

    /// Who is still about to join, or to leave.
    private func unsettled() -> String? {
        for node in live where world.watch.deliveries.isJoining(node) {
            return "n\(node) is in the midst of joining"
        }
        for node in live where world.nodes[node].core?.phase == .leaving {
            return "n\(node) is in the midst of leaving"
        }
        for node in live
        where !world.nodes[node].hasJoined
            && world.nodes[node].seeds.contains(where: { $0 != node && world.nodes[$0].isUp })
        {
            return "n\(node) has not joined"
        }
        return nil
    }

    // MARK: Views

    /// Why the views are not one, or not right; `nil` if they are.
    ///
    /// - Parameter isAtRest: Nobody has anything to tell any more.
    func disagreement(isAtRest: Bool = true) -> String? {
        let nodes = live
        if nodes.count == 1 { return nil }
        for observer in nodes {
            guard let core = world.nodes[observer].core else { continue }
            let view = ViewOracle.View(observer: observer, members: core.members)
            if let reason = ViewOracle.flaw(in: view, truth) { return reason }
            guard !isAtRest || core.queuedMessages == 0 else {
                return "n\(observer) still has \(core.queuedMessages) messages to gossip"
            }
        }
        if let reason = doubt(among: nodes) { return reason }
        let views = nodes.map { observer in
            ViewOracle.View(
                observer: observer, members: world.nodes[observer].core?.members ?? [])
        }
        if let reason = ViewOracle.difference(between: views) { return reason }
        if let (event, node) = world.watch.deliveries.owed(to: nodes) {
            return "n\(node) does not have event \(event), which others have"
        }
        return nil
    }

    /// Who is thought of in another way than it thinks of itself, below what members are told.
    private func doubt(among nodes: [Int]) -> String? {
        var own: [String: UInt32] = [:]
        for node in nodes {
            let name = world.nodes[node].name
            own[name] = world.nodes[node].core?.swimNodes.first { $0.name == name }?.incarnation
        }
        for node in nodes {
            for record in world.nodes[node].core?.swimNodes ?? [] {
                guard let incarnation = own[record.name] else { continue }
                guard record.state == .alive, record.incarnation == incarnation else {
                    return "n\(node) has \(record.name) as \(record.state) in incarnation "
                        + "\(record.incarnation), not \(incarnation)"
                }
            }
        }
        return nil
    }

    /// How the nodes are in fact.
    var truth: [ViewOracle.Truth] {
        world.nodes.map { node in
            ViewOracle.Truth(
                name: node.name, endpoint: node.endpoint, isUp: node.isUp, tags: node.tags,
                wasAskedToLeave: node.wasAskedToLeave)
        }
    }
}
