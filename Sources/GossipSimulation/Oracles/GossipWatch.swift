// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire
internal import SwimCore

/// What looks at each node after each of its steps, and keeps the books of the whole cluster.
struct GossipWatch {
    let bounds: GossipBounds
    var deliveries: DeliveryOracle
    var queries: QueryOracle
    var traffic: TrafficOracle
    var statuses: StatusOracle
    var incarnations: IncarnationOracle
    /// How the key commands ended, by their numbers.
    var keyReports: [(number: Int, result: Result<CommandOutcome, SerfError>)] = []
    /// Until when something is wrong that may make nodes think ill of each other.
    var disturbedUntil: Int64 = 0
    var refutations = 0
    var suspicions = 0
    var falseFailures = 0
    var trueFailures = 0
    var probes = 0
    var failedProbes = 0
    var healthMost = 0
    /// Nodes are looked at in one of so many steps: in large clusters a look costs more than a step.
    var looksOneIn: Int
    private var steps = 0
    /// The body of a stream that is being looked into.
    var exchanged: [UInt8]?
    /// For those who measure.
    var watched: WatchedNode?

    /// Who was probed when, if somebody wants to know.
    var probeTimes: [(name: String, time: Int64)]?

    init(nodeCount: Int, settings: SerfSettings) {
        bounds = GossipBounds(settings)
        deliveries = DeliveryOracle(nodeCount: nodeCount, buffer: settings.eventBuffer)
        queries = QueryOracle(nodeCount: nodeCount)
        traffic = TrafficOracle(
            nodeCount: nodeCount, perSecondMax: bounds.packetsPerSecond(nodeCount))
        statuses = StatusOracle(nodeCount: nodeCount)
        incarnations = IncarnationOracle(nodeCount: nodeCount)
        looksOneIn = nodeCount <= 16 ? 1 : 8 * nodeCount
    }

    mutating func started(_ node: GossipNode, _ now: Int64) {
        deliveries.started(node.number, now)
        queries.started(node.number)
        statuses.started(node.number)
        incarnations.started(node.number)
        disturbed(now)
    }

    mutating func stopped(_ node: Int, _ now: Int64) { disturbed(now) }

    mutating func thawed(_ node: Int, _ now: Int64) { disturbed(now) }

    mutating func disturbed(_ until: Int64) { disturbedUntil = max(disturbedUntil, until) }

    /// Looks at a node after a step.
    mutating func look(at core: Serf, _ node: GossipNode, _ now: Int64) throws(Violation) {
        steps += 1
        guard looksOneIn == 1 || steps % looksOneIn == 0 else { return }
        core.checkInvariants()
        let isEach = looksOneIn == 1
        try incarnations.look(node.number, core.swimNodes, isEach: isEach)
        try statuses.look(node.number, core.members, now, isEach: isEach)
    }

    /// A core has told its application something.
    mutating func happened(
        _ event: SerfEvent, at node: GossipNode, _ now: Int64, marks: inout GossipMarks,
        isAwake: [Bool]
    ) throws(Violation) {
        try statuses.happened(event, at: node.number)
        watched?.happened(event, now)
        switch event {
        case .failed(let members):
            for member in members {
                try checkExchange(member.name, at: node)
                guard let number = statuses.number(member.name) else { continue }
                if isAwake[number] {
                    falseFailures += 1
                    marks.insert(.failedFalsely)
                } else {
                    trueFailures += 1
                    marks.insert(.failedTruly)
                }
            }
        case .reaped: marks.insert(.reaped)
        case .user(let user):
            marks.insert(.eventDelivered)
            try deliveries.delivered(user, at: node.number, now)
        case .query(let query):
            try queries.arrived(query, at: node.number)
        case .joined, .left, .updated: break
        }
    }

    /// In an exchange a member is at most suspected, that it may refute, unless it has left (SWIM 4.2;
    /// as Serf 0.9 and 0.10 do).
    private func checkExchange(_ name: String, at node: GossipNode) throws(Violation) {
        guard let exchanged else { return }
        guard let body = try? StreamBody.decode(exchanged), case .pushPull(let theirs) = body,
            theirs.nodes.contains(where: { $0.name == name && $0.state == .left })
        else {
            throw Violation(
                "\(node.name) has \(name) as failed after an exchange, and has not suspected it")
        }
    }

    mutating func suspected(_ name: String, by node: Int, _ now: Int64) {
        suspicions += 1
        if watched?.name == name, watched?.suspectedAt == nil { watched?.suspectedAt = now }
    }

    mutating func probed(_ name: String, _ now: Int64) {
        probes += 1
        if probeTimes != nil { probeTimes?.append((name, now)) }
    }
}

/// What is seen of one node, by all.
struct WatchedNode {
    let name: String
    var suspectedAt: Int64?
    /// How many have it as joined and as failed, and when the last of them did.
    var joins = 0
    var lastJoin: Int64 = 0
    var failures = 0
    var firstFailure: Int64?
    var lastFailure: Int64 = 0

    init(name: String) { self.name = name }

    mutating func happened(_ event: SerfEvent, _ now: Int64) {
        switch event {
        case .joined(let members) where members.contains { $0.name == name }:
            joins += 1
            lastJoin = now
        case .failed(let members) where members.contains { $0.name == name }:
            failures += 1
            firstFailure = firstFailure ?? now
            lastFailure = now
        default: break
        }
    }
}
