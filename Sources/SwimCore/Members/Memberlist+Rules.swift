// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// What changes a record: messages about a node, wherever they come from.
///
/// SWIM 4.2 with Serf's additions: a greater incarnation overrides, and of one incarnation dead
/// overrides suspect, and suspect alive.
extension Memberlist {
    /// A node says that it is alive, and how.
    mutating func apply(
        alive news: Alive, delegate: inout some MemberlistDelegate,
        into effects: inout [SwimEffect]
    ) {
        var alive = news
        if alive.endpoint.port == 0 { alive.endpoint.port = settings.defaultPort }
        let isOurs = alive.node == name
        guard !(isOurs && isLeaving) else { return }
        let record = table[alive.node]
        // Most of what comes is known already: gossip says everything several times.
        if !isOurs, let known = record?.node, known.endpoint == alive.endpoint,
            alive.incarnation <= known.incarnation
        {
            return
        }
        if let reason = refusal(of: alive, isOurs: isOurs, delegate: delegate) {
            let name = String(alive.node.prefix(SwimNode.nameBytesMax))
            effects.append(.observe(.refused(node: name, reason: reason)))
            return
        }
        guard let record else {
            admit(alive, delegate: &delegate)
            return
        }
        let known = record.node
        let takesOver = alive.endpoint != known.endpoint
        if takesOver, !mayBeReplaced(known) {
            effects.append(
                .observe(
                    .conflict(node: known.name, known: known.endpoint, other: alive.endpoint)))
            delegate.conflicted(known: known, other: alive, at: now)
            return
        }
        if isOurs {
            hear(ownAlive: alive, into: &effects)
            return
        }
        guard alive.incarnation > 0 else { return }
        cancelSuspicion(of: known.name)
        settle(alive, replacing: known, takesOver: takesOver, delegate: &delegate)
    }

    private func refusal(
        of alive: Alive, isOurs: Bool, delegate: some MemberlistDelegate
    ) -> String? {
        guard SwimNode.isName(alive.node), alive.meta.count <= SwimNode.metaBytesMax else {
            return "\(alive.node.utf8.count) bytes of name and \(alive.meta.count) of meta"
        }
        let versions = alive.versions
        guard versions.swimMin > 0, versions.swimMax > 0, versions.swimMin <= versions.swimMax
        else {
            return "speaks versions \(versions.swimMin) to \(versions.swimMax)"
        }
        guard !isOurs else { return nil }
        if table[alive.node] == nil, table.count >= settings.nodesMax {
            return "\(table.count) nodes are known: there is no room for more"
        }
        return delegate.refusal(of: alive)
    }

    /// A dead node's name may be taken by another address after a while, that of one that has left
    /// at once.
    private func mayBeReplaced(_ known: SwimNode) -> Bool {
        switch known.state {
        case .alive, .suspect: false
        case .left: true
        case .dead:
            settings.deadNodeReclaim > .zero
                && now.duration(since: known.changed) > settings.deadNodeReclaim
        }
    }

    /// A node that is not in the table.
    ///
    /// Incarnation 0 is what a node has that has said nothing yet.
    private mutating func admit(_ alive: Alive, delegate: inout some MemberlistDelegate) {
        guard alive.incarnation > 0 else { return }
        broadcast(.alive(alive), about: alive.node)
        let node = SwimNode(
            name: alive.node, endpoint: alive.endpoint, meta: alive.meta,
            versions: alive.versions, incarnation: alive.incarnation, state: .alive, changed: now)
        table.insert(node, using: &random)
        delegate.joined(node, at: now)
    }

    private mutating func settle(
        _ alive: Alive, replacing known: SwimNode, takesOver: Bool,
        delegate: inout some MemberlistDelegate
    ) {
        broadcast(.alive(alive), about: known.name)
        let now = now
        table.change(known.name) { record in
            precondition(
                takesOver || alive.incarnation > record.node.incarnation,
                "\(record.node.name) went back to incarnation \(alive.incarnation)")
            record.node.endpoint = alive.endpoint
            record.node.meta = alive.meta
            record.node.versions = alive.versions
            record.node.incarnation = alive.incarnation
            if record.node.state != .alive {
                record.node.state = .alive
                record.node.changed = now
            }
        }
        guard let node = node(named: known.name) else { return }
        if known.isGone {
            delegate.joined(node, at: now)
        } else if known.meta != node.meta {
            delegate.updated(node, at: now)
        }
    }

    /// Somebody thinks that a node is dead.
    mutating func apply(
        suspect: Suspect, delegate: inout some MemberlistDelegate,
        into effects: inout [SwimEffect]
    ) {
        guard let record = table[suspect.node], suspect.incarnation >= record.node.incarnation,
            SwimNode.isName(suspect.from)
        else { return }
        if record.suspicion != nil {
            confirm(suspect, into: &effects)
            return
        }
        guard record.node.state == .alive else { return }
        guard suspect.node != name else {
            refute(accused: suspect.incarnation, into: &effects)
            return
        }
        broadcast(.suspect(suspect), about: suspect.node)
        let bounds = Suspicion.Bounds(nodes: table.count, settings: settings)
        let timer = timers.set(
            .suspicionEnd(suspect.node), at: now + bounds.timeout(confirmations: 0))
        let now = now
        table.change(suspect.node) { record in
            record.node.incarnation = suspect.incarnation
            record.node.state = .suspect
            record.node.changed = now
            record.suspicion = Suspicion(
                since: now, bounds: bounds, from: suspect.from, timer: timer)
        }
        effects.append(.observe(.suspected(node: suspect.node, from: suspect.from)))
    }

    /// A node is dead, or has left if it says so itself.
    mutating func apply(
        dead: Dead, delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        guard let record = table[dead.node], dead.incarnation >= record.node.incarnation,
            SwimNode.isName(dead.from)
        else { return }
        guard !record.node.isGone else { return }
        guard dead.node != name || isLeaving else {
            refute(accused: dead.incarnation, into: &effects)
            return
        }
        cancelSuspicion(of: dead.node)
        broadcast(.dead(dead), about: dead.node)
        bury(dead, delegate: &delegate)
    }

    /// Writes into the table that a node is gone, and tells the delegate.
    mutating func bury(_ dead: Dead, delegate: inout some MemberlistDelegate) {
        let now = now
        table.change(dead.node) { record in
            record.node.incarnation = dead.incarnation
            record.node.state = dead.from == dead.node ? .left : .dead
            record.node.changed = now
        }
        if let node = node(named: dead.node) { delegate.left(node, at: now) }
    }
}
