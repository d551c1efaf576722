// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// What the memberlist finds out of nodes, as it changes the members' status:
///
///     unknown ──join──▶ alive ◀──join intent── leaving ──gone──▶ left ───┐
///                         │ └────leave intent────▶             ▲         ├─time─▶ reaped
///                         └──gone──▶ failed ────leave intent───┘ ────────┘
extension SerfLayer {
    mutating func joined(_ node: SwimNode, at now: Moment) {
        self.now = max(self.now, now)
        let (moment, tags) = (self.now, Self.tags(of: node.meta))
        let known = members.change(node.name) { record in
            record.refresh(node, tags: tags)
            record.become(.alive, at: moment)
            return record.member
        }
        if let known {
            tell(.joined([known]))
            return
        }
        var record = MemberRecord(node, tags: tags, at: moment)
        if let intent = intents.take(about: node.name) {
            record.member.statusTime = intent.time
            if intent.isLeave { record.member.status = .leaving }
        }
        members[node.name] = record
        tell(.joined([record.member]))
    }

    mutating func updated(_ node: SwimNode, at now: Moment) {
        self.now = max(self.now, now)
        let tags = Self.tags(of: node.meta)
        let member = members.change(node.name) { record in
            record.refresh(node, tags: tags)
            return record.member
        }
        if let member { tell(.updated([member])) }
    }

    mutating func left(_ node: SwimNode, at now: Moment) {
        self.now = max(self.now, now)
        // Whether it left or failed is said by intents alone: a node that was forced to leave dies by
        // another's word, and one that leaves may be declared dead by a third before it says so itself.
        switch members[node.name]?.member.status {
        case .leaving: end(node.name, as: .left)
        case .alive: end(node.name, as: .failed)
        case .left, .failed, nil: break
        }
    }

    /// A member is gone for now.
    mutating func end(_ name: String, as status: MemberStatus) {
        let moment = now
        let changed = members.change(name) { record in
            record.become(status, at: moment)
            return (record.member, record.isToBePruned)
        }
        guard let (member, isToBePruned) = changed else { return }
        tell(status == .left ? .left([member]) : .failed([member]))
        if isToBePruned { forget(name) }
    }

    /// A member is gone for good.
    mutating func forget(_ name: String) {
        guard let record = members[name] else { return }
        members[name] = nil
        tell(.reaped([record.member]))
    }

    /// The tags of a node; none if they cannot be read.
    static func tags(of meta: [UInt8]) -> [String: String] {
        do {
            return try Tags.decode(meta)
        } catch {
            // The node is what matters; what it says of itself is its own affair.
            return [:]
        }
    }
}
