// SPDX-License-Identifier: Apache-2.0

/// Who is in the cluster: a pure function of what gossip told.
///
/// Gossip says who is there and how they do, and nothing else may be concluded from it: who votes
/// and who leads is decided elsewhere.
public struct ServerDirectory: Sendable, Equatable {
    /// The members, by name.
    public private(set) var members: [ClusterMember] = []

    /// Nobody.
    public init() {}

    /// The members that are servers of Cordwood, by name.
    public var servers: [ClusterMember] { members.filter(\.isServer) }

    /// The member of a name.
    public func member(_ name: String) -> ClusterMember? {
        let place = position(of: name)
        return place < members.count && members[place].name == name ? members[place] : nil
    }

    /// Takes note of an event.
    ///
    /// A member's status counts from the event that changed it: one that is told again keeps its
    /// time.
    ///
    /// - Returns: The event as it is true now, or `nil` where nothing is other than it was.
    @discardableResult
    public mutating func apply(_ event: MemberEvent) -> MemberEvent? {
        var member = event.member
        let place = position(of: member.name)
        let known = place < members.count && members[place].name == member.name
        if case .removed = event {
            return known ? .removed(members.remove(at: place)) : nil
        }
        member.status = event.status ?? member.status
        guard known else {
            members.insert(member, at: place)
            checkInvariants()
            return MemberEvent(member, isNew: true)
        }
        let before = members[place]
        if before.status == member.status { member.since = before.since }
        guard before != member else { return nil }
        members[place] = member
        checkInvariants()
        return MemberEvent(member, isNew: before.status != .alive)
    }

    /// Takes note of all members at once: where events may have been missed.
    ///
    /// - Returns: What is other than it was: those that are gone first, then by name.
    public mutating func replace(with current: [ClusterMember]) -> [MemberEvent] {
        let names = current.map(\.name).sorted()
        let gone = members.filter { member in !Self.contains(names, member.name) }
        var events = gone.compactMap { apply(.removed($0)) }
        for member in current.sorted(by: { $0.name < $1.name }) {
            if let event = apply(MemberEvent(member, isNew: true)) { events.append(event) }
        }
        return events
    }

    /// Where a name stands, or would.
    private func position(of name: String) -> Int {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func contains(_ sorted: [String], _ name: String) -> Bool {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < name { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == name
    }

    /// Checks what must hold after each event.
    public func checkInvariants() {
        assert(
            zip(members, members.dropFirst()).allSatisfy { $0.name < $1.name },
            "members are sorted and their names differ")
    }
}

extension MemberEvent {
    /// The status that an event gives; `nil` for one that gives none.
    fileprivate var status: ClusterMember.Status? {
        switch self {
        case .joined: .alive
        case .leaving: .leaving
        case .left: .left
        case .failed: .failed
        case .updated, .removed: nil
        }
    }
}
