// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Positions
internal import RaftCore

/// One run of a simulated cluster: nodes, network, disks, clients, faults and what checks them.
///
/// A single loop takes the next event and has one node deal with it. All chance comes from the
/// seed, each concern has a generator of its own, and nothing depends on the order of a hash table:
/// so equal seeds have equal runs.
struct ClusterRun<Node: SimulatedNode> {
    typealias Outputs = [NodeOutput<Node.Packet>]

    /// A place for a node, and what is not its own doing.
    struct Slot {
        var node: Node
        /// Grows with each start and each end of the process.
        var life = 0
        var pausedUntil: Int64 = 0
        var tick: Int64
        var diskStalledUntil: Int64 = 0
        var syncFails = false
        /// Storage operations complete in order.
        var diskFree: (log: Int64, journal: Int64) = (0, 0)
        /// Proposals that gather.
        var inbox: [Proposal] = []
        var hasPlannedProposals = false
        /// The disk has failed, and the process is about to end.
        var isEnding = false
        /// Has ever been started.
        var hasStarted = false
        /// Stays down to the end.
        var isOut = false
        /// How often the disk was exchanged for an empty one.
        var wipes: UInt64 = 0
    }

    /// A message that was sent once.
    typealias Kept = (from: Int, to: Int, packet: Node.Packet)
    static var keptMax: Int { 16 }

    let seed: UInt64
    let plan: ClusterPlan
    let options: ClusterOptions
    var queue = EventQueue<ClusterEvent<Node.Packet>>()
    var now: Int64 = 0
    var events: UInt64 = 0
    var digest: UInt64
    var slots: [Slot] = []
    var network: Network
    var oracle: ClusterOracle
    var clients: [ClusterClient] = []
    var operations: [ClusterOperation] = []
    var history = History()
    var marks = ClusterMarks()
    var isCalm = false
    var calmSince: Int64 = 0
    var hasConverged = false
    var tracedLines = 0
    /// Who was told to lead at the end, and in which term.
    var heir: (id: ReplicaID, term: Term)?
    /// Messages of lately, and of long ago, to be sent again.
    var kept: [Kept] = []
    var keptLonger: [Kept] = []
    /// Of disks that are gone.
    var oldMarks = Marks()
    var secondMessages = 0
    var second: Int64 = 0

    var chanceOfDisk: SplitMix64
    var chanceOfClients: SplitMix64
    var chanceOfNodes: SplitMix64
    var chanceOfWorld: SplitMix64
    private var outputs: Outputs = []

    init(seed: UInt64, options: ClusterOptions) {
        self.seed = seed
        self.options = options
        var random = SplitMix64(seed: seed ^ 0xc0_7d_00d0)
        plan = ClusterPlan(seed: random.next(), duration: options.duration)
        digest = seed
        oracle = ClusterOracle(trustsStartMembers: options.profile == .core)
        chanceOfDisk = random.fork()
        chanceOfClients = random.fork()
        chanceOfNodes = random.fork()
        chanceOfWorld = random.fork()
        network = Network(
            nodeCount: plan.nodeCount + plan.spareCount, plan: plan.network,
            random: random.fork())
        let members = Configuration(
            voters: (0..<plan.nodeCount).map { ReplicaID(node: UInt64($0) + 1) })
        for number in 0..<(plan.nodeCount + plan.spareCount) {
            let isFirst = number < plan.nodeCount
            let own = isFirst ? members : Configuration(voters: [])
            slots.append(Slot(node: Node(setup(number, life: 0, own)), tick: plan.tick))
            oracle.logs.append(ShadowLog(members: own))
            drift(number)
            if isFirst { queue.plan(.start(slot: number), at: plan.lateStarts[number]) }
        }
        for number in 0..<plan.clients.count {
            clients.append(ClusterClient(guess: number % plan.nodeCount))
            queue.plan(.client(number), at: Int64(number) * 1000)
        }
        if options.trace != nil { traceBeginning() }
        for (number, fault) in plan.faults.enumerated()
        where !options.leavesOut(number) && (options.trace == nil || fault.kind.isTraceable) {
            queue.plan(.fault(number), at: fault.time)
        }
        queue.plan(.look, at: plan.duration)
    }

    mutating func drift(_ slot: Int) {
        let drift = Int64(chanceOfWorld.pick(-plan.driftMax...plan.driftMax))
        slots[slot].tick = plan.tick + plan.tick * drift / 1000
    }

    mutating func setup(_ slot: Int, life: UInt64, _ members: Configuration) -> NodeSetup {
        var settings = plan.raft
        settings.reluctance = plan.reluctances[slot]
        #if PLANTED_BUGS
            settings.bug = options.bug
        #endif
        return NodeSetup(
            id: ReplicaID(node: UInt64(slot) + 1, life: life), settings: settings,
            members: members, seed: chanceOfNodes.next(), segmentSizeMax: plan.segmentSizeMax,
            isTraced: options.trace != nil)
    }

    /// Who there is, as the first line of a trace.
    private func traceBeginning() {
        let servers = slots.indices.map { "\($0 + 1)" }.joined(separator: ",")
        let voters = (1...plan.nodeCount).map { "\($0)" }.joined(separator: ",")
        options.trace?("{\"servers\":[\(servers)],\"voters\":[\(voters)],\"seed\":\(seed)}")
    }

    // MARK: The loop

    mutating func run() throws(ClusterFailure) -> ClusterReport {
        note { plan.lines.joined(separator: "\n") }
        do throws(Violation) {
            while !hasConverged, let (time, event) = queue.popFirst() {
                now = time
                events += 1
                if case .deliver = event { try countMessage() }
                digest = (digest ^ UInt64(bitPattern: time)) &* 0x9e37_79b9_7f4a_7c15
                try handle(event)
            }
            if options.trace == nil { try checkEnd() }
        } catch {
            throw ClusterFailure(
                seed: seed, profile: options.profile, time: now, event: events,
                message: error.message, faultCount: plan.faults.count,
                leftOut: options.leftOut)
        }
        return report()
    }

    private func report() -> ClusterReport {
        var report = ClusterReport(digest: digest, events: events, time: now)
        report.marks = marks
        report.coreMarks = oldMarks
        for slot in slots { report.coreMarks.formUnion(slot.node.marks) }
        report.committed = oracle.committed.count
        report.acknowledged = operations.count { $0.isAcknowledged }
        return report
    }

    /// A storm of messages is a bug even if all ends well.
    private mutating func countMessage() throws(Violation) {
        if now / 1_000_000 != second {
            second = now / 1_000_000
            secondMessages = 0
        }
        secondMessages += 1
        guard secondMessages <= messagesPerSecondMax else {
            throw Violation("more than \(messagesPerSecondMax) messages within a second")
        }
    }

    /// Generous: several times what the busiest seeds need.
    private var messagesPerSecondMax: Int {
        let perTick = 1_000_000 / Int(plan.tick) * slots.count
        return 20_000 + 20 * perTick * slots.count
    }

    private mutating func handle(_ event: ClusterEvent<Node.Packet>) throws(Violation) {
        switch event {
        case .tick(let slot, let life): try tick(slot, life)
        case .deliver(let from, let to, let packet): try deliver(packet, from, to)
        case .disk(let slot, let life, let operation, let fails):
            try complete(slot, life, operation, fails: fails)
        case .propose(let slot, let life): try hand(slot, life)
        case .request(let slot, let operation, let attempt):
            try request(slot, operation, attempt)
        case .answer(let operation, let attempt, let answer):
            try take(answer, operation, attempt)
        case .polled(let operation, let attempt, let answer):
            take(answer, operation, attempt)
        case .client(let number): act(number)
        case .timeout(let operation): timeOut(operation)
        case .fault(let number): try strike(number)
        case .heal:
            note { "all links are whole again" }
            network.heal()
        case .start(let slot): try start(slot)
        case .resume: break
        case .exit(let slot, let life):
            if slots[slot].life == life { try stop(slot, .powerCut) }
        case .diskHasRoom(let slot, let life):
            if slots[slot].life == life { slots[slot].node.harm(.full(false), &chanceOfDisk) }
        case .look: try look()
        }
    }

    // MARK: Nodes

    private mutating func tick(_ slot: Int, _ life: Int) throws(Violation) {
        guard slots[slot].life == life, slots[slot].node.isUp else { return }
        queue.plan(.tick(slot: slot, life: life), at: now + slots[slot].tick)
        guard now >= slots[slot].pausedUntil else { return }
        try act(slot) { node, outputs throws(Violation) in try node.tick(&outputs) }
        try checkBeliefs(slot)
    }

    private mutating func deliver(
        _ packet: Node.Packet, _ from: Int, _ to: Int
    ) throws(Violation) {
        if slots[to].node.isUp, now < slots[to].pausedUntil {
            // It waits in the kernel.
            return queue.plan(
                .deliver(from: from, to: to, packet), at: slots[to].pausedUntil)
        }
        guard network.arrives(from: from, to: to), slots[to].node.isUp else { return }
        note { "to \(to + 1): \(slots[to].node.describe(packet))" }
        try act(to) { node, outputs throws(Violation) in try node.receive(packet, &outputs) }
    }

    private mutating func complete(
        _ slot: Int, _ life: Int, _ operation: DiskOperation, fails: Bool
    ) throws(Violation) {
        guard slots[slot].life == life else { return }
        if now < slots[slot].pausedUntil {
            return queue.plan(
                .disk(slot: slot, life: life, operation, fails: fails),
                at: slots[slot].pausedUntil)
        }
        note { "at \(slot + 1): \(operation.kind) \(fails ? "fails" : "is done")" }
        try act(slot) { node, outputs throws(Violation) in
            try node.complete(operation, fails: fails, &outputs)
        }
    }

    /// Has a node do something, and performs what comes of it.
    mutating func act(
        _ slot: Int, _ body: (inout Node, inout Outputs) throws(Violation) -> Void
    ) throws(Violation) {
        var outputs: Outputs = []
        swap(&outputs, &self.outputs)
        defer {
            outputs.removeAll(keepingCapacity: true)
            swap(&outputs, &self.outputs)
        }
        try body(&slots[slot].node, &outputs)
        if let crash = slots[slot].node.mustStop {
            return try stopInCall(slot, crash, outputs)
        }
        for output in outputs { try perform(output, slot) }
        if slots[slot].node.hasFailed, !slots[slot].isEnding {
            marks.insert(.storageFailed)
            slots[slot].isEnding = true
            queue.plan(
                .exit(slot: slot, life: slots[slot].life),
                at: now + chanceOfDisk.time(0...200_000))
        }
        guard slots[slot].node.isUp else { return }
        let state = slots[slot].node.state
        try oracle.check(slot, state, isFresh: slots[slot].node.hasFailed)
        slots[slot].node.checkInvariants()
        digest ^=
            state.commit.rawValue &* 31 &+ state.lastIndex.rawValue &* 17 &+ state.term.rawValue
    }

    /// The process has ended in the midst of a call: nobody hears of anything that came of it, but
    /// the log may have been cut.
    private mutating func stopInCall(
        _ slot: Int, _ crash: Crash, _ outputs: Outputs
    ) throws(Violation) {
        marks.insert(.crashedInCall)
        for output in outputs {
            switch output {
            case .wrote(let index, truncates: true): try oracle.cut(slot, from: index)
            case .reset: oracle.logs[slot].promised = .zero
            default: break
            }
        }
        try stop(slot, crash)
    }

    mutating func start(_ slot: Int) throws(Violation) {
        guard !slots[slot].node.isUp, !slots[slot].isOut else { return }
        slots[slot].life += 1
        let life = slots[slot].life
        note { "node \(slot + 1) starts" }
        if slots[slot].hasStarted { marks.insert(.restarted) }
        if slots[slot].node.isDamaged { marks.insert(.damagedAtStart) }
        slots[slot].hasStarted = true
        var outputs: Outputs = []
        try slots[slot].node.start(&outputs)
        guard slots[slot].node.isUp else {
            // The process ended in the midst of its start.
            queue.plan(.start(slot: slot), at: now + 50_000)
            return
        }
        let start = try slots[slot].node.logStart()
        let before = oracle.logs[slot]
        try oracle.restarts(slot, at: start, members: startMembers(slot, at: start))
        try readNew(slot)
        let state = slots[slot].node.state
        try oracle.restarted(slot, state, before: before)
        if state.lastIndex < before.lastIndex { marks.insert(.unsyncedEntriesLost) }
        oracle.logs[slot].configuration = slots[slot].node.configuration
        oracle.logs[slot].report = RoleReport(role: .follower, term: state.term, leader: nil)
        for output in outputs { try perform(output, slot) }
        let first = chanceOfWorld.time(0...slots[slot].tick)
        queue.plan(.tick(slot: slot, life: life), at: now + first)
    }

    /// The members as of a log's start: from what was committed there, or what the group began with.
    private func startMembers(_ slot: Int, at start: LogStart) -> Configuration {
        let configurations = oracle.logs[slot].configurations
        return configurations.last { $0.index <= start.index }?.configuration
            ?? configurations[0].configuration
    }

    mutating func stop(_ slot: Int, _ crash: Crash) throws(Violation) {
        guard slots[slot].node.isUp else { return }
        note { "node \(slot + 1) ends by \(crash)" }
        slots[slot].life += 1
        slots[slot].pausedUntil = 0
        slots[slot].inbox = []
        slots[slot].hasPlannedProposals = false
        slots[slot].syncFails = false
        slots[slot].isEnding = false
        slots[slot].diskFree = (0, 0)
        slots[slot].node.stop(crash, &chanceOfDisk)
        slots[slot].node.harm(.full(false), &chanceOfDisk)
        let mean = isCalm ? 50_000 : chanceOfWorld.pick([20_000, 300_000, 1_500_000])
        queue.plan(
            .start(slot: slot), at: now + 1_000 + chanceOfWorld.exponential(mean: Int64(mean)))
    }

    // MARK: What is written for those who look

    /// Writes a line, if somebody reads it.
    func note(_ line: () -> String) {
        guard let report = options.report, events >= options.reportFrom else { return }
        report("\(events) \(Double(now) / 1_000_000)s \(line())")
    }
}
