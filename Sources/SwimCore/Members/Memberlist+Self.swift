// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// What we say about ourselves.
extension Memberlist {
    /// Says something new about ourselves, such as other tags; not after we have left.
    ///
    /// - Returns: The broadcast to look for in ``takeFinishedBroadcasts()``.
    @discardableResult
    public mutating func update(
        meta: [UInt8], at now: Moment, delegate: inout some MemberlistDelegate
    ) -> BroadcastID {
        precondition(!isLeaving, "\(name) has left and says nothing new about itself")
        precondition(meta.count <= SwimNode.metaBytesMax, "\(meta.count) bytes of meta")
        advance(to: now)
        let previous = localNode
        table.change(name) { record in
            record.node.meta = meta
            record.node.incarnation = record.node.incarnation.nextOrLast
        }
        let id = broadcast(.alive(localNode.alive), about: name, isTracked: true)
        if previous.meta != meta { delegate.updated(localNode, at: self.now) }
        return id
    }

    /// Says that we leave.
    ///
    /// We answer and gossip as before, for others have to hear of it.
    ///
    /// A second call says it once more.
    ///
    /// - Returns: The broadcast to look for in ``takeFinishedBroadcasts()``.
    @discardableResult
    public mutating func leave(
        at now: Moment, delegate: inout some MemberlistDelegate
    ) -> BroadcastID {
        advance(to: now)
        let dead = Dead(incarnation: localNode.incarnation, node: name, from: name)
        let id = broadcast(.dead(dead), about: name, isTracked: true)
        guard !isLeaving else { return id }
        isLeaving = true
        bury(dead, delegate: &delegate)
        return id
    }

    /// Somebody has said that we are alive: an echo, or the word of an earlier life of ours.
    mutating func hear(ownAlive alive: Alive, into effects: inout [SwimEffect]) {
        let own = localNode
        guard alive.incarnation >= own.incarnation else { return }
        if alive.incarnation == own.incarnation, alive.meta == own.meta,
            alive.versions == own.versions
        {
            return
        }
        refute(accused: alive.incarnation, into: &effects)
    }

    /// Says that we are alive, louder than whoever said otherwise.
    ///
    /// To be suspected is a sign that we are slow, so the health score gets worse (Lifeguard IV-A).
    mutating func refute(accused: UInt32, into effects: inout [SwimEffect]) {
        let next = max(localNode.incarnation.nextOrLast, accused.nextOrLast)
        table.change(name) { $0.node.incarnation = next }
        broadcast(.alive(localNode.alive), about: name)
        effects.append(.observe(.refuted(incarnation: next)))
        changeHealth(by: 1, into: &effects)
    }

    mutating func changeHealth(by delta: Int, into effects: inout [SwimEffect]) {
        let score = min(max(healthScore + delta, 0), settings.awarenessMax - 1)
        guard score != healthScore else { return }
        healthScore = score
        effects.append(.observe(.healthChanged(score)))
    }
}

extension UInt32 {
    /// The next number.
    ///
    /// The last one stays: who forges that incarnation can be outlived, but not outdone.
    fileprivate var nextOrLast: UInt32 { self == .max ? .max : self + 1 }
}
