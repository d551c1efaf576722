// SPDX-License-Identifier: Apache-2.0

public import SwimCore

extension Serf {
    // MARK: What callers may know

    /// How many messages wait to be gossiped.
    public struct QueueDepths: Sendable, Equatable {
        /// The memberlist's: who is alive, suspect, dead.
        public var swim: Int
        /// Who joined and who leaves.
        public var intents: Int
        /// Queries.
        public var queries: Int
        /// User events.
        public var events: Int
    }

    /// When ``Input/tick`` is wanted next; `nil` before the start and after the end.
    ///
    /// It may come earlier than there is anything to do.
    public var nextDeadline: Moment? {
        guard layer.phase == .running || layer.phase == .leaving else { return nil }
        let ofBoth = Moment.earliest(of: memberlist.nextDeadline, layer.nextDeadline, nil)
        return .earliest(of: ofBoth, underWay.nextDeadline, leaving?.deadline)
    }

    /// Where the node's life stands.
    public var phase: Phase { layer.phase }

    /// What the node is set to.
    public var settings: SerfSettings { layer.settings }

    /// All members that are known, this node included, sorted by name.
    ///
    /// Costs a sort.
    public var members: [Member] {
        layer.members.records.map(\.member).sorted { $0.name < $1.name }
    }

    /// A member by its name.
    public func member(named name: String) -> Member? { layer.members[name]?.member }

    /// How many members have a status.
    public func memberCount(of status: MemberStatus) -> Int { layer.members.count(of: status) }

    /// This node.
    ///
    /// Before the start as it will be.
    public var localMember: Member {
        if let record = layer.members[layer.name] { return record.member }
        let node = memberlist.localNode
        return MemberRecord(node, tags: SerfLayer.tags(of: node.meta), at: layer.now).member
    }

    /// The keys that packets are to be encrypted with; `nil`: they are plain.
    public var keyring: Keyring? { layer.keyring }

    /// This node's place among the others.
    public var coordinate: Coordinate { layer.vivaldi.coordinate }

    /// Where a member was when it was heard of last; `nil` if nothing is known.
    public func coordinate(of name: String) -> Coordinate? {
        name == layer.name ? layer.vivaldi.coordinate : layer.members[name]?.coordinate
    }

    /// How slow this node is itself, by Lifeguard's measure: 0 is well.
    public var health: Int { memberlist.healthScore }

    /// What came and went, in numbers.
    public var counters: SwimCounters { memberlist.counters }

    /// How many messages wait to be gossiped.
    public var queueDepths: QueueDepths {
        QueueDepths(
            swim: memberlist.queuedBroadcasts, intents: layer.intentQueue.count,
            queries: layer.queryQueue.count, events: layer.eventQueue.count)
    }

    /// What the memberlist knows of each node, sorted by name: for whoever checks one against the
    /// other.
    public var swimNodes: [SwimNode] { memberlist.nodes }
}
