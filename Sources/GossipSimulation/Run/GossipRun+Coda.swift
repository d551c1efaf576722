// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import SerfCore
internal import SerfWire
internal import SwimCore

/// What is tried once all views are one: one thing at a time, so that its bound is known.
enum CodaStep: Equatable {
    /// Nothing happens, so nothing may happen.
    case rest
    case event
    case query
    case tags
    case keys
    case leave
    case crash
    case comeBack
}

/// The step that is under way.
struct StepState {
    var step: CodaStep
    var since: Int64
    /// Whom it is about.
    var node: Int
    var tries = 0
    /// How things were when it began.
    var suspicions = 0
    var failures = 0
    var packets = 0
    var health = 0
    var seenBy: [Int] = []
    var isWaiting = false
    /// When the first of the others had heard of it.
    var firstKnown: Int64?
}

extension GossipRun {
    /// All of them, but most seeds leave some out: runs are short so, and more of them.
    mutating func chooseCoda() -> [CodaStep] {
        var steps: [CodaStep] = []
        if chanceOfEnd.happens(percent: 50) { steps.append(.rest) }
        if chanceOfEnd.happens(percent: 50) { steps.append(.event) }
        if chanceOfEnd.happens(percent: 50) { steps.append(.query) }
        if chanceOfEnd.happens(percent: 50) { steps.append(.tags) }
        if plan.hasKeys, reachesAll { steps.append(.keys) }
        if chanceOfEnd.happens(percent: 40) { steps.append(.leave) }
        if chanceOfEnd.happens(percent: 50) { steps += [.crash, .comeBack] }
        return steps
    }

    /// Whether gossip alone reaches all, as good as always: it is sent to everybody at once, or
    /// often enough, and not to the dead.
    private var reachesAll: Bool {
        let swim = plan.settings.swim
        return tellsAllAtOnce
            || swim.retransmitMult >= 4 && swim.gossipNodes >= 2
                && live.count == plan.nodeCount
    }

    /// Whether a round of gossip goes to everybody, and enough of them to tell all what is new
    /// even if some of it was spent on acks to one of them.
    private var tellsAllAtOnce: Bool {
        let others = plan.nodeCount - 1
        return plan.settings.swim.gossipNodes >= others
            && world.bounds.transmissions(plan.nodeCount) >= 2 * others
    }

    /// How long news may take that gossip cannot miss to bring.
    private var newsLimit: Int64 { 12 * world.bounds.gossip + world.bounds.probe }

    mutating func playCoda() throws(Violation) {
        if let step {
            guard try goOn(step) else { return }
            // What it has stirred up comes to rest.
            guard try isOne(step, within: 4 * world.bounds.convergence(plan.nodeCount)) else {
                return
            }
            world.note { "\(step.step) took \((world.now - step.since) / 1_000_000) ms" }
            self.step = nil
        }
        guard !coda.isEmpty else {
            if let reason = disagreement() { throw Violation("at the end \(reason)") }
            phase = .over
            return
        }
        let next = coda.removeFirst()
        // Leaving and failing need others who see it.
        guard live.count >= (next == .leave || next == .crash ? 3 : 2) else { return }
        try begin(next)
    }

    private mutating func begin(_ next: CodaStep) throws(Violation) {
        var node = chanceOfEnd.pick(live)
        if next == .comeBack {
            guard let down = world.nodes.first(where: { !$0.isUp && !$0.isOut }) else { return }
            node = down.number
        }
        world.note { "coda: \(next) of n\(node)" }
        let watch = world.watch
        var random = chanceOfEnd.fork()
        step = StepState(
            step: next, since: world.now, node: node, suspicions: watch.suspicions,
            failures: watch.trueFailures + watch.falseFailures, packets: watch.traffic.packets,
            health: live.compactMap { world.nodes[$0].core?.health }.max() ?? 0)
        switch next {
        case .rest, .query, .keys: break
        case .event: try sendEvent(node, &random)
        case .tags: try changeTags(node)
        case .leave:
            world.nodes[node].isOut = true
            try leave(node, &random)
        case .crash: world.stop(node)
        case .comeBack:
            count += 1
            world.nodes[node].tags = tags(of: node, count)
            world.nodes[node].seeds = [chanceOfEnd.pick(live)]
            try world.start(node)
        }
    }

    /// Whether the step is done.
    private mutating func goOn(_ state: StepState) throws(Violation) -> Bool {
        let bounds = world.bounds
        let count = plan.nodeCount
        switch state.step {
        case .rest: return try rest(state)
        case .event, .tags:
            if let reason = disagreement(isAtRest: false), tellsAllAtOnce {
                return try expire(state, reason, within: newsLimit)
            }
            return try isOne(state, within: 2 * bounds.spread(count) + world.joinRetry)
        case .comeBack:
            return try isOne(state, within: 2 * bounds.spread(count) + world.joinRetry)
        case .query: return try queryStep(state)
        case .keys: return try keyStep(state)
        case .leave:
            guard !world.nodes[state.node].isUp else {
                let settings = plan.settings
                return try expire(
                    state, "the leaver still runs",
                    within: 2 * settings.broadcastTimeout.nanoseconds
                        + settings.leaveDelay.nanoseconds + 2 * bounds.probe)
            }
            let limit = bounds.detection(count, health: bounds.healthMax) + bounds.spread(count)
            guard try isOne(state, within: 2 * limit) else { return false }
            return try checkLeft(state)
        case .crash: return try crashStep(state)
        }
    }

    private mutating func isOne(
        _ state: StepState, within limit: Int64
    ) throws(Violation) -> Bool {
        guard let reason = disagreement() else { return true }
        return try expire(state, reason, within: limit)
    }

    private func expire(
        _ state: StepState, _ reason: String, within limit: Int64
    ) throws(Violation) -> Bool {
        guard world.now - state.since <= limit else {
            throw Violation(
                "\(limit / 1_000_000) ms after \(state.step) of n\(state.node) \(reason)")
        }
        return false
    }

    private func rest(_ state: StepState) throws(Violation) -> Bool {
        if let reason = disagreement() { throw Violation("in all calm \(reason)") }
        guard world.watch.suspicions == state.suspicions else {
            throw Violation("in all calm somebody is suspected")
        }
        let intervals = (world.now - state.since) / world.bounds.probe
        // A ping and its ack, for each node that is there and each interval.
        let most = 2 * live.count * Int(intervals + 2)
        guard world.watch.traffic.packets - state.packets <= most else {
            throw Violation(
                "in all calm \(world.watch.traffic.packets - state.packets) packets within "
                    + "\(intervals) intervals, not \(most)")
        }
        return intervals >= Int64(plan.nodeCount + 4)
    }

    /// Asks until everybody has been asked; who was asked has to answer.
    private mutating func queryStep(_ state: StepState) throws(Violation) -> Bool {
        var state = state
        if state.isWaiting {
            guard let asked = world.watch.queries.asked.last, asked.hasEnded else { return false }
            let seen = asked.seenBy.map { "n\($0)" }.sorted()
            guard asked.acks.sorted() == seen, asked.responses.sorted() == seen else {
                throw Violation(
                    "of \(seen), who have the query of n\(state.node), \(asked.acks.sorted()) "
                        + "acknowledge and \(asked.responses.sorted()) answer")
            }
            world.marks.insert(.queryAcknowledged)
            world.marks.insert(.queryAnswered)
            state.seenBy += asked.seenBy
            if live.allSatisfy({ state.seenBy.contains($0) }) { return true }
            guard !reachesAll || state.tries < 4, state.tries < 80 else {
                throw Violation(
                    "\(state.tries) queries of n\(state.node) have reached only \(state.seenBy)")
            }
        }
        state.tries += 1
        state.isWaiting = true
        step = state
        var random = chanceOfEnd.fork()
        try ask(state.node, &random)
        return false
    }

    /// A new key is installed, used, and the old one removed.
    private mutating func keyStep(_ state: StepState) throws(Violation) -> Bool {
        var state = state
        if state.isWaiting {
            guard let report = world.watch.keyReports.last, report.number == state.tries else {
                return false
            }
            guard case .success(.keys(let answers)) = report.result, answers.errorCount == 0 else {
                throw Violation("a key command ends with \(report.result)")
            }
            if answers.isComplete {
                state.seenBy.append(state.tries)
            } else if state.tries > 12 {
                throw Violation("after \(state.tries) tries a key command is incomplete")
            }
        }
        let keys = live.map { world.nodes[$0].keyring?.keys ?? [] }
        let old = [UInt8](repeating: 7, count: 16)
        let new = [UInt8](repeating: 9, count: 32)
        if state.seenBy.count == 3 {
            guard keys.allSatisfy({ $0 == [new] }) else {
                throw Violation("after a rotation the keyrings differ")
            }
            world.marks.insert(.keysRotated)
            return true
        }
        state.tries += 1
        state.isWaiting = true
        step = state
        let command: KeyCommand =
            switch state.seenBy.count {
            case 0: .install(new)
            case 1: .use(new)
            default: .remove(old)
            }
        try world.command(.key(command), for: .key(state.tries), state.node)
        return false
    }

    /// All have the same of it; left, if they could hear of it before its end.
    private func checkLeft(_ state: StepState) throws(Violation) -> Bool {
        guard tellsAllAtOnce else { return true }
        for observer in live {
            guard let core = world.nodes[observer].core else { continue }
            let member = core.members.first { $0.name == "n\(state.node)" }
            guard member == nil || member?.status == .left else {
                throw Violation("n\(observer) has n\(state.node), which left, as failed")
            }
        }
        let failures = world.watch.trueFailures + world.watch.falseFailures - state.failures
        // Told at once, and again, nobody can have heard of its end first.
        let count = plan.nodeCount
        let isToldAtOnce =
            plan.settings.swim.gossipNodes >= count - 1
            && world.bounds.transmissions(count) >= 3 * (count - 1)
        guard failures == 0 || !isToldAtOnce else {
            throw Violation("n\(state.node), which left, was failed at first")
        }
        return true
    }

    private mutating func crashStep(_ state: StepState) throws(Violation) -> Bool {
        let bounds = world.bounds
        let swim = plan.settings.swim
        let others = live
        let unaware = others.filter { observer in
            world.nodes[observer].core?.members
                .first { $0.name == "n\(state.node)" }?.status != .failed
        }
        let took = world.now - state.since
        guard unaware.count == others.count || took >= bounds.suspicionMin(1) else {
            throw Violation("n\(state.node) is failed \(took / 1_000_000) ms after its end")
        }
        guard !unaware.isEmpty else { return true }
        if unaware.count < others.count {
            let known = state.firstKnown ?? world.now
            step?.firstKnown = known
            guard !tellsAllAtOnce || world.now - known <= newsLimit else {
                throw Violation(
                    "\(newsLimit / 1_000_000) ms after the first one \(unaware) do not know that "
                        + "n\(state.node) has failed")
            }
        }
        let health = others.compactMap { world.nodes[$0].core?.health }.max() ?? 0
        // A helper that has heard nothing says so, and so there is no reason to doubt oneself
        // (Lifeguard IV-A); if there is the time for it.
        let hasTime = swim.probeTimeout * 5 / 2 <= swim.probeInterval && swim.indirectChecks > 0
        guard health == 0 || state.health > 0 || !hasTime else {
            throw Violation("somebody doubts itself, as n\(state.node) has failed")
        }
        let limit = bounds.detection(plan.nodeCount, health: Int64(health))
        guard took <= limit else {
            throw Violation(
                "\(limit / 1_000_000) ms after the end of n\(state.node) it is not failed at "
                    + "\(unaware)")
        }
        return false
    }
}
