// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

extension Serf {
    /// Checks what must hold between any two inputs.
    ///
    /// Costs as much as all that is known.
    public func checkInvariants() {
        memberlist.checkInvariants()
        layer.checkInvariants()
        precondition((layer.phase == .leaving) == (leaving != nil), "leaving without a sequence")
        precondition(
            underWay.count <= layer.settings.openCountMax, "\(underWay.count) commands wait")
        for join in underWay.joins {
            precondition(!join.streams.isEmpty, "a join waits for nothing")
        }
        guard layer.phase != .new else { return }
        checkMembers()
    }

    /// Both tables tell the same of each node.
    private func checkMembers() {
        for node in memberlist.nodes {
            let status = layer.members[node.name]?.member.status
            switch node.state {
            case .alive, .suspect:
                precondition(
                    status == .alive || status == .leaving,
                    "\(node.name) is \(node.state) and counts as \(status?.description ?? "none")")
            case .dead, .left:
                precondition(
                    status == nil || status == .failed || status == .left,
                    "\(node.name) is \(node.state) and counts as \(status?.description ?? "none")")
            }
        }
        for record in layer.members.records where record.member.status == .alive {
            let state = memberlist.node(named: record.member.name)?.state
            precondition(
                state == .alive || state == .suspect,
                "\(record.member.name) counts as alive and is not")
        }
        if layer.phase == .running {
            precondition(localMember.status == .alive, "this node counts as \(localMember.status)")
        }
    }
}

extension SerfLayer {
    func checkInvariants() {
        members.checkInvariants()
        intents.checkInvariants()
        events.checkInvariants()
        seenQueries.checkInvariants()
        intentQueue.checkInvariants()
        queryQueue.checkInvariants()
        eventQueue.checkInvariants()
        precondition(
            effects.isEmpty && errands.isEmpty && changedKeyring == nil, "something was left undone"
        )
        precondition(!ignoresOldEvents, "old events are ignored outside of a join")
        precondition(asked.count <= settings.openCountMax, "\(asked.count) queries are open")
        precondition(vivaldi.coordinate.isValid, "\(vivaldi.coordinate) is no place")
        for record in members.records {
            precondition(
                intents.contains(record.member.name) == false,
                "an intent about \(record.member.name) waits for it to be known")
        }
        if let keyring { precondition(!keyring.keys.isEmpty, "a keyring without keys") }
    }
}
