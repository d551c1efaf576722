// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk

/// Some nodes with a replica of one group each, on disks and a network of memory.
///
/// Messages and syncs are carried out when the test says so, in order.
final class NodeHarness {
    let group = GroupID(high: 1, low: 2, partition: 0)
    let ids: [ReplicaID]
    var disks: [SimulatedFileSystem]
    var nodes: [ReplicaNode?]
    var network: [NodeMessage] = []
    var settings = RaftSettings()
    var logSettings = LogSettings()
    var cacheBytesMax = 8 << 20
    var isRelaxed = false
    /// How many nodes the group begins with; all of them if `nil`.
    var votersAtFirst: Int?
    /// How often entries were read from a log for a follower.
    private(set) var readCount = 0
    /// Nodes whose messages are lost, both ways.
    var cut: Set<UInt64> = []
    private(set) var outputs: [[ReplicaOutput]]
    private var starts: UInt64 = 0

    init(_ count: Int) {
        ids = (1...count).map { ReplicaID(node: UInt64($0), life: 7) }
        disks = (1...count).map { SimulatedFileSystem(seed: UInt64($0)) }
        nodes = Array(repeating: nil, count: count)
        outputs = Array(repeating: [], count: count)
    }

    func start(_ number: Int) throws {
        starts += 1
        let disk = disks[number]
        try disk.createDirectory("/store/log")
        try disk.syncDirectory("/store")
        try disk.syncDirectory("/")
        let journal = try HardStateJournal(directory: "/store", on: disk, sizeMax: 800)
        var replicaSettings = ReplicaSettings(
            id: ids[number], group: group,
            bootstrap: Configuration(voters: Array(ids.prefix(votersAtFirst ?? ids.count))),
            log: logSettings)
        replicaSettings.raft = settings
        replicaSettings.cacheBytesMax = cacheBytesMax
        replicaSettings.isRelaxed = isRelaxed
        let replica = try Replica(
            replicaSettings, directory: "/store/log", logGroup: 99, on: disk,
            record: journal.record(of: group, life: ids[number].life),
            now: Timestamp(milliseconds: 1), seed: starts)
        let node = ReplicaNode(
            ReplicaNode.Settings(
                node: ids[number].node, cluster: 5, incarnation: starts), journal: journal)
        node.add(replica)
        nodes[number] = node
    }

    func startAll() throws { for number in ids.indices { try start(number) } }

    /// Cuts a node's power; what it had not synced may be gone.
    func crash(_ number: Int) {
        nodes[number] = nil
        disks[number].crash()
    }

    func replica(_ number: Int) -> Replica? { nodes[number]?.replica(of: group) }

    var leader: Int? { ids.indices.first { replica($0)?.isReady == true } }

    /// Does something with a node, and all that follows from it on that node.
    func turn(_ number: Int, _ body: (ReplicaNode, inout [ReplicaNode.Output]) -> Void) {
        guard let node = nodes[number] else { return }
        var wanted: [ReplicaNode.Output] = []
        body(node, &wanted)
        node.endTurn(into: &wanted)
        while !wanted.isEmpty {
            var next: [ReplicaNode.Output] = []
            for output in wanted { perform(output, of: number, node, into: &next) }
            node.endTurn(into: &next)
            wanted = next
        }
        node.replica(of: group)?.raft.checkInvariants()
        node.replica(of: group)?.log.checkInvariants()
    }

    private func perform(
        _ output: ReplicaNode.Output, of number: Int, _ node: ReplicaNode,
        into next: inout [ReplicaNode.Output]
    ) {
        switch output {
        case .send(let message): network.append(message)
        case .journalIsDirty, .journalFailed: break
        case .replica(let group, .read(let request, let reader)):
            readCount += 1
            let entries =
                (try? reader.read(
                    from: request.first, through: request.last, bytesMax: request.bytesMax)) ?? []
            _ = node.call(group, into: &next) {
                $0.finish(request, with: entries, now: Timestamp(milliseconds: 1), into: &$1)
            }
        case .replica(_, let output): outputs[number].append(output)
        }
    }

    /// Syncs the journal and the log of a node.
    func sync(_ number: Int) {
        turn(number) { node, wanted in
            if let ticket = node.beginSync() {
                node.endSync(ticket, ticket.run(), now: Timestamp(milliseconds: 1), into: &wanted)
            }
            _ = node.call(group, into: &wanted) { replica, inner in
                guard let ticket = try? replica.beginSync() else { return }
                replica.endSync(ticket, ticket.run(), now: Timestamp(milliseconds: 1), into: &inner)
            }
        }
    }

    /// Asks the core of a node for something.
    func perform(_ input: Input, at number: Int) {
        turn(number) { node, wanted in
            _ = node.call(group, into: &wanted) {
                $0.perform(input, now: Timestamp(milliseconds: 1), into: &$1)
            }
        }
    }

    func tick(_ number: Int) {
        turn(number) { $0.tick(now: Timestamp(milliseconds: 1), into: &$1) }
    }

    /// Delivers what is on its way, syncs and delivers what follows, until nothing does.
    ///
    /// - Parameter synced: The nodes whose disks get anything done.
    func settle(syncing synced: [Int]? = nil) {
        for _ in 0..<1000 {
            let messages = network
            network = []
            for message in messages
            where !cut.contains(message.from) && !cut.contains(message.to) {
                turn(Int(message.to) - 1) {
                    $0.receive(message, now: Timestamp(milliseconds: 1), into: &$1)
                }
            }
            for number in synced ?? Array(ids.indices) { sync(number) }
            if network.isEmpty { return }
        }
        preconditionFailure("the nodes do not come to rest")
    }

    /// Lets time pass until somebody leads and knows what is committed.
    func elect() -> Int? {
        for _ in 0..<200 {
            for number in ids.indices { tick(number) }
            settle()
            if let leader { return leader }
        }
        return nil
    }

    func run(ticks: Int) {
        for _ in 0..<ticks {
            for number in ids.indices { tick(number) }
            settle()
        }
    }

    /// Appends one record; the offset it got.
    @discardableResult
    func append(_ text: String, at number: Int) -> Offset? {
        var builder = BatchBuilder()
        builder.append(key: nil, value: Array(text.utf8), timestamp: Timestamp(milliseconds: 5))
        let batch = builder.finish(nextCapacity: 0)
        var offset: Offset?
        turn(number) { node, wanted in
            _ = node.call(group, into: &wanted) { replica, inner in
                let result = try? replica.append(
                    [batch], bytes: batch.count, now: Timestamp(milliseconds: 1), into: &inner)
                if case .appended(let at)? = result?.outcomes.first { offset = at }
            }
        }
        return offset
    }

    /// The values that readers of a node see.
    func values(_ number: Int) throws -> [String] {
        guard let replica = replica(number) else { return [] }
        let snapshot = replica.log.snapshot
        var values: [String] = []
        var offset = snapshot.logStartOffset
        while offset < snapshot.highWatermark {
            let batches = try snapshot.read(from: offset, bytesMax: 1 << 20, verifying: true)
                .batches
            guard !batches.isEmpty else { break }
            try batches.forEachBatch { bytes throws(BatchError) in
                let header = BatchHeader(reading: bytes)
                let records = RecordBatch.records(of: bytes)
                var cursor = RecordCursor(records)
                while let view = try cursor.next() {
                    let record = Record(view, in: records, header: header)
                    values.append(String(decoding: record.value ?? [], as: UTF8.self))
                }
            }
            offset = batches.nextOffset
        }
        return values
    }
}
