// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

// What nodes give out.
extension ClusterRun {
    mutating func perform(
        _ output: NodeOutput<Node.Packet>, _ slot: Int
    ) throws(Violation) {
        switch output {
        case .send(let node, let packet, let bytes, let promise):
            try send(packet, from: slot, to: Int(node) - 1, bytes: bytes, promise)
        case .disk(let operation): plan(operation, slot)
        case .wrote(let first, let truncates): try wrote(slot, from: first, truncates)
        case .reset:
            marks.insert(.logReset)
            let start = try slots[slot].node.logStart()
            try oracle.wasReset(slot, to: start, members: slots[slot].node.configuration)
            note { "at \(slot + 1): the log begins anew behind \(start.index)" }
        case .startMoved:
            marks.insert(.startMoved)
            try oracle.startMoved(slot, to: try slots[slot].node.logStart())
        case .commit(let index): try commit(slot, index)
        case .role(let report):
            note { "at \(slot + 1): \(report.role) in term \(report.term)" }
            oracle.logs[slot].report = report
            if report.role == .leader {
                try oracle.elected(slot, slots[slot].node.id, in: report.term)
                guard !slots[slot].node.isDamaged else {
                    throw Violation("node \(slot + 1) leads, and cannot read all its entries")
                }
            }
        case .members(let configuration):
            note { "at \(slot + 1): members \(configuration)" }
            oracle.logs[slot].configuration = configuration
        case .answer(let operation, let answer):
            try reply(answer, to: operation, from: slot)
        case .promise(let promise):
            try oracle.promised(
                promise, by: slots[slot].node.id, slot, durable: slots[slot].node.durableIndex)
        case .readReady(let operation, let index):
            let end = try slots[slot].node.endOffset(at: index)
            try reply(.read(index, end: end), to: operation, from: slot)
        case .traced(let line):
            tracedLines += 1
            options.trace?(line)
            if tracedLines >= options.traceMax { hasConverged = true }
        case .changeEnded(let refusal):
            note { "at \(slot + 1): change \(refusal.map { "refused: \($0)" } ?? "done")" }
        }
    }

    private mutating func send(
        _ packet: Node.Packet, from: Int, to: Int, bytes: Int, _ promise: Promise?
    ) throws(Violation) {
        if let promise {
            try oracle.promised(
                promise, by: slots[from].node.id, from, durable: slots[from].node.durableIndex)
        }
        guard to >= 0, to < slots.count, to != from else { return }
        if let time = network.arrival(from: from, to: to, bytes: bytes, now: now) {
            queue.plan(.deliver(from: from, to: to, packet), at: time)
        }
        if let time = network.repeatArrival(from: from, to: to, now: now) {
            queue.plan(.deliver(from: from, to: to, packet), at: time)
        }
        keep((from, to, packet))
    }

    /// Keeps one of so many messages for a replay: some until soon after, and some of them for so long
    /// that leaders come and go meanwhile.
    private mutating func keep(_ message: Kept) {
        guard events % 61 == 0 else { return }
        if kept.count == Self.keptMax { kept.removeFirst() }
        kept.append(message)
        guard events % (61 * 16) == 0 else { return }
        if keptLonger.count == Self.keptMax { keptLonger.removeFirst() }
        keptLonger.append(message)
    }

    private mutating func plan(_ operation: DiskOperation, _ slot: Int) {
        let life = slots[slot].life
        let mean: Int64
        switch operation.kind {
        case .log, .journal, .install: mean = plan.disk.syncMean
        case .read, .repair: mean = plan.disk.readMean
        }
        if isCalm {
            // What has piled up behind slow disks is to be gone before long.
            let time = now + 10 + chanceOfDisk.exponential(mean: min(mean, 500))
            return queue.plan(
                .disk(slot: slot, life: life, operation, fails: false), at: time)
        }
        var latency = plan.disk.syncMin + chanceOfDisk.exponential(mean: mean)
        if plan.disk.slowOneIn > 0, chanceOfDisk.pick(1...plan.disk.slowOneIn) == 1 {
            latency *= 10
        }
        var time = max(now, slots[slot].diskStalledUntil) + latency
        switch operation.kind {
        case .log:
            time = max(time, slots[slot].diskFree.log)
            slots[slot].diskFree.log = time
        case .journal:
            time = max(time, slots[slot].diskFree.journal)
            slots[slot].diskFree.journal = time
        case .read, .install, .repair: break
        }
        let fails = slots[slot].syncFails
        slots[slot].syncFails = false
        queue.plan(.disk(slot: slot, life: life, operation, fails: fails), at: time)
    }

    private mutating func wrote(
        _ slot: Int, from index: LogIndex, _ truncates: Bool
    ) throws(Violation) {
        if truncates { return try oracle.cut(slot, from: index) }
        let configurations = oracle.logs[slot].configurations.count
        try readNew(slot)
        if oracle.logs[slot].leads,
            oracle.logs[slot].configurations.count > configurations
        {
            try oracle.appendedConfiguration(slot)
        }
    }

    /// Shows the oracle what it has not seen of a log.
    mutating func readNew(_ slot: Int) throws(Violation) {
        let last = slots[slot].node.writtenIndex
        var next = oracle.logs[slot].lastIndex.next
        while next <= last {
            let content = try slots[slot].node.content(at: next)
            try oracle.add(content, at: next, to: slot)
            next = next.next
        }
    }

    private mutating func commit(_ slot: Int, _ index: LogIndex) throws(Violation) {
        guard try oracle.commits(slot, upTo: index) else { return }
        note { "at \(slot + 1): committed \(index)" }
        guard let chain = oracle.logs[slot].chain(at: index) else { return }
        let configuration = oracle.logs[slot].configuration
        for voters in [configuration.voters, configuration.outgoing] where !voters.isEmpty {
            let count = voters.count { isDurable(index, chain, at: $0) }
            guard count > voters.count / 2 else {
                throw Violation(
                    "entry \(index) is committed, and durable on \(count) of \(voters)")
            }
        }
    }

    /// What a leader believes to be on others' disks is there.
    mutating func checkBeliefs(_ slot: Int) throws(Violation) {
        guard oracle.logs[slot].leads else { return }
        let term = oracle.logs[slot].report.term
        for (id, match) in slots[slot].node.believedMatches {
            let place = Int(id.node) - 1
            // Who follows somebody else by now may have other entries.
            guard slots[place].node.id == id, slots[place].node.isUp,
                slots[place].node.state.term == term,
                let chain = oracle.logs[slot].chain(at: match),
                match > oracle.logs[slot].start.index
            else { continue }
            guard isDurable(match, chain, at: id) else {
                throw Violation("the leader believes that \(id) has \(match), which it has not")
            }
        }
    }

    /// Whether a voter's disk has an entry.
    private func isDurable(_ index: LogIndex, _ chain: UInt64, at id: ReplicaID) -> Bool {
        let place = Int(id.node) - 1
        guard slots[place].node.id == id else { return oracle.hadDurable(id, index, chain) }
        guard index <= slots[place].node.durableIndex else { return false }
        return index < oracle.logs[place].start.index
            || oracle.logs[place].chain(at: index) == chain
    }
}
