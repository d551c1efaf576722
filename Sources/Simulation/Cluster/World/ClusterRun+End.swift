// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Positions
internal import RaftCore
internal import Records

// How a run ends: the faults stop, a majority has to agree before long, and the books are checked.
extension ClusterRun {
    private var timeout: Int64 { plan.tick * Int64(plan.raft.electionTicks) }

    mutating func look() throws(Violation) {
        guard isCalm else { return try calm() }
        if isConverged(), try hasHandedOn() {
            hasConverged = true
            return
        }
        // Entries may have to go one by one, each taking a round trip, a read and a sync: in the calm
        // 5 ms where all is as slow as it gets. A member that begins anew lacks the whole log.
        let longest = slots.map(\.node.state.lastIndex.rawValue).max() ?? 0
        let patience = 100 * timeout + 60_000_000 + 5_000 * Int64(clamping: longest)
        guard now - calmSince < patience else {
            throw Violation(
                "no agreement \(patience / 1_000_000) s after the last fault: \(stateLine)")
        }
        probe()
        try retainEverywhere()
        queue.plan(.look, at: now + timeout)
    }

    /// Stops the faults, and leaves a majority that can go on.
    private mutating func calm() throws(Violation) {
        isCalm = true
        calmSince = now
        note { "no more faults" }
        network.calm(latencyMax: 1000)
        for slot in slots.indices {
            slots[slot].diskStalledUntil = 0
            slots[slot].syncFails = false
            slots[slot].pausedUntil = 0
            slots[slot].node.harm(.over, &chanceOfDisk)
            slots[slot].tick = plan.tick
        }
        let left = chooseMinority()
        if !left.isEmpty { marks.insert(.convergedWithMinorityDown) }
        for slot in left {
            try stop(slot, .powerCut)
            slots[slot].isOut = true
        }
        note { "out of it: \(left.map { $0 + 1 })" }
        for slot in slots.indices where slots[slot].hasStarted && !slots[slot].node.isUp {
            queue.plan(.start(slot: slot), at: now + chanceOfWorld.time(1...200_000))
        }
        // Those that every configuration may need, even if they never came up.
        for slot in slots.indices where isNamed(slots[slot].node.id) {
            queue.plan(.start(slot: slot), at: now + chanceOfWorld.time(1...200_000))
        }
        queue.plan(.look, at: now + timeout)
    }

    private func isNamed(_ id: ReplicaID) -> Bool {
        oracle.logs.contains { $0.configurations.contains { $0.configuration.contains(id) } }
    }

    /// Nodes that may stay down, as every configuration that may still count has a majority
    /// without them.
    private mutating func chooseMinority() -> [Int] {
        var left: [Int] = []
        guard chanceOfWorld.happens(percent: 60) else { return left }
        var candidates = Array(slots.indices)
        while !candidates.isEmpty {
            let slot = candidates.remove(at: chanceOfWorld.pick(0...(candidates.count - 1)))
            if isMajoritySound(without: left + [slot]) { left.append(slot) }
        }
        return left
    }

    private func isMajoritySound(without left: [Int]) -> Bool {
        func isSound(_ id: ReplicaID) -> Bool {
            let slot = Int(id.node) - 1
            return !left.contains(slot) && slots[slot].node.id == id
                && !slots[slot].node.isDamaged
        }
        for log in oracle.logs {
            for (_, configuration) in log.configurations {
                for voters in [configuration.voters, configuration.outgoing] where !voters.isEmpty {
                    guard voters.count(where: { isSound($0) }) > voters.count / 2 else {
                        return false
                    }
                }
            }
        }
        return true
    }

    /// Retention reaches everybody in the end: who lags behind with it may hold damaged entries
    /// that nobody can repair, as all others have removed them.
    private mutating func retainEverywhere() throws(Violation) {
        guard let leader = leaderSlot else { return }
        let start = slots[leader].node.state.startIndex
        for slot in slots.indices
        where slots[slot].node.isUp && slots[slot].node.isDamaged
            && slots[slot].node.state.startIndex < start
        {
            try command(.retain(start), slot)
        }
    }

    /// Whether the leader has handed on its office, now that nothing hinders it; first it is told to.
    ///
    /// True as well if there is nobody to hand it to.
    private mutating func hasHandedOn() throws(Violation) -> Bool {
        guard let leader = leaderSlot else { return false }
        if let (heir, term) = heir {
            if slots[leader].node.id == heir, slots[leader].node.state.term > term { return true }
            throw Violation(
                "\(heir) was to lead after term \(term), and \(slots[leader].node.id) does in term "
                    + "\(slots[leader].node.state.term)")
        }
        let configuration = slots[leader].node.configuration
        let voters = configuration.voters.filter { voter in
            let slot = Int(voter.node) - 1
            return slot != leader && slots[slot].node.id == voter && slots[slot].node.isUp
        }
        guard !voters.isEmpty else { return true }
        let chosen = chanceOfWorld.pick(voters)
        heir = (chosen, slots[leader].node.state.term)
        marks.insert(.handedOn)
        try command(.transfer(to: chosen), leader)
        return false
    }

    /// Appends something, which has to come through.
    private mutating func probe() {
        guard clients.allSatisfy({ $0.inFlight == 0 }) else { return }
        appendProbe(0, to: leaderSlot)
    }

    /// Whether all who can have the same, and nobody waits.
    private func isConverged() -> Bool {
        guard let leader = leaderSlot else { return false }
        let state = slots[leader].node.state
        guard state.isReady, state.commit == state.lastIndex else { return false }
        guard hasAnsweredProbe, operations.last?.isOver == true else { return false }
        let configuration = slots[leader].node.configuration
        guard !configuration.isJoint else { return false }
        for member in configuration.members {
            let slot = Int(member.node) - 1
            guard slots[slot].node.id == member, !slots[slot].isOut else { continue }
            let other = slots[slot].node
            guard other.isUp, other.state.commit == state.commit,
                other.state.lastIndex == state.lastIndex, other.waitingCount == 0,
                !other.isDamaged,
                other.state.term == state.term || other.state.isQuiet
            else { return false }
        }
        return true
    }

    /// An append that was begun after the last fault was acknowledged.
    private var hasAnsweredProbe: Bool {
        guard let last = operations.last, last.isAcknowledged else { return false }
        return history.operations[last.id.rawValue].time.lowerBound >= calmSince
    }

    private var stateLine: String {
        slots.indices.map { slot in
            let node = slots[slot].node
            guard node.isUp else { return "\(slot + 1) down" }
            let state = node.state
            return "\(node.id) \(state.role) term \(state.term) log \(state.startIndex)..."
                + "\(state.lastIndex) commit \(state.commit) \(node.configuration)"
                + (node.isDamaged ? " damaged" : "") + (state.isQuiet ? " quiet" : "")
        }.joined(separator: "; ")
    }

    /// When all is over: what clients were told fits what is there.
    func checkEnd() throws(Violation) {
        guard hasConverged else { throw Violation("nothing is left to happen") }
        var values: [UInt64] = []
        for entry in oracle.committed {
            for number in 0..<entry.count { values.append(entry.value + UInt64(number)) }
        }
        let anomalies = HistoryChecker.check(
            history, finalLog: FinalLog(start: .zero, values: values), kindMax: 3)
        guard let first = anomalies.first else { return }
        throw Violation("\(anomalies.count) anomalies in what clients saw: \(first)")
    }
}
