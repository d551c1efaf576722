// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// Forgetting who is gone for too long, and trying who may be back.
extension SerfLayer {
    /// Does what is due.
    mutating func tick() {
        if let due = nextReap, due <= now {
            nextReap = now + settings.reapInterval
            reap()
            askLeavers()
        }
        if let due = nextReconnect, due <= now {
            nextReconnect = now + settings.reconnectInterval
            reconnect()
        }
        endDueQueries()
    }

    /// When ``tick()`` is wanted next.
    var nextDeadline: Moment? {
        .earliest(of: nextReap, nextReconnect, asked.lazy.map(\.deadline).min())
    }

    private mutating func reap() {
        intents.drop(before: now + (.zero - settings.intentTimeout))
        var gone: [String] = []
        for record in members.records {
            let age = now.duration(since: record.member.since)
            switch record.member.status {
            case .failed where age > settings.reconnectTimeout: gone.append(record.member.name)
            case .left where age > settings.tombstoneTimeout && record.member.name != name:
                gone.append(record.member.name)
            case .alive, .leaving, .failed, .left: break
            }
        }
        for name in gone { forget(name) }
    }

    /// Tells those who do not go that they are said to leave, so that they can contradict.
    ///
    /// A false intent that has reached us, but by bad luck not the one that it is about, would stand
    /// for ever: push/pull brings everybody its time, and so nobody is told it again. (Serf 0.9 and
    /// 0.10 leave it so.)
    private mutating func askLeavers() {
        let patience = settings.broadcastTimeout * 2 + settings.leaveDelay
        for record in members.records
        where record.member.status == .leaving && record.member.name != name
            && now.duration(since: record.member.since) > patience
        {
            let intent = LeaveIntent(
                time: record.member.statusTime, node: record.member.name,
                prune: record.isToBePruned)
            errands.append(
                .send(SerfMessage.leave(intent).encoded(), to: record.member.endpoint))
        }
    }

    /// Tries one failed member, with a chance that grows with their share: the more have failed, the
    /// likelier it is that it was the network.
    private mutating func reconnect() {
        let failed = members.names(of: .failed)
        guard !failed.isEmpty else { return }
        let gone = failed.count + members.count(of: .left)
        let alive = max(1, members.count - gone)
        let draw = Double.random(in: 0..<1, using: &random)
        guard draw < Double(failed.count) / Double(alive) else { return }
        guard let name = failed.randomElement(using: &random), let record = members[name] else {
            return
        }
        observe(.reconnecting(node: name))
        errands.append(.exchange(with: record.member.endpoint))
    }
}

extension Moment {
    /// The first of some moments; `nil` if there is none.
    static func earliest(of first: Moment?, _ second: Moment?, _ third: Moment?) -> Moment? {
        var earliest = first
        if let second { earliest = min(earliest ?? second, second) }
        if let third { earliest = min(earliest ?? third, third) }
        return earliest
    }
}
