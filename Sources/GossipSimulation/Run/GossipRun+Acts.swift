// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import SerfCore

// What a plan's acts do, while there are any.
extension GossipRun {
    mutating func perform(_ act: PlannedAct) throws(Violation) {
        guard phase == .acts else { return }
        var random = SplitMix64(seed: act.seed)
        let probe = world.bounds.probe
        switch act.kind {
        case .crash:
            let node = random.pick(world.nodes.indices.map { $0 })
            try crash(node, &random)
        case .crashAll:
            for node in world.nodes.indices {
                var own = random.fork()
                try crash(node, &own)
            }
        case .freeze:
            guard let node = pickAwake(&random) else { break }
            world.freeze(node, for: probe * Int64(random.pick([1, 3, 10, 30])) / 2)
        case .oneWayCut, .isolation, .partition: cut(act.kind, &random)
        case .slowness:
            world.note { "all packets are slow" }
            let factor = Int64(random.pick([3, 10, 40]))
            world.slow(by: factor, loss: 0, for: probe * Int64(random.pick([1, 5])))
        case .loss:
            world.note { "many packets are lost" }
            let loss = random.pick([100, 300, 700])
            world.slow(by: 1, loss: loss, for: probe * Int64(random.pick([2, 10])))
        case .brokenStreams: world.breakStreams()
        case .replay: replay(&random)
        case .rubbish: rubbish(&random)
        default: try operate(act.kind, &random)
        }
    }

    private func pickAwake(_ random: inout SplitMix64) -> Int? {
        let awake = world.nodes.indices.filter { world.nodes[$0].isAwake }
        return awake.isEmpty ? nil : random.pick(awake)
    }

    // MARK: Faults

    /// The process ends, and another one is started on the machine later.
    private mutating func crash(_ node: Int, _ random: inout SplitMix64) throws(Violation) {
        guard world.nodes[node].isUp else { return }
        if world.nodes[node].core?.phase == .leaving {
            world.nodes[node].wasAskedToLeave = true
            world.marks.insert(.crashedLeaving)
        }
        world.stop(node)
        planReturn(node, &random)
    }

    /// How a node comes back: knowing others or only its seeds, with the same tags or others, or
    /// without asking anybody, to be found.
    private mutating func planReturn(_ node: Int, _ random: inout SplitMix64) {
        let probe = world.bounds.probe
        if random.happens(percent: 40) {
            count += 1
            world.nodes[node].tags = tags(of: node, count)
        }
        let others = world.nodes.indices.filter { $0 != node }
        switch random.pick(0...3) {
        case 0:
            world.nodes[node].seeds = others
            world.marks.insert(.restartedKnowingOthers)
        case 1:
            // One that left is looked for by nobody.
            guard !world.nodes[node].wasAskedToLeave else { break }
            world.nodes[node].seeds = []
            world.marks.insert(.restartedSilently)
        default:
            world.nodes[node].seeds = node == 0 ? others : [0, random.pick(others)]
        }
        guard !random.happens(percent: 15) else { return }
        let time = random.exponential(mean: probe * Int64(random.pick([1, 5, 20])))
        world.queue.plan(.start(node: node, era: world.era), at: world.now + 1 + time)
    }

    private mutating func cut(_ kind: PlannedAct.Kind, _ random: inout SplitMix64) {
        let count = plan.nodeCount
        var links: [GossipEvent.Link] = []
        switch kind {
        case .oneWayCut:
            for _ in 0..<random.pick(1...count) {
                let from = random.pick(0...(count - 1))
                links.append(.init(from: from, to: (from + random.pick(1...(count - 1))) % count))
            }
        case .isolation:
            let alone = random.pick(0...(count - 1))
            let isDeaf = random.happens(percent: 70)
            let isMute = !isDeaf || random.happens(percent: 70)
            for other in 0..<count where other != alone {
                if isMute { links.append(.init(from: alone, to: other)) }
                if isDeaf { links.append(.init(from: other, to: alone)) }
            }
        default:
            let sides = (0..<count).map { _ in random.pick(0...1) }
            for from in 0..<count {
                for to in 0..<count where sides[from] != sides[to] {
                    links.append(.init(from: from, to: to))
                }
            }
            world.marks.insert(.partitioned)
        }
        guard !links.isEmpty else { return }
        world.note { "cut: " + links.map { "\($0.from)>\($0.to)" }.joined(separator: " ") }
        world.cut(links, for: world.bounds.probe * Int64(random.pick([1, 4, 15, 40])))
    }

    /// Packets of before arrive once more.
    private mutating func replay(_ random: inout SplitMix64) {
        guard !world.kept.isEmpty else { return }
        world.marks.insert(.packetReplayed)
        for _ in 0..<random.pick(1...10) {
            let old = world.kept[random.pick(0...(world.kept.count - 1))]
            let delay = random.exponential(mean: world.bounds.gossip)
            world.queue.plan(
                .packet(from: old.from, to: old.to, old.bytes), at: world.now + delay)
        }
    }

    private mutating func rubbish(_ random: inout SplitMix64) {
        world.marks.insert(.rubbishReceived)
        for _ in 0..<random.pick(1...5) {
            let bytes = (0..<random.pick(0...60)).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            let to = random.pick(0...(plan.nodeCount - 1))
            world.queue.plan(.packet(from: -1, to: to, bytes), at: world.now)
        }
    }

    // MARK: Operators and applications

    private mutating func operate(
        _ kind: PlannedAct.Kind, _ random: inout SplitMix64
    ) throws(Violation) {
        guard let node = pickAwake(&random), world.nodes[node].core?.phase == .running else {
            return
        }
        switch kind {
        case .leave: try leave(node, &random)
        case .forceLeave, .prune:
            let other = random.pick(world.nodes.indices.map { $0 })
            guard other != node else { break }
            world.nodes[other].wasAskedToLeave = true
            if world.nodes[other].seeds.isEmpty { world.nodes[other].seeds = [node] }
            world.marks.insert(kind == .prune ? .pruned : .forcedToLeave)
            try world.command(
                .forceLeave(world.nodes[other].name, prune: kind == .prune), for: .forceLeave,
                node)
        case .rejoin:
            let others = world.nodes.indices.filter { $0 != node }
            let replays = random.happens(percent: 70)
            try world.join(
                node, [random.pick(others)], replays: replays,
                for: .rejoin(ignoresOld: !replays))
        case .tags: try changeTags(node)
        case .event: try sendEvent(node, &random)
        case .eventBurst:
            for _ in 0..<random.pick([5, 20, 60]) { try sendEvent(node, &random) }
        case .query: try ask(node, &random)
        default: break
        }
    }

    mutating func leave(_ node: Int, _ random: inout SplitMix64) throws(Violation) {
        world.nodes[node].wasAskedToLeave = true
        if phase == .acts {
            let probe = world.bounds.probe
            planReturn(node, &random)
            // It may be told to start while it still leaves; then it stays away.
            if world.nodes[node].seeds.isEmpty { world.nodes[node].seeds = [0, 1] }
            let time = world.now + random.exponential(mean: 20 * probe)
            world.queue.plan(.start(node: node, era: world.era), at: time)
        }
        try world.command(.leave, for: .leave, node)
    }

    mutating func changeTags(_ node: Int) throws(Violation) {
        count += 1
        world.marks.insert(.tagsChanged)
        world.nodes[node].tags = tags(of: node, count)
        try world.command(.setTags(world.nodes[node].tags), for: .tags, node)
    }

    mutating func sendEvent(_ node: Int, _ random: inout SplitMix64) throws(Violation) {
        let padding = random.pick([0, 20, 200])
        let payload = world.watch.deliveries.send(world.now, padding: padding)
        try world.command(
            .send(
                name: random.pick(["deploy", "restart"]), payload: payload,
                mayCoalesce: random.happens(percent: 30)), for: .event, node)
    }

    mutating func ask(_ node: Int, _ random: inout SplitMix64) throws(Violation) {
        let number = world.watch.queries.ask(
            world.nodes[node].name, command: world.lastCommand + 1)
        var request = QueryRequest(
            name: "status", payload: DeliveryOracle.payload(number), wantsAcks: true)
        if phase == .acts {
            request.wantsAcks = random.happens(percent: 70)
            request.relayFactor = UInt8(random.pick([0, 0, 1, 3]))
            if random.happens(percent: 20) { request.nodes = ["n0", "n1"] }
            if random.happens(percent: 20) { request.tags = ["version": "[0-3]"] }
        }
        try world.command(.query(request), for: .query(number), node)
    }
}
