// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// What members say of themselves, and operators of others. Newer overrides older, by the member
/// clock; so the order in which gossip brings intents does not matter.
extension SerfLayer {
    /// Takes in that a node joined.
    ///
    /// - Parameter isHearsay: Whether it is made of a status time in a peer's state: agents send those
    ///   of members that leave as well.
    /// - Returns: Whether it was news, which others may not know.
    mutating func hear(_ intent: JoinIntent, isHearsay: Bool = false) -> Bool {
        memberClock.witness(intent.time)
        let moment = now
        // Whoever says that we are here has not heard yet that we leave.
        let isOver = intent.node == name && phase != .running
        let known = members.change(intent.node) { record in
            guard intent.time > record.member.statusTime else { return false }
            record.member.statusTime = intent.time
            record.isTimeHearsay = isHearsay
            if record.member.status == .leaving, !isOver {
                record.become(.alive, at: moment)
                record.isToBePruned = false
            }
            return true
        }
        return known ?? keep(intent.time, about: intent.node, isLeave: false)
    }

    /// Takes in that a node leaves, or is to be counted as left.
    ///
    /// - Returns: Whether it was news, which others may not know.
    mutating func hear(_ intent: LeaveIntent) -> Bool {
        memberClock.witness(intent.time)
        guard let record = members[intent.node] else {
            return keep(intent.time, about: intent.node, isLeave: true)
        }
        if intent.node == name, phase == .running {
            // Somebody believes that we leave: an old life of ours did, or an operator is mistaken.
            // Of one time too: clocks agree by chance, and then only we can decide it.
            guard intent.time >= record.member.statusTime else { return false }
            announceJoin()
            observe(.leaveRefuted)
            return false
        }
        let isWhatWasMeant = record.isTimeHearsay && intent.time == record.member.statusTime
        guard intent.time > record.member.statusTime || isWhatWasMeant else { return false }
        apply(intent, to: record.member.status)
        return true
    }

    private mutating func apply(_ intent: LeaveIntent, to status: MemberStatus) {
        let (moment, own) = (now, name)
        _ = members.change(intent.node) { record in
            record.member.statusTime = intent.time
            record.isTimeHearsay = false
            // A living member may contradict, so it is forgotten only once it is gone. Agents forget
            // it after a while in any case, and then no longer know a member that runs.
            if intent.prune, intent.node != own { record.isToBePruned = true }
            if status == .alive { record.become(.leaving, at: moment) }
        }
        switch status {
        case .alive, .leaving: break
        case .failed: end(intent.node, as: .left)
        case .left: if intent.prune, intent.node != name { forget(intent.node) }
        }
    }

    private mutating func keep(
        _ time: LamportTime, about node: String, isLeave: Bool
    ) -> Bool {
        // No node of such a name will ever be let in.
        guard node.utf8.count <= SwimNode.nameBytesMax else {
            observe(.intentDropped(node: node))
            return false
        }
        let intent = IntentBuffer.Intent(time: time, isLeave: isLeave, arrived: now)
        switch intents.keep(intent, about: node) {
        case .isNew: return true
        case .isOld: return false
        case .isTooMuch:
            observe(.intentDropped(node: node))
            return false
        }
    }

    /// Says that we are a member, and stay one.
    mutating func announceJoin() {
        let intent = JoinIntent(time: memberClock.stamp(), node: name)
        _ = hear(intent)
        gossip(SerfMessage.join(intent).encoded(), through: .intents)
    }

    /// Says that a member leaves: ourselves, or one that has failed.
    ///
    /// - Returns: The number of the message in the queue of intents.
    mutating func announceLeave(of node: String, prune: Bool) -> BroadcastID {
        let intent = LeaveIntent(time: memberClock.stamp(), node: node, prune: prune)
        _ = hear(intent)
        return gossip(
            SerfMessage.leave(intent).encoded(), through: .intents, isTracked: true)
    }
}
