// SPDX-License-Identifier: Apache-2.0

import Bytes
import CommitLog
import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk

/// Nodes with a replica of one group each, whose messages, syncs and lives go as a seed wants.
///
/// Every message goes through its bytes. What any node calls committed is written down by index, and
/// nobody may ever call another entry committed there.
final class ChaosCluster {
    struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    /// What a test lets happen.
    struct Manners {
        var crashes = true
        var losses = true
        var fullDisks = false
        var failingDisks = false
        var retention = false
        var isQuiet = false
    }

    static let group = GroupID(high: 3, low: 4, partition: 5)
    static let now = Timestamp(milliseconds: 1_000)

    let ids: [ReplicaID]
    let disks: [SimulatedFileSystem]
    let manners: Manners
    private(set) var nodes: [ReplicaNode?]
    private var tickets: [[Ticket]]
    private var network: [(to: Int, bytes: [UInt8])] = []
    var random: SplitMix64
    private var starts: UInt64 = 0
    private var settings = RaftSettings()
    private var logSettings = LogSettings()
    private let cacheBytesMax: Int

    /// What was called committed, by index, from 1.
    private(set) var committed: [LogEntry?] = []
    /// Records that were appended and are waited for: index, term, text.
    private var waiting: [[(place: LogIndex, term: Term, text: String)]]
    private(set) var acknowledged: Set<String> = []
    private(set) var appendedCount = 0
    private(set) var crashCount = 0

    private enum Ticket {
        case journal(HardStateTicket)
        case log(SyncTicket)
    }

    init(_ count: Int, seed: UInt64, manners: Manners) {
        self.manners = manners
        random = SplitMix64(seed: seed)
        ids = (1...count).map { ReplicaID(node: UInt64($0), life: 40 + UInt64($0)) }
        disks = (1...count).map { SimulatedFileSystem(seed: seed &* 31 &+ UInt64($0)) }
        nodes = Array(repeating: nil, count: count)
        tickets = Array(repeating: [], count: count)
        waiting = Array(repeating: [], count: count)
        settings.electionTicks = Int.random(in: 4...12, using: &random)
        settings.heartbeatTicks = Int.random(in: 1...3, using: &random)
        settings.messageEntriesMax = [1, 2, 50].randomElement(using: &random) ?? 1
        settings.tailEntriesMax = [1, 8, 4096].randomElement(using: &random) ?? 1
        settings.inflightMessagesMax = Int.random(in: 1...8, using: &random)
        if manners.isQuiet { settings.quietTicks = Int.random(in: 2...6, using: &random) }
        logSettings.segmentSizeMax = [1024, 2048, 1 << 20].randomElement(using: &random) ?? 1024
        logSettings.checkpointInterval = 4096
        if manners.retention {
            logSettings.retentionSize = 2048
            logSettings.segmentSizeMax = 1024
        }
        cacheBytesMax = [1, 500, 1 << 20].randomElement(using: &random) ?? 1
    }

    // MARK: Lives

    func start(_ number: Int) throws {
        starts += 1
        let disk = disks[number]
        try disk.createDirectory("/store/log")
        try disk.syncDirectory("/store")
        try disk.syncDirectory("/")
        let journal = try HardStateJournal(
            directory: "/store", on: disk, sizeMax: 2048, reserve: 256)
        var wanted = ReplicaSettings(
            id: ids[number], group: Self.group, bootstrap: Configuration(voters: ids),
            log: logSettings)
        wanted.raft = settings
        wanted.cacheBytesMax = cacheBytesMax
        let replica = try Replica(
            wanted, directory: "/store/log", logGroup: 99, on: disk,
            record: journal.record(of: Self.group, life: ids[number].life), now: Self.now,
            seed: starts &* 977)
        let node = ReplicaNode(
            ReplicaNode.Settings(node: ids[number].node, cluster: 5, incarnation: starts),
            journal: journal)
        node.add(replica)
        nodes[number] = node
        tickets[number] = []
    }

    func crash(_ number: Int, powerCut: Bool) {
        nodes[number] = nil
        tickets[number] = []
        waiting[number] = []
        crashCount += 1
        disks[number].faults = FaultPlan()
        if powerCut { disks[number].crash() } else { disks[number].crashKeepingCache() }
    }

    func replica(_ number: Int) -> Replica? { nodes[number]?.replica(of: Self.group) }

    var leader: Int? {
        ids.indices.filter { replica($0)?.isReady == true }
            .max { (replica($0)?.raft.term ?? .zero) < (replica($1)?.raft.term ?? .zero) }
    }

    // MARK: Turns

    func turn(
        _ number: Int, _ body: (ReplicaNode, inout [ReplicaNode.Output]) throws -> Void
    ) throws {
        guard let node = nodes[number] else { return }
        var wanted: [ReplicaNode.Output] = []
        try body(node, &wanted)
        node.endTurn(into: &wanted)
        while !wanted.isEmpty {
            var next: [ReplicaNode.Output] = []
            for output in wanted { try perform(output, of: number, node, into: &next) }
            node.endTurn(into: &next)
            wanted = next
        }
        guard let replica = node.replica(of: Self.group) else { return }
        if replica.log.failure == nil, node.journal.failure == nil {
            replica.raft.checkInvariants()
            replica.log.checkInvariants()
        }
    }

    private func perform(
        _ output: ReplicaNode.Output, of number: Int, _ node: ReplicaNode,
        into next: inout [ReplicaNode.Output]
    ) throws {
        switch output {
        case .send(let message):
            network.append((Int(message.to) - 1, message.encoded))
            if network.count > 300 { network.removeFirst(100) }
        case .journalIsDirty, .journalFailed: break
        case .replica(let group, .read(let request, let reader)):
            let entries =
                (try? reader.read(
                    from: request.first, through: request.last, bytesMax: request.bytesMax)) ?? []
            _ = node.call(group, into: &next) {
                $0.finish(request, with: entries, now: Self.now, into: &$1)
            }
        case .replica(_, .committed(let index)): try noteCommit(index, of: number)
        case .replica: break
        }
    }

    private func noteCommit(_ index: LogIndex, of number: Int) throws {
        guard let replica = replica(number), replica.log.failure == nil else { return }
        let first = max(replica.log.firstIndex, LogIndex(1))
        guard index >= first else { return }
        var entries: [LogEntry] = []
        do {
            let from = max(first, LogIndex(UInt64(max(1, Int(index.rawValue) - 200))))
            entries = try replica.log.entryReader().read(
                from: from, through: index, bytesMax: .max)
            for (step, entry) in entries.enumerated() {
                let place = Int(from.rawValue) + step - 1
                while committed.count <= place { committed.append(nil) }
                if let known = committed[place] {
                    guard known == entry else {
                        throw Broken(
                            description: "two entries are committed at \(place + 1): "
                                + "\(known.term) and, at node \(number), \(entry.term)")
                    }
                } else {
                    committed[place] = entry
                }
            }
        } catch let error as LogError {
            // A disk that stops in the midst of it.
            guard disks[number].isStopped else { throw error }
        }
        while let first = waiting[number].first, first.place <= index {
            waiting[number].removeFirst()
            if replica.fate(of: first.place, first.term) == .committed {
                acknowledged.insert(first.text)
            }
        }
    }

    // MARK: What can happen

    func tick(_ number: Int) throws {
        try turn(number) { $0.tick(now: Self.now, into: &$1) }
    }

    func deliver(_ place: Int, keeping: Bool) throws {
        let (to, bytes) = network[place]
        if !keeping { network.remove(at: place) }
        let message = try NodeMessage(decoding: EntryBytes(copying: bytes))
        try turn(to) { $0.receive(message, now: Self.now, into: &$1) }
    }

    func beginSyncs(_ number: Int) throws {
        try turn(number) { node, wanted in
            if let ticket = node.beginSync() { tickets[number].append(.journal(ticket)) }
            _ = node.call(Self.group, into: &wanted) { replica, _ in
                if let ticket = try? replica.beginSync() { tickets[number].append(.log(ticket)) }
            }
        }
    }

    func endSync(_ number: Int) throws {
        guard !tickets[number].isEmpty else { return }
        let ticket = tickets[number].removeFirst()
        try turn(number) { node, wanted in
            switch ticket {
            case .journal(let ticket):
                node.endSync(ticket, ticket.run(), now: Self.now, into: &wanted)
            case .log(let ticket):
                _ = node.call(Self.group, into: &wanted) {
                    $0.endSync(ticket, ticket.run(), now: Self.now, into: &$1)
                }
            }
        }
    }

    func append(_ number: Int, count: Int) throws {
        guard replica(number)?.raft.role == .leader else { return }
        var batches: [BatchBuffer] = []
        var texts: [String] = []
        for _ in 0..<count {
            appendedCount += 1
            texts.append("r\(appendedCount)")
            var builder = BatchBuilder()
            builder.append(
                key: nil, value: Array("r\(appendedCount)".utf8),
                timestamp: Timestamp(milliseconds: 5))
            batches.append(builder.finish(nextCapacity: 0))
        }
        try turn(number) { node, wanted in
            _ = node.call(Self.group, into: &wanted) { replica, inner in
                let last = replica.log.lastIndex
                let term = replica.raft.term
                let result = try? replica.append(
                    batches, bytes: batches.reduce(0) { $0 + $1.count }, expecting: term,
                    now: Self.now, into: &inner)
                for (step, outcome) in (result?.outcomes ?? []).enumerated() {
                    guard case .appended = outcome else { continue }
                    waiting[number].append((last.advanced(by: step + 1), term, texts[step]))
                }
            }
        }
    }

    func retain(_ number: Int) throws {
        try turn(number) { node, wanted in
            _ = node.call(Self.group, into: &wanted) { replica, inner in
                replica.applyRetention(now: Self.now, into: &inner)
                if let removal = replica.log.takeRemoval() { _ = removal.run() }
            }
        }
    }

    /// One step of the seed's making.
    func step() throws {
        let number = Int.random(in: ids.indices, using: &random)
        if disks[number].isStopped || hasFailed(number) { crash(number, powerCut: coin(2)) }
        switch Int.random(in: 0..<200, using: &random) {
        case 0..<16: try tick(number)
        case 16..<110:
            guard !network.isEmpty else { return }
            let place =
                coin(3) ? Int.random(in: network.indices, using: &random) : 0
            if manners.losses, coin(12) {
                network.remove(at: place)
            } else {
                try deliver(place, keeping: manners.losses && coin(10))
            }
        case 110..<140: try beginSyncs(number)
        case 140..<180: try endSync(number)
        case 180..<193: try append(number, count: Int.random(in: 1...4, using: &random))
        case 193: if manners.retention { try retain(number) }
        case 194: if coin(3) { try harm(number) }
        default: if nodes[number] == nil { try revive(number) }
        }
    }

    private func hasFailed(_ number: Int) -> Bool {
        guard let node = nodes[number] else { return false }
        return node.journal.failure != nil || replica(number)?.log.failure != nil
    }

    private func harm(_ number: Int) throws {
        guard nodes[number] != nil else { return try revive(number) }
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where manners.crashes: crash(number, powerCut: coin(2))
        case 1 where manners.crashes:
            disks[number].crashAfter(calls: Int.random(in: 1...12, using: &random))
        case 2 where manners.fullDisks:
            disks[number].faults.capacity =
                disks[number].usedSpace + UInt64.random(in: 0...2000, using: &random)
        case 3 where manners.failingDisks: disks[number].faults.sync = .onCall(2)
        case 4 where manners.failingDisks: disks[number].faults.write = .onCall(2)
        default: disks[number].faults = FaultPlan()
        }
    }

    /// Starts a node, which the disk's stop may come in between of.
    private func revive(_ number: Int) throws {
        do {
            try start(number)
        } catch {
            guard disks[number].isStopped || manners.fullDisks || manners.failingDisks else {
                throw error
            }
            if let error = error as? HardStateError, case .promiseLost = error { throw error }
            crash(number, powerCut: coin(2))
        }
    }

    private func coin(_ sides: Int) -> Bool { Int.random(in: 0..<sides, using: &random) == 0 }

    // MARK: The end

    /// Ends all faults, and lets time pass until all have the same committed records.
    func converge() throws {
        for number in ids.indices {
            if disks[number].isStopped || hasFailed(number) { crash(number, powerCut: true) }
            disks[number].crashAfter(calls: nil)
            disks[number].faults = FaultPlan()
            if nodes[number] == nil { try start(number) }
        }
        for round in 0..<600 {
            for number in ids.indices { try tick(number) }
            try settle()
            if round % 20 == 19, let leader { try append(leader, count: 1) }
            if round > 40, isConverged { return }
        }
        let states = ids.indices.map { number -> String in
            guard let raft = replica(number)?.raft else { return "down" }
            return "\(raft.role) term \(raft.term) last \(raft.lastIndex) commit \(raft.commit)"
        }
        throw Broken(description: "no agreement: \(states)")
    }

    private func settle() throws {
        for _ in 0..<1500 {
            while !network.isEmpty { try deliver(0, keeping: false) }
            for number in ids.indices {
                try beginSyncs(number)
                while !tickets[number].isEmpty { try endSync(number) }
            }
            if network.isEmpty { return }
        }
        let messages = network.compactMap {
            try? NodeMessage(decoding: EntryBytes(copying: $0.bytes)).messages.map(\.message)
        }
        throw Broken(description: "messages without end: \(messages)")
    }

    private var isConverged: Bool {
        guard let leader, let last = replica(leader)?.raft.lastIndex else { return false }
        return ids.indices.allSatisfy {
            replica($0)?.raft.commit == last && replica($0)?.raft.lastIndex == last
        }
    }

    /// The values that readers of a node see, by offset.
    func values(_ number: Int) throws -> [Int64: String] {
        guard let replica = replica(number) else { return [:] }
        let snapshot = replica.log.snapshot
        var values: [Int64: String] = [:]
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
                    values[record.offset.rawValue] = String(
                        decoding: record.value ?? [], as: UTF8.self)
                }
            }
            offset = batches.nextOffset
        }
        return values
    }
}
