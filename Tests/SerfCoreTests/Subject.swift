// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// One node, a clock, and what the node has wanted done; the test plays everybody else.
struct Subject {
    var serf: Serf
    var now = Moment(nanoseconds: 1_000_000_000)
    private(set) var effects: [SerfEffect] = []
    private var lastCommand: UInt64 = 0
    private var lastStream: UInt64 = 0

    static let endpoint = Endpoint(address: .v4(0x7f00_0001), port: 7946)

    init(
        name: String = "self", tags: [String: String] = [:], keyring: Keyring? = nil,
        seed: UInt64 = 1, isStarted: Bool = true,
        settings change: (inout SerfSettings) -> Void = { _ in }
    ) {
        var settings = SerfSettings.lan
        settings.swim.compress = false
        settings.swim.sendsCrc = false
        change(&settings)
        serf = try! Serf(
            settings: settings, name: name, endpoint: Self.endpoint, tags: tags,
            keyring: keyring, seed: seed, at: now)
        guard isStarted else { return }
        receive(.start)
        effects = []
    }

    /// The address of a peer, by a number.
    static func peer(_ number: UInt32) -> Endpoint {
        Endpoint(address: .v4(0x7f00_0100 + number), port: 7946)
    }

    mutating func receive(_ input: Serf.Input) {
        serf.receive(input, at: now, into: &effects)
        serf.checkInvariants()
    }

    // MARK: What the test does

    mutating func command(_ command: Serf.Command) -> CommandID {
        lastCommand += 1
        let id = CommandID(rawValue: lastCommand)
        receive(.command(id, command))
        return id
    }

    /// Carries a command out that ends at once, and gives its end.
    mutating func result(of command: Serf.Command) -> Result<CommandOutcome, SerfError>? {
        let id = self.command(command)
        return end(of: id)
    }

    /// Hands a message of Serf's in, as a packet of a peer.
    mutating func hear(_ message: SerfMessage, from number: UInt32 = 1) {
        hear(bytes: message.encoded(), from: number)
    }

    mutating func hear(bytes: [UInt8], from number: UInt32 = 1) {
        receive(.packet(SwimMessage.user(bytes).encoded(), from: Self.peer(number)))
    }

    /// Hands a message of the memberlist's in.
    mutating func hear(swim message: SwimMessage, from number: UInt32 = 1) {
        receive(.packet(message.encoded(), from: Self.peer(number)))
    }

    /// Lets a node be heard of as alive.
    mutating func admit(
        _ name: String, _ number: UInt32 = 1, tags: [String: String] = [:],
        incarnation: UInt32 = 1
    ) {
        hear(
            swim: .alive(
                Alive(
                    incarnation: incarnation, node: name, endpoint: Self.peer(number),
                    meta: Tags.encode(tags), versions: .current)))
    }

    /// Lets a node be heard of as dead.
    mutating func bury(_ name: String, incarnation: UInt32 = 1, from: String = "other") {
        hear(swim: .dead(Dead(incarnation: incarnation, node: name, from: from)))
    }

    /// Lets time pass, with a tick whenever one is wanted.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let deadline = serf.nextDeadline, deadline <= end {
            now = max(now, deadline)
            receive(.tick)
        }
        now = end
    }

    /// Exchanges states with the node, as a peer that dials it.
    mutating func exchange(
        _ state: SerfState, nodes: [NodeState] = [], isJoin: Bool = false
    ) {
        lastStream += 2
        let message = SwimMessage.pushPull(
            PushPull(
                isJoin: isJoin, nodes: nodes, userState: SerfMessage.state(state).encoded()))
        receive(
            .request(
                StreamID(rawValue: lastStream), StreamBody.encode(message, compress: false),
                from: Self.peer(1)))
    }

    // MARK: What the test sees

    /// Takes all effects so far.
    mutating func takeEffects() -> [SerfEffect] {
        defer { effects = [] }
        return effects
    }

    mutating func takeEvents() -> [SerfEvent] {
        takeEffects().compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    func end(of command: CommandID) -> Result<CommandOutcome, SerfError>? {
        for case .ended(let id, let result) in effects where id == command { return result }
        return nil
    }

    var observations: [SerfObservation] {
        effects.compactMap { if case .observe(let it) = $0 { it } else { nil } }
    }

    func status(of name: String) -> MemberStatus? { serf.member(named: name)?.status }

    /// The messages of Serf's that were sent alone, as they came off the wire, with their addresses.
    var sentDirectly: [(message: SerfMessage, to: Endpoint)] {
        effects.compactMap { effect in
            guard case .swim(.send(let packet, let endpoint)) = effect else { return nil }
            var unreadable = 0
            let parts = try? Packet.decode(packet, unreadable: &unreadable)
            guard parts?.count == 1, case .user(let bytes)? = parts?.first else { return nil }
            return (try? SerfMessage.decode(bytes)).map { ($0, endpoint) }
        }
    }

    /// All messages that wait to be gossiped, each once.
    var gossip: [SerfMessage] {
        var layer = serf.layer
        return layer.broadcasts(overhead: 2, budget: 1 << 20).compactMap {
            try? SerfMessage.decode(Array($0.dropFirst()))
        }
    }

    /// The last push/pull that the node has begun.
    var lastExchange: (stream: StreamID, to: Endpoint)? {
        for case .swim(.open(let stream, let endpoint, _, _)) in effects.reversed() {
            return (stream, endpoint)
        }
        return nil
    }

    /// The answer of a peer to a push/pull of ours.
    static func answer(
        _ state: SerfState = Subject.emptyState, nodes: [NodeState] = [], isJoin: Bool = true
    ) -> [UInt8] {
        StreamBody.encode(
            .pushPull(
                PushPull(
                    isJoin: isJoin, nodes: nodes, userState: SerfMessage.state(state).encoded())),
            compress: false)
    }

    static let emptyState = SerfState(
        time: LamportTime(1), statusTimes: [], leftMembers: [], eventTime: LamportTime(1),
        events: [], queryTime: LamportTime(1))

    static func record(
        _ name: String, _ number: UInt32, tags: [String: String] = [:],
        state: Liveness = .alive
    ) -> NodeState {
        NodeState(
            name: name, endpoint: peer(number), meta: Tags.encode(tags), incarnation: 1,
            state: state, versions: .current)
    }
}
