// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import SerfCore
internal import SerfWire
internal import SwimCore

/// Something that was to hold, and did not.
struct Violation: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

/// Nodes, and the network between them, under one clock.
///
/// A single loop takes the next event and has one node deal with it. All chance comes from the seed,
/// each concern has a generator of its own, and nothing depends on the order of a hash table: so equal
/// seeds have equal runs. What a plan wants, and what must hold of the whole cluster, is the business
/// of who drives the world; what must hold of one node after each of its steps, ``watch`` looks after.
struct GossipWorld {
    let settings: SerfSettings
    /// The settings in nanoseconds, and what follows from them.
    let bounds: GossipBounds
    var now: Int64 = 0
    var events: UInt64 = 0
    var digest: UInt64
    var queue = EventQueue<GossipEvent>()
    var nodes: [GossipNode] = []
    var network: GossipNetwork
    var streams: [SimulatedStream] = []
    var watch: GossipWatch
    var marks = GossipMarks()
    /// Whether dialling a node that is down is refused at once, or goes unanswered.
    var refusesDials: Bool
    /// Grows when everything is mended at once.
    var era = 0
    /// When the last of the packets arrives that are on their way.
    var lastArrival: Int64 = 0
    /// Packets of before, to be sent again.
    var kept: [(from: Int, to: Int, bytes: [UInt8])] = []
    var keptMax = 0
    /// Commands under way, by their numbers.
    var commands: [UInt64: IssuedCommand] = [:]
    var lastCommand: UInt64 = 0
    /// How long a node waits before it asks its seeds again.
    var joinRetry: Int64
    /// Whether who joins wants to hear events of before.
    var replaysEvents = false

    var chanceOfNodes: SplitMix64
    var chanceOfWorld: SplitMix64
    /// Who gets a line for each event, and from which event on.
    var report: (@Sendable (String) -> Void)?
    var reportFrom: UInt64 = 0
    private var effects: [SerfEffect] = []

    /// A command that was given to a core, and what it was for.
    struct IssuedCommand {
        var node: Int
        var life: Int
        var purpose: Purpose

        enum Purpose: Equatable {
            case join
            case rejoin(ignoresOld: Bool)
            case leave
            case forceLeave
            case tags
            case event
            case query(Int)
            case respond
            case key(Int)
        }
    }

    init(
        seed: UInt64, nodeCount: Int, settings: SerfSettings, weather: GossipNetwork.Weather,
        usesIPv6: Bool = false
    ) {
        var random = SplitMix64(seed: seed)
        self.settings = settings
        bounds = GossipBounds(settings)
        digest = seed
        network = GossipNetwork(nodeCount: nodeCount, weather: weather, random: random.fork())
        chanceOfNodes = random.fork()
        chanceOfWorld = random.fork()
        refusesDials = true
        joinRetry = 3 * settings.swim.probeInterval.nanoseconds
        nodes = (0..<nodeCount).map { GossipNode(number: $0, usesIPv6: usesIPv6) }
        watch = GossipWatch(nodeCount: nodeCount, settings: settings)
    }

    var moment: Moment { Moment(nanoseconds: now) }

    func number(at endpoint: Endpoint) -> Int? {
        GossipNode.number(at: endpoint, nodeCount: nodes.count)
    }

    /// The number in a name such as n12.
    func number(named name: String) -> Int? {
        guard name.hasPrefix("n"), let number = Int(name.dropFirst()), nodes.indices ~= number
        else { return nil }
        return number
    }

    // MARK: The loop

    /// Does what comes next; an act or a look is for the caller, who gets it.
    ///
    /// - Returns: What is the caller's, or `nil`; `isOver` if there is nothing left to happen.
    mutating func step() throws(Violation) -> (event: GossipEvent?, isOver: Bool) {
        guard let (time, event) = queue.popFirst() else { return (nil, true) }
        precondition(time >= now, "time goes back from \(now) to \(time)")
        now = time
        events += 1
        mix(UInt64(bitPattern: time))
        switch event {
        case .tick(let node, let life): try tick(node, life)
        case .packet(let from, let to, let bytes): try deliver(bytes, from, to)
        case .request(let stream, let body): try deliverRequest(stream, body)
        case .answer(let stream, let body): try deliverAnswer(stream, body)
        case .streamEnd(let stream, let failure): try deliverEnd(stream, failure)
        case .start(let node, let era): if era == self.era { try start(node) }
        case .join(let node, let life): try joinSeeds(node, life)
        case .thaw(let node, let life): try thaw(node, life)
        case .respond(let node, let life, let token, let payload):
            guard nodes[node].life == life, nodes[node].isAwake else { break }
            try command(.respond(token, payload), for: .respond, node)
        case .mend(let links, let era): mend(links, era)
        case .clear(let slowness, let loss, let era): clear(slowness, loss, era)
        case .act, .look: return (event, false)
        }
        return (nil, false)
    }

    /// Lets time pass up to a moment, for those who drive the world without a plan.
    mutating func run(until time: Int64) throws(Violation) {
        while let next = queue.nextTime, next <= time { _ = try step() }
        now = max(now, time)
    }

    mutating func mix(_ number: UInt64) { digest = (digest ^ number) &* 0x9e37_79b9_7f4a_7c15 }

    private mutating func tick(_ node: Int, _ life: Int) throws(Violation) {
        guard nodes[node].life == life, nodes[node].tickAt == now, nodes[node].isAwake else {
            return
        }
        nodes[node].tickAt = .max
        try act(node, .tick)
    }

    private mutating func deliver(_ bytes: [UInt8], _ from: Int, _ to: Int) throws(Violation) {
        let sender =
            from < 0
            ? Endpoint(address: .v4(0x0aff_0001), port: 999) : nodes[from].endpoint
        guard nodes[to].isUp else { return }
        guard nodes[to].isAwake else {
            return nodes[to].keep(.packet(bytes, from: sender))
        }
        note {
            let source = from < 0 ? "rubbish" : nodes[from].name
            return "\(nodes[to].name) hears \(source): \(tell(bytes))"
        }
        try act(to, .packet(bytes, from: sender))
    }

    /// Has a core deal with something, performs what comes of it, and looks at the node.
    mutating func act(_ node: Int, _ input: Serf.Input) throws(Violation) {
        var effects: [SerfEffect] = []
        swap(&effects, &self.effects)
        defer {
            effects.removeAll(keepingCapacity: true)
            swap(&effects, &self.effects)
        }
        let moment = moment
        nodes[node].core?.receive(input, at: moment, into: &effects)
        watch.exchanged = input.exchanged
        for effect in effects { try perform(effect, node) }
        watch.exchanged = nil
        guard let core = nodes[node].core else { return }
        try watch.look(at: core, nodes[node], now)
        try planTick(node)
    }

    private mutating func planTick(_ node: Int) throws(Violation) {
        guard let deadline = nodes[node].core?.nextDeadline else { return }
        let time = max(now, deadline.nanoseconds)
        if time == now {
            nodes[node].ticksAtOnce += 1
            guard nodes[node].ticksAtOnce < 1000 else {
                throw Violation("\(nodes[node].name) wants to be told the time for ever at \(now)")
            }
        } else {
            nodes[node].ticksAtOnce = 0
        }
        guard time != nodes[node].tickAt else { return }
        nodes[node].tickAt = time
        queue.plan(.tick(node: node, life: nodes[node].life), at: time)
    }

    // MARK: Effects

    private mutating func perform(_ effect: SerfEffect, _ node: Int) throws(Violation) {
        mix(effect.digest)
        switch effect {
        case .swim(let effect): try perform(effect, node)
        case .event(let event): try happened(event, node)
        case .queryProgress(let id, let progress):
            note { "\(nodes[node].name) has of query \(id.rawValue): \(progress)" }
            try watch.queries.progress(id.rawValue, progress, from: nodes[node].name)
        case .ended(let id, let result): try ended(id, result, node)
        case .keyringChanged(let keyring): nodes[node].keyring = keyring
        case .stop(let reason):
            note { "\(nodes[node].name) stops: \(reason)" }
            if case .left = reason { marks.insert(.left) }
            stop(node)
        case .observe(let observation): observed(observation, node)
        }
    }

    private mutating func perform(_ effect: SwimEffect, _ node: Int) throws(Violation) {
        switch effect {
        case .send(let bytes, let endpoint):
            try watch.traffic.sent(node, bytes.count, now)
            guard let to = number(at: endpoint) else { break }
            send(bytes, from: node, to: to)
        case .open(let id, let endpoint, let request, let timeout):
            try dial(node, id, endpoint, request, timeout)
        case .reply(let id, let body): try answer(node, id, body)
        case .close(let id): close(node, id)
        case .observe(let observation): observed(observation, node)
        }
    }

    private mutating func send(_ bytes: [UInt8], from: Int, to: Int) {
        if keptMax > 0, kept.count < keptMax || chanceOfWorld.happens(permille: 20) {
            let old = (from: from, to: to, bytes: bytes)
            if kept.count < keptMax {
                kept.append(old)
            } else {
                kept[chanceOfWorld.pick(0...(keptMax - 1))] = old
            }
        }
        let (first, second) = network.arrivals(from: from, to: to, now: now)
        if let first {
            queue.plan(.packet(from: from, to: to, network.arriving(bytes)), at: first)
            lastArrival = max(lastArrival, first)
        }
        if let second {
            queue.plan(.packet(from: from, to: to, bytes), at: second)
            lastArrival = max(lastArrival, second)
        }
    }

    private mutating func happened(_ event: SerfEvent, _ node: Int) throws(Violation) {
        note { "\(nodes[node].name) sees \(tell(event))" }
        let hears = nodes.map(\.isAwake)
        try watch.happened(event, at: nodes[node], now, marks: &marks, isAwake: hears)
        guard case .query(let query) = event else { return }
        let delay = network.latency()
        queue.plan(
            .respond(
                node: node, life: nodes[node].life, query.token,
                Array("\(nodes[node].name) to ".utf8) + query.payload), at: now + delay)
    }

    private mutating func observed(_ observation: SerfObservation, _ node: Int) {
        note { "\(nodes[node].name) notices \(observation)" }
        switch observation {
        case .leaveRefuted: marks.insert(.leaveRefuted)
        case .reconnecting: marks.insert(.reconnected)
        case .relayed: marks.insert(.relayed)
        default: break
        }
    }

    private mutating func observed(_ observation: SwimObservation, _ node: Int) {
        if report != nil, !observation.isCommon {
            note { "\(nodes[node].name) notices \(observation)" }
        }
        switch observation {
        case .suspected(let name, _):
            marks.insert(.suspected)
            watch.suspected(name, by: node, now)
        case .suspicionConfirmed: marks.insert(.confirmed)
        case .refuted:
            marks.insert(.refuted)
            watch.refutations += 1
        case .probeSent(let name): watch.probed(name, now)
        case .probeFailed: watch.failedProbes += 1
        case .probeByStream: marks.insert(.probedByStream)
        case .healthChanged(let score):
            marks.insert(.healthChanged)
            watch.healthMost = max(watch.healthMost, score)
        case .malformed, .refused, .conflict, .queueOverflow, .overloaded, .pushPullFailed: break
        }
    }

    // MARK: What is written for those who look

    /// Writes a line, if somebody reads it.
    func note(_ line: () -> String) {
        guard let report, events >= reportFrom else { return }
        report("\(events) \(Double(now / 1_000) / 1_000_000)s \(line())")
    }
}

extension Serf.Input {
    /// The body of a stream that it brings.
    fileprivate var exchanged: [UInt8]? {
        switch self {
        case .request(_, let body, _), .answer(_, let body): body
        default: nil
        }
    }
}

extension SwimObservation {
    /// Happens all the time.
    fileprivate var isCommon: Bool {
        if case .probeSent = self { true } else { false }
    }
}
