// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Positions
internal import RaftCore

// What goes wrong.
extension ClusterRun {
    mutating func strike(_ number: Int) throws(Violation) {
        guard !isCalm else { return }
        let fault = plan.faults[number]
        var random = SplitMix64(seed: fault.seed)
        let victim = victim(&random)
        note { "fault \(number): \(fault.kind), if it is about a node, of \(victim + 1)" }
        switch fault.kind {
        case .kill: try stop(victim, .kill)
        case .powerCut: try stop(victim, .powerCut)
        case .clusterPowerCut:
            marks.insert(.wholeClusterCut)
            for slot in slots.indices { try stop(slot, .powerCut) }
        case .pause: pause(victim, &random)
        case .bipartition, .isolation, .oneWayCut, .bridge:
            cut(fault.kind, victim, &random)
        case .heal: network.heal()
        case .clog: clog(&random)
        case .replay: replay(&random)
        case .diskStall:
            marks.insert(.stalledSync)
            slots[victim].diskStalledUntil = now + length(&random)
        case .syncFailure: slots[victim].syncFails = slots[victim].node.isUp
        case .diskFull:
            guard slots[victim].node.isUp else { return }
            marks.insert(.diskFull)
            slots[victim].node.harm(.full(true), &random)
            queue.plan(
                .diskHasRoom(slot: victim, life: slots[victim].life), at: now + length(&random))
        case .wipe: try wipe(victim, &random)
        case .damage: try damage(victim, &random)
        case .crashAtCall:
            slots[victim].node.harm(
                .crashAtCall(random.pick(0...40), random.pick([.kill, .powerCut])), &random)
        case .retention: try retain(victim, &random)
        case .transfer, .memberChange, .rumour, .campaign:
            try operate(fault.kind, victim, &random)
        case .drift: drift(victim)
        }
    }

    /// As often as not the one who leads.
    private func victim(_ random: inout SplitMix64) -> Int {
        let any = random.pick(0...(slots.count - 1))
        guard random.happens(percent: 50) else { return any }
        return leaderSlot ?? any
    }

    /// Who leads in the highest term.
    var leaderSlot: Int? {
        var found: Int?
        var term = Term.zero
        for slot in slots.indices where slots[slot].node.isUp {
            let state = slots[slot].node.state
            if state.role == .leader, state.term > term {
                found = slot
                term = state.term
            }
        }
        return found
    }

    /// How long a fault lasts: about as long as an election, or much shorter, or much longer, and at
    /// most until the faults stop: what a link or a disk holds back longer would be a fault of the calm.
    private func length(_ random: inout SplitMix64) -> Int64 {
        let timeout = plan.tick * Int64(plan.raft.electionTicks)
        let length = 1 + random.exponential(mean: random.pick([timeout / 4, timeout, 4 * timeout]))
        return max(1, min(length, plan.duration - now))
    }

    private mutating func pause(_ victim: Int, _ random: inout SplitMix64) {
        guard slots[victim].node.isUp else { return }
        marks.insert(.paused)
        slots[victim].pausedUntil = max(slots[victim].pausedUntil, now + length(&random))
    }

    private mutating func cut(
        _ kind: PlannedFault.Kind, _ victim: Int, _ random: inout SplitMix64
    ) {
        marks.insert(.linkCut)
        network.heal()
        let sides = slots.indices.map { _ in random.happens(percent: 50) }
        for from in slots.indices {
            for to in slots.indices where from != to {
                let isCut =
                    switch kind {
                    case .bipartition: sides[from] != sides[to]
                    case .isolation: from == victim || to == victim
                    case .oneWayCut: from == victim && sides[to]
                    // Two sides that only the victim can talk to.
                    default: sides[from] != sides[to] && from != victim && to != victim
                    }
                if isCut { network.cut(from, to) }
            }
        }
        queue.plan(.heal, at: now + length(&random))
    }

    private mutating func clog(_ random: inout SplitMix64) {
        marks.insert(.linkClogged)
        let from = random.pick(0...(slots.count - 1))
        let to = random.pick(0...(slots.count - 1))
        network.clog(from, to, until: now + length(&random))
    }

    private mutating func replay(_ random: inout SplitMix64) {
        for _ in 0..<random.pick(1...8) where !kept.isEmpty {
            let isOld = !keptLonger.isEmpty && random.happens(percent: 50)
            let old = random.pick(isOld ? keptLonger : kept)
            marks.insert(.messageReplayed)
            network.addReplay(from: old.from, to: old.to)
            queue.plan(
                .deliver(from: old.from, to: old.to, old.packet),
                at: now + random.exponential(mean: 20_000))
        }
    }

    // MARK: Disks

    /// Every configuration that some live disk holds, or could still count.
    private var configurationsInUse: [Configuration] {
        var found: [Configuration] = []
        for log in oracle.logs {
            for (_, configuration) in log.configurations.suffix(3) { found.append(configuration) }
        }
        return found
    }

    /// Whether a majority of each configuration is sound without a node: its disk was never
    /// exchanged, and can be read.
    private func isDispensable(_ victim: Int) -> Bool {
        func isSound(_ id: ReplicaID) -> Bool {
            let slot = Int(id.node) - 1
            return slot != victim && slots[slot].node.id == id && !slots[slot].node.isDamaged
        }
        return configurationsInUse.allSatisfy { configuration in
            [configuration.voters, configuration.outgoing].allSatisfy { voters in
                voters.isEmpty || voters.count { isSound($0) } > voters.count / 2
            }
        }
    }

    /// The disk is exchanged for an empty one, and the node comes back as another replica.
    private mutating func wipe(_ victim: Int, _ random: inout SplitMix64) throws(Violation) {
        guard slots[victim].hasStarted, isDispensable(victim) else { return }
        marks.insert(.diskWiped)
        try stop(victim, .powerCut)
        slots[victim].wipes += 1
        for slot in slots.indices { oldMarks.formUnion(slots[slot].node.marks) }
        let nobody = Configuration(voters: [])
        oracle.buried(
            victim, slots[victim].node.id, durable: slots[victim].node.durableIndex,
            newMembers: nobody)
        slots[victim].node = Node(setup(victim, life: slots[victim].wipes, nobody))
        slots[victim].hasStarted = false
    }

    /// Some durable entries cannot be read any more; those that enough others have.
    private mutating func damage(_ victim: Int, _ random: inout SplitMix64) throws(Violation) {
        let node = slots[victim].node
        let log = oracle.logs[victim]
        guard isDispensable(victim), slots[victim].hasStarted, !node.isDamaged,
            node.durableIndex > log.start.index
        else { return }
        let span = log.start.index.next.rawValue...node.durableIndex.rawValue
        let first = LogIndex(UInt64.random(in: span, using: &random))
        let count = random.pick([0, 0, 3, 30])
        let last = min(node.durableIndex, first.advanced(by: count))
        // It is committed, so that it can be repaired: what is not would be truncated one day, or
        // is on the disks of others as well.
        guard last <= oracle.committedIndex else { return }
        try stop(victim, .kill)
        slots[victim].node.harm(
            .damage(first: first, last: last, termsAreKnown: random.happens(percent: 60)),
            &random)
    }

    // MARK: Operators

    private mutating func retain(_ victim: Int, _ random: inout SplitMix64) throws(Violation) {
        guard slots[victim].node.isUp, now >= slots[victim].pausedUntil else { return }
        let state = slots[victim].node.state
        let kept = random.pick([0, 0, 5, 50])
        guard state.commit.rawValue > UInt64(kept) else { return }
        let last = LogIndex(state.commit.rawValue - UInt64(kept))
        note { "at \(victim + 1): entries up to \(last) go" }
        try act(victim) { node, outputs throws(Violation) in
            try node.receive(.retain(last), &outputs)
        }
    }

    private mutating func operate(
        _ kind: PlannedFault.Kind, _ victim: Int, _ random: inout SplitMix64
    ) throws(Violation) {
        let other = random.pick(0...(slots.count - 1))
        switch kind {
        case .rumour:
            marks.insert(.rumourHeard)
            try command(.nodeLost(UInt64(other) + 1), victim)
        case .campaign: try command(.campaign, victim)
        case .transfer:
            guard let leader = leaderSlot else { return }
            try command(.transfer(to: slots[other].node.id), leader)
        default:
            guard let leader = leaderSlot else { return }
            try changeMembers(leader, &random)
        }
    }

    mutating func command(_ command: NodeCommand, _ slot: Int) throws(Violation) {
        guard slots[slot].node.isUp, now >= slots[slot].pausedUntil else { return }
        note { "to \(slot + 1): \(command)" }
        try act(slot) { node, outputs throws(Violation) in
            try node.receive(command, &outputs)
        }
    }
}
