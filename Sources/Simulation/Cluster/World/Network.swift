// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The links between nodes, each in one direction.
struct Network {
    struct Link {
        var isCut = false
        /// Nothing arrives before; then all at once.
        var cloggedUntil: Int64 = 0
        /// When the last message arrives.
        var lastArrival: Int64 = 0
        var onTheirWay = 0
    }

    private(set) var links: [Link]
    private let nodeCount: Int
    private var plan: ClusterPlan.NetworkPlan
    private var random: SplitMix64
    /// Whether messages that were on their way when a link was cut are lost too.
    private let losesOnCut: Bool

    init(nodeCount: Int, plan: ClusterPlan.NetworkPlan, random: SplitMix64) {
        self.nodeCount = nodeCount
        self.plan = plan
        self.random = random
        links = Array(repeating: Link(), count: nodeCount * nodeCount)
        losesOnCut = plan.keepsOrder
    }

    private func number(_ from: Int, _ to: Int) -> Int { from * nodeCount + to }

    func isCut(_ from: Int, _ to: Int) -> Bool { links[number(from, to)].isCut }

    /// When a message arrives; `nil` if it is lost.
    mutating func arrival(from: Int, to: Int, bytes: Int, now: Int64) -> Int64? {
        let link = number(from, to)
        guard !links[link].isCut, links[link].onTheirWay < plan.queueMax else { return nil }
        guard plan.lossPercent == 0 || !random.happens(percent: plan.lossPercent) else {
            return nil
        }
        links[link].onTheirWay += 1
        return delayed(link, now, bytes)
    }

    private mutating func delayed(_ link: Int, _ now: Int64, _ bytes: Int) -> Int64 {
        let latency =
            plan.latencyMin + random.exponential(mean: plan.latencyMean) + Int64(bytes) / 125
        var time = max(now + latency, links[link].cloggedUntil)
        if plan.keepsOrder {
            time = max(time, links[link].lastArrival)
            links[link].lastArrival = time
        }
        return time
    }

    /// When a copy of a message arrives; `nil` as a rule, because there is none.
    mutating func repeatArrival(from: Int, to: Int, now: Int64) -> Int64? {
        guard plan.repeatPercent > 0, random.happens(percent: plan.repeatPercent) else {
            return nil
        }
        links[number(from, to)].onTheirWay += 1
        let isLate = random.happens(percent: 10)
        return now + random.exponential(mean: isLate ? 2_000_000 : 4 * plan.latencyMean)
    }

    /// A message has arrived; whether it may be handed on.
    mutating func arrives(from: Int, to: Int) -> Bool {
        links[number(from, to)].onTheirWay -= 1
        return !(losesOnCut && links[number(from, to)].isCut)
    }

    /// A message of long ago is put on its way again.
    mutating func addReplay(from: Int, to: Int) { links[number(from, to)].onTheirWay += 1 }

    /// How long something takes that nobody disturbs: a client's request, say.
    mutating func latency() -> Int64 {
        plan.latencyMin + random.exponential(mean: plan.latencyMean)
    }

    // MARK: Faults

    mutating func cut(_ from: Int, _ to: Int) { links[number(from, to)].isCut = true }

    mutating func clog(_ from: Int, _ to: Int, until: Int64) {
        links[number(from, to)].cloggedUntil = until
    }

    mutating func heal() { for link in links.indices { links[link].isCut = false } }

    /// From now on nothing goes wrong any more, and nothing is slow.
    mutating func calm(latencyMax: Int64) {
        heal()
        for link in links.indices { links[link].cloggedUntil = 0 }
        plan.lossPercent = 0
        plan.repeatPercent = 0
        plan.latencyMean = min(plan.latencyMean, latencyMax)
        plan.latencyMin = min(plan.latencyMin, latencyMax)
        plan.queueMax = max(plan.queueMax, 1024)
    }
}
