// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

/// What a core must do in time, and must not do out of turn: watched from outside, by its own ticks.
///
/// Safety holds without any of this; a group that is slow, restless or deaf without reason does not
/// show in any log.
struct CoreManners {
    private struct Peer {
        var id: ReplicaID
        var heardAt: Int
        var match = LogIndex.zero
    }

    private(set) var ticks = 0
    private var peers: [Peer] = []
    private var term = Term.zero
    private var role = RoleReport.Role.follower
    private var isQuiet = false
    private var configuration = Configuration(voters: [])
    /// When the leader of the term was last heard.
    private var leaderHeardAt: Int?
    /// How far this term's leader has vouched for the log, in the messages that this process got.
    private var vouched = LogIndex.zero
    private var commit = LogIndex.zero
    /// When the disk was last seen idle, or finishing something.
    private var diskMovedAt = 0

    init() {}

    /// Of a core that has just come up.
    init(_ raft: Raft) {
        commit = raft.commit
        term = raft.term
        configuration = raft.configuration
    }

    mutating func tick() { ticks += 1 }

    mutating func diskHasMoved() { diskMovedAt = ticks }

    mutating func hear(_ id: ReplicaID) {
        if let place = peers.firstIndex(where: { $0.id == id }) {
            peers[place].heardAt = ticks
        } else {
            peers.append(Peer(id: id, heardAt: ticks))
        }
    }

    /// Looks at a core after it was given an input.
    mutating func check(
        _ raft: Raft, after input: Input, diskIsIdle: Bool
    ) throws(Violation) {
        if diskIsIdle { diskMovedAt = ticks }
        if raft.role == .leader, role != .leader || raft.term != term || isQuiet {
            // Whoever begins to lead, or wakes, has time to hear the others.
            diskMovedAt = ticks
            for place in peers.indices {
                peers[place].heardAt = ticks
                peers[place].match = .zero
            }
        }
        if raft.configuration != configuration {
            // Others count than before, who may not have been heard lately.
            configuration = raft.configuration
            for place in peers.indices { peers[place].heardAt = ticks }
        }
        try checkPatience(raft, after: input)
        try checkVouched(raft, after: input)
        if raft.role == .leader { try checkLeader(raft, after: input) }
        if raft.isQuiet, !isQuiet { try checkQuiet(raft, after: input) }
        if raft.term != term { leaderHeardAt = nil }
        if case .message(let message) = input, message.to == raft.id, message.term == raft.term,
            raft.role == .follower, raft.leader == message.from, message.isFromLeader
        {
            leaderHeardAt = ticks
        }
        switch input {
        case .nodeLost, .campaign, .wake: leaderHeardAt = nil
        default: break
        }
        term = raft.term
        role = raft.role
        isQuiet = raft.isQuiet
    }

    /// Nobody campaigns who has just heard the leader.
    private func checkPatience(_ raft: Raft, after input: Input) throws(Violation) {
        guard case .tick = input, role == .follower, raft.role != .follower,
            let heard = leaderHeardAt
        else { return }
        guard ticks - heard >= raft.settings.electionTicks else {
            throw Violation(
                "\(raft.id) campaigns \(ticks - heard) ticks after it has heard the leader")
        }
    }

    /// A follower commits nothing that the leader has not vouched for.
    private mutating func checkVouched(
        _ raft: Raft, after input: Input
    ) throws(Violation) {
        if raft.term != term { vouched = .zero }
        if case .message(let message) = input, message.to == raft.id, message.term == raft.term {
            switch message.body {
            case .append(let append): vouched = max(vouched, append.lastIndex)
            // The leader names nothing here that this replica has not acknowledged.
            case .heartbeat(let heartbeat): vouched = max(vouched, heartbeat.commit)
            case .snapshot(let snapshot): vouched = max(vouched, snapshot.lastIndex)
            default: break
            }
        }
        // An install may be over in a later term than it began in.
        if case .snapshotInstalled(let snapshot) = input {
            vouched = max(vouched, snapshot.lastIndex)
        }
        defer { commit = raft.commit }
        guard raft.role != .leader, raft.commit > commit else { return }
        guard raft.commit <= vouched || role == .leader else {
            throw Violation(
                "\(raft.id) commits \(raft.commit), and the leader has vouched for \(vouched)")
        }
    }

    /// A follower acknowledges nothing that the leader has not vouched for.
    func checkAcknowledged(_ match: LogIndex, by raft: Raft) throws(Violation) {
        guard match <= max(vouched, raft.commit) else {
            throw Violation(
                "\(raft.id) acknowledges \(match), and the leader has vouched for \(vouched)")
        }
    }

    private mutating func checkLeader(_ raft: Raft, after input: Input) throws(Violation) {
        let followers = raft.followers
        // Who has left, and comes again, is known as little as one that is new.
        for place in peers.indices where !followers.contains(where: { $0.id == peers[place].id }) {
            peers[place].match = .zero
            peers[place].heardAt = ticks
        }
        for follower in followers {
            guard let place = peers.firstIndex(where: { $0.id == follower.id }) else { continue }
            guard follower.match >= peers[place].match else {
                throw Violation(
                    "the leader takes back that \(follower.id) has \(peers[place].match)")
            }
            peers[place].match = follower.match
        }
        guard case .tick = input, !raft.isQuiet else { return }
        let limit = 2 * raft.settings.electionTicks + 1
        let isAlone = configuration.voters == [raft.id] && !configuration.isJoint
        guard isAlone || ticks - diskMovedAt <= limit else {
            throw Violation("\(raft.id) leads, and its disk has done nothing for \(limit) ticks")
        }
        for voters in [configuration.voters, configuration.outgoing] where !voters.isEmpty {
            let heard = voters.count { voter in
                // Who has never been heard was just added.
                guard let peer = peers.first(where: { $0.id == voter }) else { return true }
                return voter == raft.id || ticks - peer.heardAt <= limit
            }
            guard heard > voters.count / 2 else {
                throw Violation(
                    "\(raft.id) leads, and has heard no majority for \(limit) ticks")
            }
        }
    }

    /// Whoever stops its clock has all that the leader has, committed.
    private func checkQuiet(_ raft: Raft, after input: Input) throws(Violation) {
        var index = raft.lastIndex
        if case .message(let message) = input, case .heartbeat(let heartbeat) = message.body {
            index = heartbeat.quietIndex
        }
        guard raft.lastIndex == index, raft.commit == index else {
            throw Violation(
                "\(raft.id) falls quiet at \(index), with \(raft.lastIndex) entries and "
                    + "\(raft.commit) committed")
        }
    }
}

extension Message {
    fileprivate var isFromLeader: Bool {
        switch body {
        case .append, .heartbeat, .snapshot: true
        default: false
        }
    }
}
