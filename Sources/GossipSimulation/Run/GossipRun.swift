// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import SerfCore
internal import SwimCore

/// One run of a plan: a world, what is done to it, and how it has to end.
///
///     acts ──▶ faults stop ──▶ views become one ──▶ coda: one thing at a time, in fair weather
struct GossipRun {
    enum Phase: Equatable {
        case acts
        case converging
        case coda
        case over
    }

    let seed: UInt64
    let plan: GossipPlan
    let options: GossipOptions
    var world: GossipWorld
    var phase = Phase.acts
    /// When the faults stopped.
    var calmSince: Int64 = 0
    /// When the last packet arrives that was sent before that.
    var lastOfBefore: Int64 = 0
    /// How many queries, tags and keys there were, to tell them apart.
    var count = 0
    /// What the coda is at.
    var coda: [CodaStep] = []
    var step: StepState?
    /// By observer and node: since when a node that answers is held to be failed.
    var falselySince: [Int64?] = []
    var chanceOfEnd: SplitMix64

    init(seed: UInt64, options: GossipOptions) {
        self.seed = seed
        self.options = options
        var random = SplitMix64(seed: seed ^ 0x60_551b)
        plan = GossipPlan(seed: random.next(), nodeCount: options.nodeCount)
        world = GossipWorld(
            seed: random.next(), nodeCount: plan.nodeCount, settings: plan.settings,
            weather: plan.weather, usesIPv6: plan.usesIPv6)
        chanceOfEnd = random.fork()
        world.report = options.report
        world.reportFrom = options.reportFrom
        world.refusesDials = plan.refusesDials
        world.replaysEvents = plan.replaysEvents
        world.watch.looksOneIn *= options.looksOneIn
        world.keptMax = plan.keptPackets
        falselySince = Array(repeating: nil, count: plan.nodeCount * plan.nodeCount)
        prepareNodes(&random)
        for (number, act) in plan.acts.enumerated() where !options.leavesOut(number) {
            world.queue.plan(.act(number), at: act.time)
        }
        world.queue.plan(.look, at: world.bounds.probe)
    }

    private mutating func prepareNodes(_ random: inout SplitMix64) {
        // A key of all, since a keyring that is empty is none; its size is one of the three.
        let key = [UInt8](repeating: 7, count: 16)
        // Cannot fail: the key has a right size.
        let keyring = plan.hasKeys ? try? Keyring(keys: [key]) : nil
        for number in world.nodes.indices {
            world.nodes[number].tags = tags(of: number, 0)
            world.nodes[number].keyring = keyring
            // The first node is a seed of all, and has others itself, so that no two start for
            // themselves and never hear of each other.
            var seeds = [number == 0 ? 1 : 0]
            for _ in 1..<max(2, plan.seedCount) {
                seeds.append(random.pick(0...(plan.nodeCount - 1)))
            }
            world.nodes[number].seeds = seeds
            world.queue.plan(.start(node: number, era: world.era), at: plan.starts[number])
        }
    }

    func tags(of node: Int, _ version: Int) -> [String: String] {
        var tags = ["id": "\(node)", "version": "\(version)"]
        if plan.tagBytes > 0 {
            tags["more"] = String(repeating: "x", count: plan.tagBytes)
        }
        return tags
    }

    // MARK: The loop

    mutating func run() throws(GossipFailure) -> GossipReport {
        world.note { plan.lines.joined(separator: "\n") }
        do throws(Violation) {
            while phase != .over {
                let (event, isOver) = try world.step()
                guard !isOver else { throw Violation("nothing is left to happen") }
                switch event {
                case .act(let number): try perform(plan.acts[number])
                case .look: try look()
                default: break
                }
                guard world.events < options.eventsMax else {
                    throw Violation("no end after \(options.eventsMax) events")
                }
            }
        } catch {
            throw GossipFailure(
                seed: seed, time: world.now, event: world.events, message: error.message,
                actCount: plan.acts.count, leftOut: options.leftOut)
        }
        return report()
    }

    private func report() -> GossipReport {
        var report = GossipReport()
        report.digest = world.digest
        report.events = world.events
        report.time = world.now
        report.packets = world.watch.traffic.packets
        report.delivered = world.watch.deliveries.deliveredCount
        report.suspicions = world.watch.suspicions
        report.falseFailures = world.watch.falseFailures
        report.marks = world.marks
        return report
    }

    /// Looks how the cluster is, once in a probe interval.
    private mutating func look() throws(Violation) {
        try checkFalseFailures()
        switch phase {
        case .acts: if world.now >= plan.duration { try calm() }
        case .converging: try converge()
        case .coda: try playCoda()
        case .over: break
        }
        world.queue.plan(.look, at: world.now + world.bounds.probe)
    }

    var live: [Int] { world.nodes.indices.filter { world.nodes[$0].isUp } }

    // MARK: Nobody who answers is failed for long

    private mutating func checkFalseFailures() throws(Violation) {
        let count = plan.nodeCount
        guard count <= 16 || world.events % 8 == 0 else { return }
        let limit = world.bounds.falseFailure(count)
        for observer in 0..<count {
            let members = world.nodes[observer].core?.members ?? []
            var isFailed = Array(repeating: false, count: count)
            for member in members where member.status == .failed {
                guard let node = world.number(named: member.name) else { continue }
                isFailed[node] = world.nodes[node].isAwake && world.nodes[observer].isAwake
            }
            for node in 0..<count {
                let place = observer * count + node
                guard isFailed[node] else {
                    falselySince[place] = nil
                    continue
                }
                let since = falselySince[place] ?? world.now
                falselySince[place] = since
                let quiet = max(since, world.watch.disturbedUntil)
                guard world.now - quiet <= limit else {
                    throw Violation(
                        "n\(observer) has had n\(node) as failed for "
                            + "\((world.now - since) / 1_000_000) ms, though nothing is in the way")
                }
            }
        }
    }
}
