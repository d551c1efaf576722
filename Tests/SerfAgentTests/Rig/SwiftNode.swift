// SPDX-License-Identifier: Apache-2.0

import Logging
import Membership
import SerfCore
import SerfWire
import SwimCore
import Synchronization

/// A node of ours in the test's process, with all that it has told.
final class SwiftNode: Sendable {
    struct Options: Sendable {
        /// lan, wan or local; the same as that of the agents.
        var profile = "lan"
        var tags: [String: String] = [:]
        var keys: [[UInt8]] = []
        var keyringFile: String?
        var seeds: [String] = []
        var compresses = true
        var reconnectInterval: Duration?
        var eventsMax = 4096
        /// Further settings.
        var adjust: @Sendable (inout SerfNodeSettings) -> Void = { _ in }
    }

    private struct State {
        var events: [SerfEvent] = []
        var missed = 0
        var answers: [String: [UInt8]] = [:]
        var drops: @Sendable (PacketFilter.Packet) -> Bool = { _ in false }
        var end: Result<Void, any Error>?
    }

    let name: String
    let address: String
    let log: NodeLog
    private let node: SerfNode
    private let state: Shared
    private let tasks = Mutex<[Task<Void, Never>]>([])

    private final class Shared: Sendable {
        let value = Mutex(State())
    }

    private init(name: String, address: String, node: SerfNode, log: NodeLog, state: Shared) {
        self.name = name
        self.address = address
        self.node = node
        self.log = log
        self.state = state
    }

    /// A node that is started: others can reach it, and it has asked nobody.
    static func start(
        name: String, address: String, options: Options
    ) async throws -> SwiftNode {
        var settings = SerfNodeSettings(
            name: name, profile: GossipProfile(rawValue: options.profile) ?? .local)
        settings.bindHost = address
        settings.tags = options.tags
        settings.seeds = options.seeds
        settings.keys = try options.keys.map { try GossipKey(bytes: $0) }
        settings.keyringFile = options.keyringFile
        settings.serf.swim.compress = options.compresses
        settings.eventsMax = options.eventsMax
        if let interval = options.reconnectInterval { settings.serf.reconnectInterval = interval }
        let shared = Shared()
        settings.filter = PacketFilter { packet in
            shared.value.withLock { $0.drops }(packet)
        }
        options.adjust(&settings)
        let log = NodeLog()
        let node = SerfNode(settings, logger: log.logger)
        let made = SwiftNode(name: name, address: address, node: node, log: log, state: shared)
        try await made.begin()
        return made
    }

    private func begin() async throws {
        let events = node.events()
        // Both end with the node.
        let listening = Task { [node, state] in
            for await event in events { await Self.take(event, node: node, state: state) }
        }
        let running = Task { [node, state] in
            do {
                try await node.run()
                state.value.withLock { $0.end = .success(()) }
            } catch {
                state.value.withLock { $0.end = .failure(error) }
            }
        }
        tasks.withLock { $0 = [listening, running] }
        try await node.start()
    }

    private static func take(_ event: SerfNodeEvent, node: SerfNode, state: Shared) async {
        switch event {
        case .missed(let count):
            state.value.withLock { $0.missed += count }
        case .event(let event):
            state.value.withLock { $0.events.append(event) }
            guard case .query(let query) = event,
                let answer = state.value.withLock({ $0.answers[query.name] })
            else { return }
            // That an answer is refused, for its size, is what a scenario looks for at the asker.
            try? await node.respond(to: query, answer)
        }
    }

    var endpoint: String { "\(address):\(AgentProcess.port)" }

    /// How the node ended, once it has.
    var end: Result<Void, any Error>? { state.value.withLock { $0.end } }

    // MARK: What it does

    @discardableResult
    func join(_ seeds: [String], replay: Bool = false) async throws -> JoinResult {
        try await node.join(seeds, replayEvents: replay)
    }

    func leave() async throws { try await node.leave() }

    /// Closes its sockets without a word, and waits for that, so that the address can be taken again.
    func kill() async {
        await node.close()
        for task in tasks.withLock({ $0 }) { await task.value }
    }

    func forceLeave(_ member: String, prune: Bool = false) async throws {
        try await node.forceLeave(member, prune: prune)
    }

    func setTags(_ tags: [String: String]) async throws { try await node.setTags(tags) }

    func send(_ event: String, _ payload: [UInt8], mayCoalesce: Bool = false) async throws {
        try await node.send(event: event, payload: payload, mayCoalesce: mayCoalesce)
    }

    func query(_ request: QueryRequest) async throws -> QueryResult {
        try await node.query(request).all()
    }

    /// Answers each query of a name.
    func answer(_ query: String, with payload: [UInt8]) {
        state.value.withLock { $0.answers[query] = payload }
    }

    func keys(_ command: KeyCommand) async throws -> KeyReport {
        switch command {
        case .install(let key): try await node.keys.install(GossipKey(bytes: key))
        case .use(let key): try await node.keys.use(GossipKey(bytes: key))
        case .remove(let key): try await node.keys.remove(GossipKey(bytes: key))
        case .list: try await node.keys.list()
        }
    }

    /// Loses packets and streams from now on, as the test decides.
    func lose(_ drops: @escaping @Sendable (PacketFilter.Packet) -> Bool) {
        state.value.withLock { $0.drops = drops }
    }

    // MARK: What it knows

    func members() async throws -> [Member] { try await node.members }

    func member(_ name: String) async throws -> Member? {
        try await members().first { $0.name == name }
    }

    func roundTrip(to member: String) async throws -> Duration? {
        try await node.roundTrip(between: name, and: member)
    }

    func statistics() async throws -> NodeStatistics { try await node.statistics }

    func queueDepth(of queue: GossipQueueName) async throws -> Int {
        try await statistics().queueDepths[queue] ?? 0
    }

    /// How much waits to be gossiped, for a failure's text.
    var depths: String {
        get async {
            do { return "\(try await statistics().queueDepths)" } catch { return "\(error)" }
        }
    }

    // MARK: What it has told

    enum Change {
        case joined
        case left
        case failed
        case updated
        case reaped
    }

    /// The members that changed so, in order.
    func names(of change: Change) -> [String] {
        state.value.withLock { $0.events }.flatMap { event -> [Member] in
            switch (event, change) {
            case (.joined(let members), .joined), (.left(let members), .left),
                (.failed(let members), .failed), (.updated(let members), .updated),
                (.reaped(let members), .reaped):
                members
            default: []
            }
        }.map(\.name)
    }

    /// Waits until exactly these members were told of in such a change; events come behind the view.
    func told(of names: Set<String>, as change: Change) async throws {
        try await eventually(
            "\(name) tells that \(names.sorted()) \(change)", within: .seconds(3),
            seen: "\(self.names(of: change))"
        ) {
            Set(self.names(of: change)) == names
        }
    }

    var userEvents: [(name: String, payload: [UInt8])] {
        state.value.withLock { $0.events }.compactMap { event in
            guard case .user(let user) = event else { return nil }
            return (user.name, user.payload)
        }
    }

    /// How many events its listener missed.
    var missed: Int { state.value.withLock { $0.missed } }

    /// For a failure's text.
    var story: String { log.tail(15) }
}

extension SwiftNode: Watcher {
    func view() async throws -> [String: String] {
        let members = try await members()
        return Dictionary(members.map { ($0.name, $0.status.description) }) { _, last in last }
    }
}
