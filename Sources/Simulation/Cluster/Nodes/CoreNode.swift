// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DequeModule
internal import Positions
internal import RaftCore

/// A node that is nothing but the core, over a disk that knows entries only.
///
/// The shell that the core needs, as small as it can be: so that a hunt spends its time in the core.
struct CoreNode: SimulatedNode {
    struct Packet {
        var node: UInt64
        /// Grows with each start of the node.
        var incarnation: UInt64
        /// Nothing but a sign of life of the node if there is none.
        var message: Message?
        var contents: [Content] = []
        /// Where a snapshot's log begins.
        var startOffset: Int64 = 0
    }

    /// What the core does not know of an entry.
    struct Content {
        var value: UInt64
        var count: Int
    }

    /// Somebody who waits for an entry to be committed.
    private struct Waiter {
        var index: LogIndex
        var term: Term
        var operation: Int
    }

    let id: ReplicaID
    private let settings: RaftSettings
    private let isTraced: Bool
    /// From which output on the next line of a trace tells.
    private var tracedFrom: Int?
    private var lastTraced = ""
    var disk: CoreDisk
    private(set) var raft: Raft
    private(set) var isUp = false
    private(set) var hasFailed = false
    /// Drawn from at each start, so that two lives wait differently.
    private var random: SplitMix64
    private var pastMarks = Marks()

    // What a process forgets.
    private var effects: [Effect] = []
    private var followUps: [Input] = []
    private var waiters: Deque<Waiter> = []
    private var refusedFrom: LogIndex?
    private var logSync: (through: LogIndex, epoch: UInt64)?
    private var lastEpoch: UInt64 = 0
    private var journalVersion: UInt64?
    private var reads: [(request: StoredRequest, number: UInt64)] = []
    private var installing: (snapshot: Snapshot, start: LogStart)?
    private var repairing: (first: LogIndex, last: LogIndex)?
    private var operations: UInt64 = 0
    private var incarnation: UInt64 = 0
    private var watch = NodeWatch()
    private(set) var manners = CoreManners()

    init(_ setup: NodeSetup) {
        id = setup.id
        settings = setup.settings
        isTraced = setup.isTraced
        disk = CoreDisk(members: setup.members)
        random = SplitMix64(seed: setup.seed)
        raft = Raft(id: id, settings: settings, start: RaftStart(), seed: 0)
    }

    // MARK: What is seen

    var state: NodeState {
        NodeState(
            role: raft.role, term: raft.term, vote: raft.hardState.vote, leader: raft.leader,
            commit: raft.commit, lastIndex: raft.lastIndex, startIndex: raft.startIndex,
            isReady: raft.isReady, isQuiet: raft.isQuiet)
    }

    var configuration: Configuration { raft.configuration }
    var durableIndex: LogIndex { disk.syncedIndex }
    var mustStop: Crash? { nil }
    var writtenIndex: LogIndex { disk.lastIndex }
    var waitingCount: Int { waiters.count }
    var isDamaged: Bool { !disk.damaged.isEmpty }
    var marks: Marks {
        var marks = pastMarks
        marks.formUnion(raft.marks)
        return marks
    }

    func content(at index: LogIndex) -> EntryContent {
        let entry = disk.entry(at: index)
        return EntryContent(
            term: entry.info.term, value: entry.value, count: entry.count,
            baseOffset: entry.baseOffset, configuration: entry.info.configuration)
    }

    func logStart() -> LogStart { disk.start }

    func endOffset(at index: LogIndex) -> Int64 { disk.endOffset(at: index) }

    func poll(from offset: Int64, recordsMax: Int) -> PollAnswer {
        guard offset >= disk.start.offset else {
            return .outOfRange(start: disk.start.offset)
        }
        var records: [(offset: Int64, value: UInt64)] = []
        var number = disk.entryNumber(at: offset)
        var next = offset
        while number < disk.entries.count, records.count < recordsMax,
            disk.start.index.advanced(by: number + 1) <= raft.commit
        {
            let entry = disk.entries[number]
            while next < entry.endOffset, records.count < recordsMax {
                records.append((next, entry.value + UInt64(next - entry.baseOffset)))
                next += 1
            }
            number += 1
        }
        return .records(records, next: next)
    }

    var believedMatches: [(id: ReplicaID, match: LogIndex)] {
        raft.followers.map { ($0.id, $0.match) }
    }

    func checkInvariants() {
        raft.checkInvariants()
        precondition(waiters.count <= 100_000, "too many wait")
    }

    // MARK: Start and end

    mutating func start(_ outputs: inout [NodeOutput<Packet>]) {
        incarnation += 1
        // Changed only where a bug is planted.
        var found = disk.recovered(&random)
        #if PLANTED_BUGS
            if settings.bug == .termRegressesOnRestart { found.hardState = HardState() }
        #endif
        raft = Raft(id: id, settings: settings, start: found, seed: random.next())
        isUp = true
        hasFailed = false
        lastEpoch = 0
        watch = NodeWatch()
        manners = CoreManners(raft)
        if isTraced, incarnation > 1 { outputs.append(.traced(traceLine(of: nil, given: []))) }
        flush(&outputs)
    }

    mutating func stop(_ crash: Crash, _ random: inout SplitMix64) {
        disk.commitHint = min(raft.commit, disk.lastIndex)
        switch crash {
        case .kill: disk.kill()
        case .powerCut: disk.cutPower(&random)
        }
        pastMarks.formUnion(raft.marks)
        isUp = false
        effects = []
        followUps = []
        waiters = []
        logSync = nil
        journalVersion = nil
        reads = []
        installing = nil
        repairing = nil
    }

    mutating func harm(_ harm: DiskHarm, _ random: inout SplitMix64) {
        switch harm {
        case .full(let isFull): disk.isFull = isFull
        case .damage(let first, let last, let termsAreKnown):
            disk.damaged = [
                RaftStart.DamagedRange(first: first, last: last, termsAreKnown: termsAreKnown)
            ]
        case .over: disk.isFull = false
        case .crashAtCall: break
        }
    }

    // MARK: What happens

    mutating func tick(_ outputs: inout [NodeOutput<Packet>]) throws(Violation) {
        manners.tick()
        try step(.tick, nil, &outputs)
        guard settings.quietTicks != nil else { return }
        watch.ticks += 1
        guard raft.isQuiet else {
            watch.isWatching = false
            return
        }
        if !watch.isWatching { watch.begin() }
        let members = raft.configuration.members
        if watch.ticks % max(1, settings.heartbeatTicks) == 0 {
            for member in members where member != id {
                outputs.append(
                    .send(
                        to: member.node, Packet(node: id.node, incarnation: incarnation),
                        bytes: 16, promise: nil))
            }
        }
        for member in members where member != id {
            if watch.isOverdue(member.node, after: 2 * settings.electionTicks) {
                try step(.nodeLost(member.node), nil, &outputs)
            }
        }
    }

    mutating func receive(_ packet: Packet, _ outputs: inout [NodeOutput<Packet>]) throws(Violation)
    {
        if settings.quietTicks != nil, watch.hear(packet.node, packet.incarnation) {
            try step(.nodeLost(packet.node), nil, &outputs)
        }
        if let message = packet.message, message.to == id { manners.hear(message.from) }
        if let message = packet.message { try step(.message(message), packet, &outputs) }
    }

    mutating func receive(_ command: NodeCommand, _ outputs: inout [NodeOutput<Packet>])
        throws(Violation)
    {
        switch command {
        case .read(let operation): try step(.read(ReadID(UInt64(operation))), nil, &outputs)
        case .changeMembers(let voters, let learners):
            try step(.changeMembers(voters: voters, learners: learners), nil, &outputs)
        case .transfer(let target): try step(.transfer(to: target), nil, &outputs)
        case .campaign: try step(.campaign, nil, &outputs)
        case .retain(let index):
            let last = min(index, min(raft.commit, disk.lastIndex))
            guard last > disk.start.index, installing == nil else { return }
            disk.removeFirst(upTo: last)
            outputs.append(.startMoved)
            try step(.logStartMoved(lastGone: last), nil, &outputs)
        case .nodeLost(let node): try step(.nodeLost(node), nil, &outputs)
        case .wake: try step(.wake, nil, &outputs)
        }
    }

    mutating func propose(_ proposals: [Proposal], _ outputs: inout [NodeOutput<Packet>])
        throws(Violation)
    {
        var infos: [EntryInfo] = []
        let first = disk.lastIndex.next
        for proposal in proposals {
            let waiting = infos.reduce(0) { $0 + $1.size }
            let refusal = raft.proposalRefusal(expecting: nil, bytes: waiting + proposal.bytes)
            guard refusal == nil, !disk.isFull else {
                outputs.append(
                    .answer(
                        operation: proposal.operation, .refused(leader: raft.leader?.node)))
                continue
            }
            let info = EntryInfo(term: raft.term, size: proposal.bytes)
            disk.append(info, value: proposal.value, count: proposal.count)
            infos.append(info)
            waiters.append(
                Waiter(index: disk.lastIndex, term: raft.term, operation: proposal.operation))
        }
        guard !infos.isEmpty else { return }
        outputs.append(.wrote(from: first, truncates: false))
        try step(.appended(infos), nil, &outputs)
    }

    mutating func complete(
        _ operation: DiskOperation, fails: Bool, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        if fails, !hasFailed {
            hasFailed = true
            return try step(.storageFailed, nil, &outputs)
        }
        switch operation.kind {
        case .log:
            guard let (through, epoch) = logSync else { return }
            logSync = nil
            manners.diskHasMoved()
            // What was truncated meanwhile, and written again, this sync has not seen.
            disk.sync(through: min(through, syncableIndex))
            try step(.entriesStored(through: through, epoch: epoch), nil, &outputs)
        case .journal:
            guard let version = journalVersion else { return }
            journalVersion = nil
            disk.save(version: version)
            manners.diskHasMoved()
            try step(.hardStateSaved(version: version), nil, &outputs)
        case .read:
            guard let place = reads.firstIndex(where: { $0.number == operation.number }) else {
                return
            }
            tracedFrom = outputs.count
            try sendStored(reads.remove(at: place).request, &outputs)
        case .install:
            guard let (snapshot, start) = installing else { return }
            installing = nil
            disk.reset(start, members: snapshot.configuration)
            waiters = []
            unsyncedFrom = snapshot.lastIndex.next
            outputs.append(.reset)
            try step(.snapshotInstalled(snapshot), nil, &outputs)
        case .repair:
            guard let (first, last) = repairing else { return }
            repairing = nil
            disk.repair(first: first, last: last)
            try step(.repaired(first: first, last: last), nil, &outputs)
        }
    }

    /// Where the log was cut since the sync under way began.
    private var unsyncedFrom: LogIndex?
    private var syncableIndex: LogIndex {
        unsyncedFrom.map(\.previous) ?? disk.lastIndex
    }

    var currentIncarnation: UInt64 { incarnation }

    /// Tells the core which stored entries are on their way.
    mutating func tellSent(
        _ request: StoredRequest, last: LogIndex, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        try step(
            .storedSent(
                to: request.to, first: request.first, last: last, term: request.term), nil,
            &outputs)
    }

    /// Tells of an input, unless it cannot have had any effect.
    private mutating func trace(
        _ input: Input, given: ArraySlice<NodeOutput<Packet>>,
        _ outputs: inout [NodeOutput<Packet>]
    ) {
        let state = traceState
        // A vote or an acknowledgement may change what the core knows and nothing that is seen.
        let isPlain = ["tick", "message"].contains(Self.cause(of: input))
        if given.isEmpty, state == lastTraced, isPlain { return }
        lastTraced = state
        outputs.append(.traced(traceLine(of: input, given: given)))
    }

    private var isDiskIdle: Bool {
        disk.syncedIndex >= disk.lastIndex && disk.writtenStates.isEmpty
    }

    // MARK: Effects

    private mutating func step(
        _ input: Input, _ packet: Packet?, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        var effects: [Effect] = []
        swap(&effects, &self.effects)
        let first = tracedFrom ?? outputs.count
        tracedFrom = nil
        raft.receive(input, into: &effects)
        try manners.check(raft, after: input, diskIsIdle: isDiskIdle)
        refusedFrom = nil
        for effect in effects { try perform(effect, packet, &outputs) }
        effects.removeAll(keepingCapacity: true)
        swap(&effects, &self.effects)
        if isTraced { trace(input, given: outputs[first...], &outputs) }
        if !followUps.isEmpty { try step(followUps.removeFirst(), nil, &outputs) }
        flush(&outputs)
    }

    /// Begins the syncs that there is something for.
    private mutating func flush(_ outputs: inout [NodeOutput<Packet>]) {
        guard !hasFailed else { return }
        if logSync == nil, disk.syncedIndex < disk.lastIndex, installing == nil {
            logSync = (disk.lastIndex, lastEpoch)
            unsyncedFrom = nil
            outputs.append(.disk(DiskOperation(kind: .log, number: 0)))
        }
        if journalVersion == nil, let last = disk.writtenStates.last {
            journalVersion = last.version
            outputs.append(.disk(DiskOperation(kind: .journal, number: 0)))
        }
    }

    private mutating func perform(
        _ effect: Effect, _ packet: Packet?, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        switch effect {
        case .saveHardState(let state, let version): disk.write(state, version: version)
        case .append(let request): write(request, packet, &outputs)
        case .send(let message): try send(message, &outputs)
        case .sendStored(let request):
            operations += 1
            reads.append((request, operations))
            outputs.append(.disk(DiskOperation(kind: .read, number: operations)))
        case .commit(let index):
            outputs.append(.commit(index))
            answerWaiters(upTo: index, &outputs)
        case .roleChanged(let report): outputs.append(.role(report))
        case .membersChanged(let configuration): outputs.append(.members(configuration))
        case .readReady(let read, let index):
            outputs.append(.readReady(operation: Int(read.rawValue), index))
        case .readFailed(let read):
            outputs.append(
                .answer(
                    operation: Int(read.rawValue), .refused(leader: raft.leader?.node)))
        case .changeEnded(let refusal): outputs.append(.changeEnded(refusal))
        case .transferEnded: break
        case .installSnapshot(let snapshot, _):
            installing = (
                snapshot,
                LogStart(
                    index: snapshot.lastIndex, term: snapshot.lastTerm,
                    offset: packet?.startOffset ?? 0)
            )
            outputs.append(.disk(DiskOperation(kind: .install, number: 0)))
        case .repair(let first, let entries):
            guard repairing == nil else { return }
            repairing = (first, first.advanced(by: entries.count - 1))
            outputs.append(.disk(DiskOperation(kind: .repair, number: 0)))
        case .observed: break
        }
    }

    private mutating func write(
        _ request: AppendRequest, _ packet: Packet?, _ outputs: inout [NodeOutput<Packet>]
    ) {
        lastEpoch = request.epoch
        if request.truncates, request.first <= disk.lastIndex {
            disk.truncate(from: request.first)
            unsyncedFrom = min(unsyncedFrom ?? request.first, request.first)
            while let last = waiters.last, last.index >= request.first {
                outputs.append(.answer(operation: last.operation, .unknown))
                waiters.removeLast()
            }
            outputs.append(.wrote(from: request.first, truncates: true))
        }
        if disk.isFull || refusedFrom != nil {
            if refusedFrom == nil { followUps.append(.entriesRefused(last: disk.lastIndex)) }
            refusedFrom = refusedFrom ?? request.first
            return
        }
        precondition(request.first == disk.lastIndex.next, "entries with a gap before them")
        for (number, info) in request.entries.enumerated() {
            if let skipped = request.skippedOfMessage, let packet {
                let content = packet.contents[skipped + number]
                disk.append(info, value: content.value, count: content.count)
            } else {
                disk.append(info, value: 0, count: 0)
            }
        }
        outputs.append(.wrote(from: request.first, truncates: false))
    }

    private mutating func answerWaiters(
        upTo index: LogIndex, _ outputs: inout [NodeOutput<Packet>]
    ) {
        while let first = waiters.first, first.index <= index {
            waiters.removeFirst()
            let isThere =
                first.index > disk.start.index
                && disk.entry(at: first.index).info.term == first.term
            outputs.append(
                .answer(
                    operation: first.operation,
                    isThere
                        ? .acknowledged(
                            first.index, first.term,
                            offset: disk.entry(at: first.index).baseOffset) : .unknown))
        }
    }
}
