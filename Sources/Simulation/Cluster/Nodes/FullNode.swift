// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CommitLog
internal import DequeModule
internal import Disk
internal import Positions
internal import RaftCore
internal import Records
internal import Replication
internal import SimulatedDisk

/// A node as it is in production: replica, log, journal and all, over a disk in memory that fails.
///
/// The shell around it is what a storage thread does: it calls, performs the outputs, runs syncs and
/// reads when the world says that the disk has got that far.
struct FullNode: SimulatedNode {
    typealias Packet = NodeMessage

    /// Somebody who waits for an entry to be committed.
    struct Waiter {
        var index: LogIndex
        var term: Term
        var offset: Int64
        var operation: Int
    }

    static let group = GroupID(high: 0x51, low: 0x4d, partition: 0)
    static let cluster: UInt64 = 0xc0
    private static let store = "/store"
    private static let directory = "/store/log"

    let id: ReplicaID
    let setup: NodeSetup
    let disk: SimulatedFileSystem
    private(set) var node: ReplicaNode?
    private(set) var replica: Replica?
    var hasFailed = false
    private var random: SplitMix64
    private var pastMarks = Marks()
    private var incarnation: UInt64 = 0
    private var ticks: Int64 = 0
    /// What was known to be synced when the process ended.
    private var lastSynced = LogIndex.zero
    private var plannedCrash: Crash?

    var waiters: Deque<Waiter> = []
    private var logTicket: SyncTicket?
    private var journalTicket: HardStateTicket?
    private var reads: [(number: UInt64, request: StoredRequest, reader: EntryReader)] = []
    private var operations: UInt64 = 0
    private var knownStart = LogIndex.zero
    private var knownTruncations: UInt64 = 0
    private let window = EntryWindow()

    init(_ setup: NodeSetup) {
        id = setup.id
        self.setup = setup
        disk = SimulatedFileSystem(seed: setup.seed)
        random = SplitMix64(seed: setup.seed ^ 0xf0)
        // A node counts its starts over all its disks.
        incarnation = setup.id.life << 32
    }

    // MARK: What is seen

    var isUp: Bool { replica != nil }

    var state: NodeState {
        guard let raft = replica?.raft else {
            return NodeState(
                role: .follower, term: .zero, vote: nil, leader: nil, commit: .zero,
                lastIndex: .zero, startIndex: .zero, isReady: false, isQuiet: false)
        }
        return NodeState(
            role: raft.role, term: raft.term, vote: raft.hardState.vote, leader: raft.leader,
            commit: raft.commit, lastIndex: raft.lastIndex, startIndex: raft.startIndex,
            isReady: raft.isReady, isQuiet: raft.isQuiet)
    }

    var configuration: Configuration { replica?.raft.configuration ?? Configuration(voters: []) }
    var durableIndex: LogIndex { replica?.log.syncedIndex ?? lastSynced }
    var writtenIndex: LogIndex { replica?.log.lastIndex ?? .zero }
    var waitingCount: Int { waiters.count }
    var isDamaged: Bool { replica?.isDamaged ?? false }

    var marks: Marks {
        var marks = pastMarks
        if let replica { marks.formUnion(replica.raft.marks) }
        return marks
    }

    var believedMatches: [(id: ReplicaID, match: LogIndex)] {
        replica?.raft.followers.map { ($0.id, $0.match) } ?? []
    }

    var mustStop: Crash? { disk.isStopped ? plannedCrash ?? .kill : nil }

    func checkInvariants() {
        replica?.raft.checkInvariants()
        replica?.log.checkInvariants()
    }

    // MARK: Start and end

    var now: Timestamp { Timestamp(milliseconds: 1_000_000 + ticks * 10) }

    mutating func start(_ outputs: inout [NodeOutput<Packet>]) throws(Violation) {
        incarnation += 1
        hasFailed = false
        window.forget()
        do throws(LogError) {
            try open()
        } catch {
            replica = nil
            node = nil
            guard !disk.isStopped else {
                restoreDisk()
                return
            }
            if case .diskFull = error { return restoreDisk() }
            throw Violation("node \(id) does not start: \(error)")
        }
    }

    private mutating func open() throws(LogError) {
        var raft = setup.settings
        raft.isRelaxed = false
        var log = LogSettings()
        log.segmentSizeMax = setup.segmentSizeMax
        log.indexInterval = 512
        log.checkpointInterval = UInt64(setup.segmentSizeMax)
        var settings = ReplicaSettings(
            id: id, group: Self.group, bootstrap: setup.members, log: log)
        settings.raft = raft
        let journal: HardStateJournal
        do throws(FileError) {
            try disk.createDirectory(Self.directory)
            try disk.syncDirectory(Self.store)
            try disk.syncDirectory("/")
        } catch { throw .file(error) }
        do throws(HardStateError) {
            journal = try HardStateJournal(directory: Self.store, on: disk, sizeMax: 4096)
        } catch {
            guard case .file(let cause) = error else {
                throw .unusable(path: Self.store, reason: "\(error)")
            }
            throw .file(cause)
        }
        let replica = try Replica(
            settings, directory: Self.directory, logGroup: 7, on: disk,
            record: journal.record(of: Self.group, life: id.life), now: now, seed: random.next())
        var node = ReplicaNode.Settings(
            node: id.node, cluster: Self.cluster, incarnation: incarnation)
        node.beatTicks = setup.settings.heartbeatTicks
        node.lossTicks = 2 * setup.settings.electionTicks
        let whole = ReplicaNode(node, journal: journal)
        whole.add(replica)
        self.node = whole
        self.replica = replica
        knownStart = replica.log.firstIndex.previous
        knownTruncations = replica.log.truncationCount
    }

    mutating func stop(_ crash: Crash, _ random: inout SplitMix64) {
        if let replica {
            lastSynced = replica.log.syncedIndex
            pastMarks.formUnion(replica.raft.marks)
        }
        node = nil
        replica = nil
        waiters = []
        logTicket = nil
        journalTicket = nil
        reads = []
        switch plannedCrash != nil && disk.isStopped ? plannedCrash ?? crash : crash {
        case .kill: disk.crashKeepingCache()
        case .powerCut: disk.crash()
        }
        plannedCrash = nil
        disk.crashAfter(calls: nil)
        restoreDisk()
    }

    private mutating func restoreDisk() {
        if disk.isStopped {
            switch plannedCrash ?? .kill {
            case .kill: disk.crashKeepingCache()
            case .powerCut: disk.crash()
            }
        }
        plannedCrash = nil
        disk.crashAfter(calls: nil)
        disk.faults = FaultPlan()
    }

    mutating func harm(_ harm: DiskHarm, _ random: inout SplitMix64) {
        switch harm {
        case .full(let isFull):
            disk.faults.capacity =
                isFull ? disk.usedSpace + UInt64(random.pick(0...600)) : 1 << 44
        case .damage: break
        case .over: if !disk.isStopped { restoreDisk() }
        case .crashAtCall(let calls, let crash):
            plannedCrash = crash
            disk.crashAfter(calls: calls + 1)
        }
    }

    // MARK: What happens

    mutating func tick(_ outputs: inout [NodeOutput<Packet>]) throws(Violation) {
        ticks += 1
        var wanted: [ReplicaNode.Output] = []
        node?.tick(now: now, into: &wanted)
        try finish(wanted, &outputs)
    }

    mutating func receive(
        _ packet: NodeMessage, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        var wanted: [ReplicaNode.Output] = []
        node?.receive(packet, now: now, into: &wanted)
        try finish(wanted, &outputs)
    }

    /// Has the replica do something.
    private mutating func call(
        _ outputs: inout [NodeOutput<Packet>],
        _ body: (Replica, inout [ReplicaOutput]) -> Void
    ) throws(Violation) {
        var wanted: [ReplicaNode.Output] = []
        _ = node?.call(Self.group, into: &wanted, body)
        try finish(wanted, &outputs)
    }

    mutating func receive(
        _ command: NodeCommand, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        let now = now
        let input: Input
        switch command {
        case .read(let operation): input = .read(ReadID(UInt64(operation)))
        case .changeMembers(let voters, let learners):
            input = .changeMembers(voters: voters, learners: learners)
        case .transfer(let target): input = .transfer(to: target)
        case .campaign: input = .campaign
        case .nodeLost(let lost): input = .nodeLost(lost)
        case .wake: input = .wake
        case .retain(let index): return try retain(index, &outputs)
        }
        try call(&outputs) { $0.perform(input, now: now, into: &$1) }
    }

    private mutating func retain(
        _ index: LogIndex, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        guard let log = replica?.log, index >= log.firstIndex, log.failure == nil else { return }
        let offset = try endOffset(at: min(index, log.commitIndex))
        do throws(LogError) {
            try log.deleteRecords(before: min(Offset(offset), log.highWatermark))
        } catch {
            // A log that takes nothing now removes nothing either.
            return
        }
        try finish([], &outputs)
        if let removal = log.takeRemoval() {
            // Segments that could not be removed are removed at the next start.
            _ = removal.run()
        }
    }

    mutating func propose(
        _ proposals: [Proposal], _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        guard let replica else { return }
        let batches = proposals.map { Self.batch($0) }
        let first = replica.log.nextIndex
        let term = replica.raft.term
        let now = now
        var added: [NodeOutput<Packet>] = []
        var answers: [NodeOutput<Packet>] = []
        var placed: [Waiter] = []
        let bytes = batches.reduce(0) { $0 + $1.count }
        try call(&added) { replica, wanted in
            var outcomes: [Log.AppendOutcome] = []
            do throws(ProposalRefusal) {
                outcomes = try replica.append(batches, bytes: bytes, now: now, into: &wanted)
                    .outcomes
            } catch {
                // Nothing was written: all are refused below.
            }
            var next = first
            for (number, proposal) in proposals.enumerated() {
                if number < outcomes.count, case .appended(let offset) = outcomes[number] {
                    placed.append(
                        Waiter(
                            index: next, term: term, offset: offset.rawValue,
                            operation: proposal.operation))
                    next = next.next
                } else {
                    answers.append(
                        .answer(
                            operation: proposal.operation,
                            .refused(leader: replica.raft.leader?.node)))
                }
            }
        }
        waiters.append(contentsOf: placed)
        outputs += added
        outputs += answers
    }

    mutating func complete(
        _ operation: DiskOperation, fails: Bool, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        let now = now
        switch operation.kind {
        case .log:
            guard let ticket = logTicket else { return }
            logTicket = nil
            let result = sync(fails) { ticket.run() }
            try call(&outputs) { $0.endSync(ticket, result, now: now, into: &$1) }
        case .journal:
            guard let ticket = journalTicket else { return }
            journalTicket = nil
            let result = sync(fails) { ticket.run() }
            var wanted: [ReplicaNode.Output] = []
            node?.endSync(ticket, result, now: now, into: &wanted)
            try finish(wanted, &outputs)
        case .read:
            guard let place = reads.firstIndex(where: { $0.number == operation.number }) else {
                return
            }
            let (_, request, reader) = reads.remove(at: place)
            var entries: [LogEntry] = []
            do throws(LogError) {
                entries = try reader.read(
                    from: request.first, through: request.last, bytesMax: request.bytesMax)
            } catch {
                // Nothing was read, and the core hears of that.
            }
            try call(&outputs) { $0.finish(request, with: entries, now: now, into: &$1) }
        case .install, .repair: break
        }
    }

    /// Runs a sync, which the disk refuses if it is to fail.
    private func sync(
        _ fails: Bool, _ run: () -> Result<Void, FileError>
    ) -> Result<Void, FileError> {
        guard fails else { return run() }
        var plan = disk.faults
        plan.sync = .always
        disk.faults = plan
        defer {
            plan.sync = .never
            disk.faults = plan
        }
        return run()
    }

    // MARK: What comes of it

    private mutating func finish(
        _ wanted: [ReplicaNode.Output], _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        guard let node, let replica else { return }
        var wanted = wanted
        let hasMoved = replica.log.firstIndex.previous != knownStart
        // A log that has begun anew is no longer the one that was cut, or that retention shortens.
        let isReset =
            hasMoved && replica.log.truncationCount != knownTruncations
            && !wanted.contains { $0.isTruncation }
        knownTruncations = replica.log.truncationCount
        if isReset {
            outputs.append(.reset)
            dropWaiters(from: .zero, &outputs)
        }
        if hasMoved {
            knownStart = replica.log.firstIndex.previous
            window.forget()
            let now = now
            _ = node.call(Self.group, into: &wanted) { $0.noteLogStart(now: now, into: &$1) }
        }
        node.endTurn(into: &wanted)
        for output in wanted {
            switch output {
            case .replica(_, let output): take(output, &outputs)
            case .send(let message): send(message, &outputs)
            case .journalIsDirty: break
            case .journalFailed: hasFailed = true
            }
        }
        if hasMoved, !isReset { outputs.append(.startMoved) }
        outputs.append(.wrote(from: replica.log.lastIndex, truncates: false))
        dropWaiters(from: replica.log.lastIndex.next, &outputs)
        beginSyncs(&outputs)
    }

    private mutating func beginSyncs(_ outputs: inout [NodeOutput<Packet>]) {
        guard !hasFailed, let replica, let node else { return }
        if logTicket == nil, replica.needsSync {
            do throws(LogError) {
                logTicket = try replica.beginSync()
            } catch {
                if case .diskFull = error { return }
                hasFailed = true
            }
            if logTicket != nil { outputs.append(.disk(DiskOperation(kind: .log, number: 0))) }
        }
        if journalTicket == nil, let ticket = node.beginSync() {
            journalTicket = ticket
            outputs.append(.disk(DiskOperation(kind: .journal, number: 0)))
        }
    }

    private mutating func take(
        _ output: ReplicaOutput, _ outputs: inout [NodeOutput<Packet>]
    ) {
        switch output {
        case .read(let request, let reader):
            operations += 1
            reads.append((operations, request, reader))
            outputs.append(.disk(DiskOperation(kind: .read, number: operations)))
        case .committed(let index):
            outputs.append(.commit(index))
            answerWaiters(upTo: index, &outputs)
        case .roleChanged(let report): outputs.append(.role(report))
        case .membersChanged(let configuration): outputs.append(.members(configuration))
        case .readReady(let read, let index):
            outputs.append(.readReady(operation: Int(read.rawValue), index))
        case .readFailed(let read):
            outputs.append(
                .answer(
                    operation: Int(read.rawValue),
                    .refused(leader: replica?.raft.leader?.node)))
        case .changeEnded(let refusal): outputs.append(.changeEnded(refusal))
        case .failed: hasFailed = true
        case .observed(.truncated(let index)):
            window.forget(from: index)
            outputs.append(.wrote(from: index, truncates: true))
            dropWaiters(from: index, &outputs)
        case .observed, .wrote, .diskFull, .transferEnded, .send, .saveHardState: break
        }
    }

    private func send(_ message: NodeMessage, _ outputs: inout [NodeOutput<Packet>]) {
        var bytes = 64
        for one in message.messages {
            if let promise = Promise(one.message) { outputs.append(.promise(promise)) }
            bytes += 64
            for entry in one.entries { bytes += entry.size }
        }
        outputs.append(.send(to: message.to, message, bytes: bytes, promise: nil))
    }

    private mutating func dropWaiters(
        from index: LogIndex, _ outputs: inout [NodeOutput<Packet>]
    ) {
        while let last = waiters.last, last.index >= index {
            outputs.append(.answer(operation: last.operation, .unknown))
            waiters.removeLast()
        }
    }

    private mutating func answerWaiters(
        upTo index: LogIndex, _ outputs: inout [NodeOutput<Packet>]
    ) {
        while let first = waiters.first, first.index <= index {
            waiters.removeFirst()
            let isThere = replica?.raft.term(at: first.index) == first.term
            outputs.append(
                .answer(
                    operation: first.operation,
                    isThere
                        ? .acknowledged(first.index, first.term, offset: first.offset)
                        : .unknown))
        }
    }

    // MARK: What it holds

    func logStart() throws(Violation) -> LogStart {
        guard let log = replica?.log else { throw Violation("a log of a node that is down") }
        return LogStart(
            index: log.firstIndex.previous, term: log.startTerm,
            offset: log.startOffset.rawValue)
    }

    func content(at index: LogIndex) throws(Violation) -> EntryContent {
        guard let log = replica?.log else { throw Violation("a log of a node that is down") }
        return try window.content(at: index, in: log)
    }

    func endOffset(at index: LogIndex) throws(Violation) -> Int64 {
        guard let log = replica?.log else { throw Violation("a log of a node that is down") }
        guard index >= log.firstIndex else { return log.startOffset.rawValue }
        let content = try content(at: index)
        return content.baseOffset + Int64(content.count)
    }
}

extension ReplicaNode.Output {
    /// Whether it says that the log was cut.
    fileprivate var isTruncation: Bool {
        if case .replica(_, .observed(.truncated)) = self { true } else { false }
    }
}
