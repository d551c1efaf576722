// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SwimCore

/// One memberlist under test, with a delegate that writes down what it hears, under a clock that the
/// test moves.
struct Subject {
    var list: Memberlist
    var delegate = Recorder()
    var now = Moment(nanoseconds: 0)
    /// For calls whose effects no test looks at.
    var ignored: [SwimEffect] = []

    init(
        _ name: String = "me", settings: SwimSettings = .plain, seed: UInt64 = 1,
        isStarted: Bool = true
    ) {
        list = Memberlist(
            name: name, endpoint: endpoint(of: name), meta: [], settings: settings, seed: seed,
            at: now)
        if isStarted { _ = perform { $0.start(at: $1, delegate: &$2, into: &$3) } }
    }

    /// One call, with the invariants checked after it.
    ///
    /// Returns its effects.
    mutating func perform(
        _ body: (inout Memberlist, Moment, inout Recorder, inout [SwimEffect]) -> Void
    ) -> [SwimEffect] {
        var effects: [SwimEffect] = []
        body(&list, now, &delegate, &effects)
        list.checkInvariants()
        return effects
    }

    @discardableResult
    mutating func receive(_ messages: SwimMessage..., from source: String = "other")
        -> [SwimEffect]
    {
        let packet = Packet.encode(
            parts: messages.map { $0.encoded() }, compress: false, crc: false)
        return receive(packet: packet, from: source)
    }

    @discardableResult
    mutating func receive(packet: [UInt8], from source: String = "other") -> [SwimEffect] {
        perform {
            $0.receive(
                packet: packet, from: endpoint(of: source), at: $1, delegate: &$2, into: &$3)
        }
    }

    @discardableResult
    mutating func receive(request: SwimMessage, on stream: UInt64 = 2) -> [SwimEffect] {
        receive(requestBytes: StreamBody.encode(request, compress: false), on: stream)
    }

    @discardableResult
    mutating func receive(requestBytes: [UInt8], on stream: UInt64 = 2) -> [SwimEffect] {
        perform {
            $0.receive(
                request: requestBytes, on: StreamID(rawValue: stream), from: endpoint(of: "other"),
                at: $1, delegate: &$2, into: &$3)
        }
    }

    @discardableResult
    mutating func receive(answer: SwimMessage, on stream: StreamID) -> [SwimEffect] {
        receive(answerBytes: StreamBody.encode(answer, compress: false), on: stream)
    }

    @discardableResult
    mutating func receive(answerBytes: [UInt8], on stream: StreamID) -> [SwimEffect] {
        perform {
            $0.receive(answer: answerBytes, on: stream, at: $1, delegate: &$2, into: &$3)
        }
    }

    @discardableResult
    mutating func fail(_ stream: StreamID, _ reason: StreamFailure) -> [SwimEffect] {
        perform { $0.streamFailed(stream, reason: reason, at: $1, delegate: &$2, into: &$3) }
    }

    /// Lets time pass, stopping wherever the list wants a tick.
    @discardableResult
    mutating func pass(_ duration: Duration) -> [SwimEffect] {
        let end = now + duration
        var effects: [SwimEffect] = []
        while let deadline = list.nextDeadline, deadline <= end {
            now = max(now, deadline)
            effects += perform { $0.tick(at: $1, delegate: &$2, into: &$3) }
        }
        now = end
        return effects
    }

    /// Lets time pass until an effect comes that the test waits for, for a minute at most.
    mutating func pass(until isAwaited: (SwimEffect) -> Bool) -> [SwimEffect] {
        let end = now + .seconds(60)
        while let deadline = list.nextDeadline, deadline <= end {
            now = max(now, deadline)
            let effects = perform { $0.tick(at: $1, delegate: &$2, into: &$3) }
            if effects.contains(where: isAwaited) { return effects }
        }
        return []
    }

    /// Lets nodes join, and gossip run dry, so that what follows stands alone.
    mutating func know(_ names: String..., versions: Versions = .current) {
        for name in names { receive(.alive(alive(name, versions: versions))) }
        exhaustGossip()
        delegate.calls = []
    }

    mutating func exhaustGossip() {
        while !list.queue.isEmpty {
            _ = list.queue.draw(
                overhead: 2, budget: 65_536, limit: list.retransmitLimit, countMax: .max)
        }
        _ = list.takeFinishedBroadcasts()
    }

    func state(of name: String) -> Liveness? { list.node(named: name)?.state }

    func incarnation(of name: String) -> UInt32? { list.node(named: name)?.incarnation }

    /// The messages that wait to be gossiped, in their order.
    var queued: [SwimMessage] {
        var queue = list.queue
        let parts = queue.draw(overhead: 0, budget: 1 << 30, limit: .max, countMax: .max)
        return parts.flatMap { messages(of: $0) }
    }
}

/// What a delegate hears.
struct Recorder: MemberlistDelegate {
    enum Call: Equatable {
        case merged([UInt8], isJoin: Bool)
        case acknowledged(String, Duration, [UInt8])
        case joined(String)
        case updated(String, [UInt8])
        case left(String, Liveness)
        case conflicted(String, other: Endpoint)
        case received([UInt8])
    }

    var calls: [Call] = []
    var state: [UInt8] = []
    var payload: [UInt8] = []
    var pending: [[UInt8]] = []
    var refusedMeta: [UInt8]?
    var refusesMerges = false
    /// The room that was offered for the delegate's messages.
    var budgets: [Int] = []

    func pushPullState(isJoin: Bool) -> [UInt8] { state }

    mutating func merge(
        pushPullState: [UInt8], isJoin: Bool, at now: Moment, into effects: inout [SwimEffect]
    ) {
        calls.append(.merged(pushPullState, isJoin: isJoin))
    }

    func refusal(ofMerging nodes: [NodeState]) -> String? { refusesMerges ? "not wanted" : nil }

    func refusal(of alive: Alive) -> String? {
        alive.meta == refusedMeta ? "not of this cluster" : nil
    }

    mutating func ackPayload() -> [UInt8] { payload }

    mutating func acknowledged(_ node: SwimNode, roundTrip: Duration, payload: [UInt8]) {
        calls.append(.acknowledged(node.name, roundTrip, payload))
    }

    mutating func broadcasts(overhead: Int, budget: Int) -> [[UInt8]] {
        budgets.append(budget)
        var taken: [[UInt8]] = []
        var room = budget
        while let next = pending.first, next.count + overhead <= room {
            room -= next.count + overhead
            taken.append(pending.removeFirst())
        }
        return taken
    }

    var hasBroadcasts: Bool { !pending.isEmpty }

    mutating func joined(_ node: SwimNode, at now: Moment) { calls.append(.joined(node.name)) }

    mutating func updated(_ node: SwimNode, at now: Moment) {
        calls.append(.updated(node.name, node.meta))
    }

    mutating func left(_ node: SwimNode, at now: Moment) {
        calls.append(.left(node.name, node.state))
    }

    mutating func conflicted(known: SwimNode, other: Alive, at now: Moment) {
        calls.append(.conflicted(known.name, other: other.endpoint))
    }

    mutating func received(
        userMessage: [UInt8], at now: Moment, into effects: inout [SwimEffect]
    ) {
        calls.append(.received(userMessage))
    }
}

extension SwimSettings {
    /// LAN's, with packets that a test can read.
    static let plain: SwimSettings = {
        var settings = SwimSettings.lan
        settings.compress = false
        return settings
    }()

    /// Without push/pulls, whose random beat some stories do not need.
    static let quiet: SwimSettings = {
        var settings = SwimSettings.plain
        settings.pushPullInterval = .zero
        return settings
    }()
}

/// Each name has its address, so that stories need not say it.
func endpoint(of name: String) -> Endpoint {
    let bits = name.utf8.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }
    return Endpoint(address: .v4(0x7f00_0000 | (bits & 0xff_ffff)), port: 7946)
}

func alive(
    _ name: String, _ incarnation: UInt32 = 1, at other: String? = nil, meta: [UInt8] = [],
    versions: Versions = .current
) -> Alive {
    Alive(
        incarnation: incarnation, node: name, endpoint: endpoint(of: other ?? name), meta: meta,
        versions: versions)
}

func suspect(_ name: String, _ incarnation: UInt32 = 1, from: String = "other") -> SwimMessage {
    .suspect(Suspect(incarnation: incarnation, node: name, from: from))
}

func dead(_ name: String, _ incarnation: UInt32 = 1, from: String = "other") -> SwimMessage {
    .dead(Dead(incarnation: incarnation, node: name, from: from))
}

func record(
    _ name: String, _ incarnation: UInt32 = 1, _ state: Liveness = .alive, meta: [UInt8] = [],
    versions: Versions = .current
) -> NodeState {
    NodeState(
        name: name, endpoint: endpoint(of: name), meta: meta, incarnation: incarnation,
        state: state, versions: versions)
}

func messages(of packet: [UInt8]) -> [SwimMessage] {
    var unreadable = 0
    let messages = (try? Packet.decode(packet, unreadable: &unreadable)) ?? []
    return unreadable == 0 ? messages : []
}

extension [SwimEffect] {
    /// What is sent to a node, message by message.
    func sent(to name: String) -> [SwimMessage] {
        flatMap { effect in
            guard case .send(let packet, let target) = effect, target == endpoint(of: name) else {
                return [SwimMessage]()
            }
            return messages(of: packet)
        }
    }

    var packets: [[UInt8]] {
        compactMap { effect in
            if case .send(let packet, _) = effect { packet } else { nil }
        }
    }

    var observations: [SwimObservation] {
        compactMap { effect in
            if case .observe(let observation) = effect { observation } else { nil }
        }
    }

    /// The streams that are opened, with what they ask.
    var opened: [(stream: StreamID, to: Endpoint, request: SwimMessage?, timeout: Duration)] {
        compactMap { effect in
            guard case .open(let stream, let to, let request, let timeout) = effect else {
                return nil
            }
            return (stream, to, try? StreamBody.decode(request), timeout)
        }
    }

    /// The answers on accepted streams.
    var replies: [SwimMessage] {
        compactMap { effect in
            if case .reply(_, let body) = effect { try? StreamBody.decode(body) } else { nil }
        }
    }
}

extension [SwimMessage] {
    var pings: [Ping] {
        compactMap { message in
            if case .ping(let ping) = message { ping } else { nil }
        }
    }

    var acks: [Ack] {
        compactMap { message in
            if case .ack(let ack) = message { ack } else { nil }
        }
    }

    var nacks: [Nack] {
        compactMap { message in
            if case .nack(let nack) = message { nack } else { nil }
        }
    }

    var indirectPings: [IndirectPing] {
        compactMap { message in
            if case .indirectPing(let ping) = message { ping } else { nil }
        }
    }
}
