// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import DequeModule
public import Disk
internal import RaftCore
public import Records

/// All replicas of a node that share a store: their clock, their journal, and their way to other nodes.
///
/// ```
///             ┌────────────── ReplicaNode ──────────────┐
///  tick ─────▶│ awake replicas     journal of all groups │──▶ one message a peer node and turn
///  messages ─▶│ peer nodes: heard?                       │──▶ outputs of the replicas
///             └──────────────────────────────────────────┘
/// ```
///
/// What the replicas say to one node goes out together at the end of a turn (``endTurn(into:)``), so a
/// thousand heartbeats are one message. Quiet groups cost nothing; instead the nodes listen to each
/// other, and when one is silent for too long the groups that it concerns are told, a few with each
/// tick, so that a lost node does not begin a thousand elections at once.
///
/// It has one owner. Every call may add outputs; the owner performs them in order, ends the turn, and
/// performs what that adds.
public final class ReplicaNode {
    /// Who the node is, and how it watches others.
    public struct Settings: Sendable {
        /// The node's number, unique in the cluster.
        public var node: UInt64
        /// The cluster; messages of another one are dropped.
        public var cluster: UInt64
        /// Grows with each start of the node.
        public var incarnation: UInt64
        /// Ticks without anything to say after which a node says that it is there.
        public var beatTicks = 2
        /// Ticks of silence after which a node is taken for lost.
        public var lossTicks = 12
        /// Groups that are told of a lost node with each tick, at most.
        public var wakesPerTick = 25
        /// Messages of one peer that are taken in one ``NodeMessage``, at most.
        public var messagesMax = 100_000

        /// A node of a cluster.
        public init(node: UInt64, cluster: UInt64, incarnation: UInt64) {
            self.node = node
            self.cluster = cluster
            self.incarnation = incarnation
        }
    }

    /// What the node is set to.
    public let settings: Settings
    /// The terms and votes of all groups.
    public let journal: HardStateJournal
    private var replicas: [GroupID: Member] = [:]
    /// Those whose clocks run, in the order in which they woke.
    private var awake: [GroupID] = []
    /// Sorted by node.
    private var peers: [PeerNode] = []
    /// Groups that are to be told that a node is lost.
    private var losses: Deque<(group: GroupID, node: UInt64)> = []
    /// Saves that are in the journal and not on the disk.
    private var unsaved: [(group: GroupID, version: UInt64)] = []
    /// Those of them that the sync under way covers.
    private var beingSaved: [(group: GroupID, version: UInt64)] = []
    /// Saves that this turn has asked for.
    private var asked: [(record: HardStateRecord, version: UInt64)] = []
    /// They have found no room, and try again with the next tick.
    private var journalIsFull = false
    /// All replicas have been told that the journal has failed.
    private var journalHasFailed = false
    /// Messages to nodes that share no group with this one any more.
    private var strangers: [PeerMessage] = []
    private var scratch: [ReplicaOutput] = []

    private struct Member {
        let replica: Replica
        var isAwake: Bool
        /// The other nodes that have a replica of the group.
        var nodes: [UInt64]
    }

    /// What the owner has to do.
    public enum Output: Sendable {
        /// Something of a replica; never a message or a save, which the node takes care of.
        case replica(GroupID, ReplicaOutput)
        /// Give another node this.
        case send(NodeMessage)
        /// The journal has something to sync (``beginSync()``).
        case journalIsDirty
        /// The journal has failed, and all replicas with it.
        case journalFailed(FileError)
    }

    /// A node without replicas.
    public init(_ settings: Settings, journal: HardStateJournal) {
        self.settings = settings
        self.journal = journal
    }

    // MARK: Replicas

    /// Takes over a replica.
    public func add(_ replica: Replica) {
        precondition(replicas[replica.group] == nil, "a group has one replica on a node")
        replicas[replica.group] = Member(replica: replica, isAwake: true, nodes: [])
        awake.append(replica.group)
        noteMembers(replica.raft.configuration, of: replica.group)
    }

    /// Gives a replica up; the journal forgets it if the group is gone for good.
    ///
    /// - Returns: The replica, if there was one.
    @discardableResult
    public func remove(
        _ group: GroupID, forgetting: Bool, into outputs: inout [Output]
    ) -> Replica? {
        guard let member = replicas.removeValue(forKey: group) else { return nil }
        for node in member.nodes { release(node) }
        awake.removeAll { $0 == group }
        unsaved.removeAll { $0.group == group }
        beingSaved.removeAll { $0.group == group }
        asked.removeAll { $0.record.group == group }
        if forgetting {
            ask(
                HardStateRecord(
                    group: group, life: member.replica.id.life, state: HardState(),
                    isForgotten: true))
        }
        return member.replica
    }

    /// A replica.
    public func replica(of group: GroupID) -> Replica? { replicas[group]?.replica }

    /// How many replicas have clocks that run.
    public var awakeCount: Int { awake.count }

    /// How many replicas there are.
    public var count: Int { replicas.count }

    /// Whether time has to be told at all: somebody is awake, or other nodes are to be listened to.
    public var needsTicks: Bool {
        !awake.isEmpty || !peers.isEmpty || !losses.isEmpty || journalIsFull
    }

    /// Calls a replica, and takes care of what it wants.
    public func call<Value>(
        _ group: GroupID, into outputs: inout [Output],
        _ body: (Replica, inout [ReplicaOutput]) -> Value
    ) -> Value? {
        guard let replica = replicas[group]?.replica else { return nil }
        var wanted: [ReplicaOutput] = []
        swap(&wanted, &scratch)
        let value = body(replica, &wanted)
        for output in wanted { take(output, of: group, into: &outputs) }
        wanted.removeAll(keepingCapacity: true)
        swap(&wanted, &scratch)
        wakeIfAwake(group)
        return value
    }

    private func take(_ output: ReplicaOutput, of group: GroupID, into outputs: inout [Output]) {
        switch output {
        case .send(let message): send(message)
        case .saveHardState(let state, let version):
            guard let replica = replicas[group]?.replica else { return }
            let record = HardStateRecord(
                group: group, life: replica.id.life, state: state, commit: safeCommit(of: replica))
            ask(record, version: version)
        case .membersChanged(let configuration):
            noteMembers(configuration, of: group)
            outputs.append(.replica(group, output))
        default: outputs.append(.replica(group, output))
        }
    }

    /// What is committed and on this disk, so that recovery may rely on it.
    private func safeCommit(of replica: Replica) -> LogIndex {
        min(replica.raft.commit, replica.raft.durableIndex)
    }

    private func wakeIfAwake(_ group: GroupID) {
        guard let member = replicas[group], !member.isAwake, !member.replica.isQuiet else { return }
        replicas[group]?.isAwake = true
        awake.append(group)
    }

    // MARK: Time and messages

    /// Time has passed: one tick for all whose clocks run.
    public func tick(now: Timestamp, into outputs: inout [Output]) {
        journalIsFull = false
        watchPeers(now: now, into: &outputs)
        tellLosses(now: now, into: &outputs)
        var quiet = false
        for group in awake {
            _ = call(group, into: &outputs) { $0.tick(now: now, into: &$1) }
            if replicas[group]?.replica.isQuiet == true {
                replicas[group]?.isAwake = false
                quiet = true
            }
        }
        if quiet { awake.removeAll { replicas[$0]?.isAwake != true } }
    }

    /// Another node says something.
    ///
    /// Messages that make no sense, or that are for others, are dropped.
    public func receive(_ message: NodeMessage, now: Timestamp, into outputs: inout [Output]) {
        guard message.to == settings.node, message.cluster == settings.cluster else { return }
        if let number = peerNumber(message.from) {
            // What a former life of the node has sent may still be on its way.
            guard message.incarnation >= peers[number].incarnation else { return }
            peers[number].incarnation = message.incarnation
            peers[number].silentTicks = 0
            peers[number].isLost = false
        }
        for message in message.messages.prefix(settings.messagesMax) {
            _ = call(message.group, into: &outputs) { replica, wanted in
                do throws(PeerMessageError) {
                    try replica.receive(message, now: now, into: &wanted)
                } catch {
                    // A peer that sends nonsense gets no answer, as if the message had been lost.
                }
            }
        }
    }

    /// Sends each node what there is for it, and writes what is to be saved.
    public func endTurn(into outputs: inout [Output]) {
        if !asked.isEmpty, !journalIsFull { writeAsked(into: &outputs) }
        for number in peers.indices
        where !peers[number].outbox.isEmpty || peers[number].idleTicks >= settings.beatTicks {
            flush(number, into: &outputs)
        }
        for message in strangers {
            outputs.append(.send(envelope([message], to: message.message.to.node)))
        }
        strangers.removeAll(keepingCapacity: true)
    }

    private func envelope(_ messages: [PeerMessage], to node: UInt64) -> NodeMessage {
        NodeMessage(
            from: settings.node, incarnation: settings.incarnation, to: node,
            cluster: settings.cluster, messages: messages)
    }

    private func flush(_ number: Int, into outputs: inout [Output]) {
        let messages = peers[number].outbox
        peers[number].outbox = []
        peers[number].idleTicks = 0
        outputs.append(.send(envelope(messages, to: peers[number].node)))
    }

    // MARK: The journal

    /// Writes what is to be saved; if there is no room, with the next tick: whoever waits for it goes on
    /// waiting, and says nothing that others could rely on.
    private func writeAsked(into outputs: inout [Output]) {
        do throws(FileError) {
            try journal.append(asked.map(\.record))
        } catch {
            guard journal.failure == nil else { return failAll(error, into: &outputs) }
            journalIsFull = true
            for (record, _) in asked {
                outputs.append(.replica(record.group, .diskFull(.diskFull(error))))
            }
            return
        }
        for (record, version) in asked where !record.isForgotten {
            unsaved.append((record.group, version))
        }
        asked.removeAll(keepingCapacity: true)
        outputs.append(.journalIsDirty)
    }

    private func ask(_ record: HardStateRecord, version: UInt64 = 0) {
        // The later one says all that the earlier one says; so what waits for room is bounded.
        if journalIsFull { asked.removeAll { $0.record.group == record.group } }
        asked.append((record, version))
    }

    /// Begins to make the journal durable; `nil` if it is, or if a sync is running.
    public func beginSync() -> HardStateTicket? {
        guard let ticket = journal.beginSync() else { return nil }
        beingSaved = unsaved
        unsaved = []
        return ticket
    }

    /// Takes note of how the journal's sync went, and tells those who waited for it.
    public func endSync(
        _ ticket: HardStateTicket, _ result: Result<Void, FileError>, now: Timestamp,
        into outputs: inout [Output]
    ) {
        journal.endSync(ticket, result)
        if let failure = journal.failure { return failAll(failure, into: &outputs) }
        let saved = beingSaved
        beingSaved = []
        for (group, version) in saved {
            _ = call(group, into: &outputs) {
                $0.hardStateSaved(version: version, now: now, into: &$1)
            }
        }
    }

    /// Without a journal nobody may promise anything.
    private func failAll(_ error: FileError, into outputs: inout [Output]) {
        asked = []
        guard !journalHasFailed else { return }
        journalHasFailed = true
        outputs.append(.journalFailed(error))
        for group in replicas.keys.sorted() {
            _ = call(group, into: &outputs) { $0.hardStateFailed(now: .none, into: &$1) }
        }
    }

    // MARK: Other nodes

    private func watchPeers(now: Timestamp, into outputs: inout [Output]) {
        for number in peers.indices {
            peers[number].silentTicks += 1
            peers[number].idleTicks += 1
            guard !peers[number].isLost, peers[number].silentTicks >= settings.lossTicks else {
                continue
            }
            peers[number].isLost = true
            noteLoss(of: peers[number].node)
        }
    }

    /// A connection to a node has ended: its groups are told without waiting for its silence.
    public func peerIsGone(_ node: UInt64) {
        guard let number = peerNumber(node), !peers[number].isLost else { return }
        peers[number].isLost = true
        noteLoss(of: node)
    }

    /// Puts the groups that a node concerns in the row, those that it leads first, the eager before the
    /// reluctant.
    private func noteLoss(of node: UInt64) {
        let groups = replicas.keys.sorted().filter { replicas[$0]?.nodes.contains(node) == true }
        let ranked = groups.map { group -> (rank: Int, group: GroupID) in
            guard let raft = replicas[group]?.replica.raft else { return (9, group) }
            return (raft.leader?.node == node ? raft.settings.reluctance : 8, group)
        }
        for (_, group) in ranked.sorted(by: { ($0.rank, $0.group) < ($1.rank, $1.group) }) {
            losses.append((group, node))
        }
    }

    private func tellLosses(now: Timestamp, into outputs: inout [Output]) {
        for _ in 0..<settings.wakesPerTick {
            guard let (group, node) = losses.popFirst() else { return }
            // Who came back meanwhile is not lost.
            guard let number = peerNumber(node), peers[number].isLost else { continue }
            _ = call(group, into: &outputs) {
                $0.perform(.nodeLost(node), now: now, into: &$1)
            }
        }
    }

    private func noteMembers(_ configuration: Configuration, of group: GroupID) {
        guard let member = replicas[group] else { return }
        var nodes: [UInt64] = []
        for id in configuration.members where id.node != settings.node && nodes.last != id.node {
            nodes.append(id.node)
        }
        for node in nodes where !member.nodes.contains(node) { retain(node) }
        for node in member.nodes where !nodes.contains(node) { release(node) }
        replicas[group]?.nodes = nodes
    }

    private func retain(_ node: UInt64) {
        if let number = peerNumber(node) {
            peers[number].groupCount += 1
            return
        }
        var peer = PeerNode(node)
        peer.groupCount = 1
        peers.insert(peer, at: peers.firstIndex { $0.node > node } ?? peers.count)
    }

    private func release(_ node: UInt64) {
        guard let number = peerNumber(node) else { return }
        peers[number].groupCount -= 1
        if peers[number].groupCount == 0 {
            strangers += peers[number].outbox
            peers.remove(at: number)
        }
    }

    private func peerNumber(_ node: UInt64) -> Int? { peers.firstIndex { $0.node == node } }

    private func send(_ message: PeerMessage) {
        let node = message.message.to.node
        if let number = peerNumber(node) {
            peers[number].outbox.append(message)
            return
        }
        // Somebody who is no member, or not any more, still gets an answer.
        strangers.append(message)
    }
}
