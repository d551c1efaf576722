// SPDX-License-Identifier: Apache-2.0

import CommitLog
import RaftCore
import Records
import Replication
import SimulatedDisk

/// Nodes that share many groups, on disks and a network of memory.
final class Fleet {
    static let now = Timestamp(milliseconds: 1)

    let groups: [GroupID]
    let ids: [ReplicaID]
    let disks: [SimulatedFileSystem]
    private(set) var nodes: [ReplicaNode?]
    var settings = RaftSettings()
    var wakesPerTick = 25
    var network: [NodeMessage] = []
    /// What each node's owner was told beside messages.
    private(set) var outputs: [[(group: GroupID, output: ReplicaOutput)]]
    private(set) var journalFailures: [Int]
    /// The most messages to one node that one turn's end has sent.
    private(set) var messagesToOneNode = 0
    /// Messages of groups that were sent at all.
    private(set) var groupMessageCount = 0
    /// Where outputs go that nobody looks at.
    var ignored: [ReplicaNode.Output] = []
    private var starts: UInt64 = 0

    init(nodes count: Int, groups groupCount: Int) {
        groups = (0..<groupCount).map {
            GroupID(high: 8, low: UInt64($0 / 10), partition: UInt32($0))
        }
        ids = (1...count).map { ReplicaID(node: UInt64($0), life: 70 + UInt64($0)) }
        disks = (1...count).map { SimulatedFileSystem(seed: UInt64($0)) }
        nodes = Array(repeating: nil, count: count)
        outputs = Array(repeating: [], count: count)
        journalFailures = Array(repeating: 0, count: count)
    }

    func makeReplica(_ number: Int, _ group: GroupID, _ journal: HardStateJournal) throws -> Replica
    {
        let disk = disks[number]
        let directory = "/store/\(group.partition)"
        try disk.createDirectory(directory)
        try disk.syncDirectory("/store")
        try disk.syncDirectory("/")
        var replicaSettings = ReplicaSettings(
            id: ids[number], group: group, bootstrap: Configuration(voters: ids),
            log: LogSettings())
        replicaSettings.raft = settings
        return try Replica(
            replicaSettings, directory: directory, logGroup: UInt64(group.partition), on: disk,
            record: journal.record(of: group, life: ids[number].life), now: Self.now,
            seed: starts &* 1009 &+ UInt64(group.partition))
    }

    func start(_ number: Int) throws {
        starts += 1
        try disks[number].createDirectory("/store")
        try disks[number].syncDirectory("/")
        let journal = try HardStateJournal(directory: "/store", on: disks[number])
        var nodeSettings = ReplicaNode.Settings(
            node: ids[number].node, cluster: 5, incarnation: starts)
        nodeSettings.wakesPerTick = wakesPerTick
        let node = ReplicaNode(nodeSettings, journal: journal)
        for group in groups { node.add(try makeReplica(number, group, journal)) }
        nodes[number] = node
    }

    func startAll() throws { for number in ids.indices { try start(number) } }

    /// Cuts a node's power.
    func crash(_ number: Int) {
        nodes[number] = nil
        disks[number].crash()
    }

    func replica(_ number: Int, _ group: GroupID) -> Replica? {
        nodes[number]?.replica(of: group)
    }

    /// The nodes that lead a group and know what is committed.
    func leaders(of group: GroupID) -> [Int] {
        ids.indices.filter { replica($0, group)?.isReady == true }
    }

    var leaderlessCount: Int { groups.count { leaders(of: $0).isEmpty } }

    func turn(_ number: Int, _ body: (ReplicaNode, inout [ReplicaNode.Output]) -> Void) {
        guard let node = nodes[number] else { return }
        var wanted: [ReplicaNode.Output] = []
        body(node, &wanted)
        node.endTurn(into: &wanted)
        var counts = Array(repeating: 0, count: ids.count + 2)
        for output in wanted {
            switch output {
            case .send(let message):
                counts[Int(message.to)] += 1
                groupMessageCount += message.messages.count
                network.append(message)
            case .replica(let group, let output): outputs[number].append((group, output))
            case .journalFailed: journalFailures[number] += 1
            case .journalIsDirty: break
            }
        }
        messagesToOneNode = max(messagesToOneNode, counts.max() ?? 0)
    }

    /// Syncs the journal of a node and all its logs, as one turn.
    func sync(_ number: Int) {
        turn(number) { node, wanted in
            if let ticket = node.beginSync() {
                node.endSync(ticket, ticket.run(), now: Self.now, into: &wanted)
            }
            for group in groups where node.replica(of: group)?.needsSync == true {
                _ = node.call(group, into: &wanted) { replica, inner in
                    guard let ticket = try? replica.beginSync() else { return }
                    replica.endSync(ticket, ticket.run(), now: Self.now, into: &inner)
                }
            }
        }
    }

    func tick(_ number: Int) { turn(number) { $0.tick(now: Self.now, into: &$1) } }

    /// Delivers what is on its way; syncs and delivers what follows, until nothing does.
    func settle() {
        for _ in 0..<1000 {
            let messages = network
            network = []
            for message in messages {
                turn(Int(message.to) - 1) { $0.receive(message, now: Self.now, into: &$1) }
            }
            for number in ids.indices { sync(number) }
            if network.isEmpty { return }
        }
        preconditionFailure("the nodes do not come to rest")
    }

    func run(ticks: Int) {
        for _ in 0..<ticks {
            for number in ids.indices { tick(number) }
            settle()
        }
    }

    /// Has group n led by node n modulo their number.
    func elect() {
        for number in ids.indices {
            turn(number) { node, wanted in
                for (place, group) in groups.enumerated() where place % ids.count == number {
                    _ = node.call(group, into: &wanted) { $0.campaign(now: Self.now, into: &$1) }
                }
            }
        }
        settle()
        for _ in 0..<100 where leaderlessCount > 0 { run(ticks: 1) }
    }

    @discardableResult
    func append(_ text: String, to group: GroupID, at number: Int) -> Offset? {
        var builder = BatchBuilder()
        builder.append(key: nil, value: Array(text.utf8), timestamp: Timestamp(milliseconds: 5))
        let batch = builder.finish(nextCapacity: 0)
        var offset: Offset?
        turn(number) { node, wanted in
            _ = node.call(group, into: &wanted) { replica, inner in
                let result = try? replica.append(
                    [batch], bytes: batch.count, now: Self.now, into: &inner)
                if case .appended(let at)? = result?.outcomes.first { offset = at }
            }
        }
        return offset
    }
}
