// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

extension Memberlist {
    /// Another one suspects a suspect.
    ///
    /// Only what shortens the wait is passed on.
    mutating func confirm(_ suspect: Suspect, into effects: inout [SwimEffect]) {
        guard var suspicion = table[suspect.node]?.suspicion,
            suspicion.confirm(from: suspect.from)
        else { return }
        timers.cancel(suspicion.timer)
        // If that moment has passed already, the next tick comes at once.
        suspicion.timer = timers.set(
            .suspicionEnd(suspect.node), at: max(now, suspicion.deadline))
        table.change(suspect.node) { $0.suspicion = suspicion }
        broadcast(.suspect(suspect), about: suspect.node)
        effects.append(.observe(.suspicionConfirmed(node: suspect.node, from: suspect.from)))
    }

    mutating func cancelSuspicion(of node: String) {
        guard let suspicion = table[node]?.suspicion else { return }
        timers.cancel(suspicion.timer)
        table.change(node) { $0.suspicion = nil }
    }

    /// Nobody has refuted it in time.
    mutating func suspicionHasEnded(
        of node: String, delegate: inout some MemberlistDelegate,
        into effects: inout [SwimEffect]
    ) {
        guard let record = table[node], record.suspicion != nil else { return }
        let dead = Dead(incarnation: record.node.incarnation, node: node, from: name)
        apply(dead: dead, delegate: &delegate, into: &effects)
    }
}
