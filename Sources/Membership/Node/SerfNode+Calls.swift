// SPDX-License-Identifier: Apache-2.0

public import SerfCore
public import SerfWire
public import SwimCore

extension SerfNode {
    // MARK: What is known

    /// All members that are known, sorted by name: this one, the live, those that failed or left.
    public var members: [Member] {
        get async throws(MembershipError) { try await read { $0.core.members } }
    }

    /// This node as others see it.
    public var localMember: Member {
        get async throws(MembershipError) { try await read { $0.core.localMember } }
    }

    /// Where the sockets are bound; the port is the real one where the settings say 0.
    public var boundEndpoint: Endpoint {
        get async throws(MembershipError) { try await running().bound }
    }

    /// What this node says of itself.
    public var tags: [String: String] {
        get async throws(MembershipError) { try await localMember.tags }
    }

    /// Figures of the node.
    public var statistics: NodeStatistics {
        get async throws(MembershipError) { try await read { $0.statistics() } }
    }

    /// The moment of the clock that ``SerfCore/Member/since`` and the deadlines of queries are of.
    public static var now: Moment { NodeLoop.now }

    // MARK: Round trips

    /// A member's place in the network, as far as it is known; this node's own too.
    public func coordinate(of member: String) async throws(MembershipError) -> Coordinate? {
        try await read { $0.core.coordinate(of: member) }
    }

    /// The estimated round trip between two members; `nil` if one has no coordinate here.
    public func roundTrip(
        between first: String, and second: String
    ) async throws(MembershipError) -> Duration? {
        try await read { loop in
            guard let first = loop.core.coordinate(of: first),
                let second = loop.core.coordinate(of: second)
            else { return nil }
            return first.distance(to: second)
        }
    }

    // MARK: Who is in

    /// Asks these addresses, and takes over what they know.
    ///
    /// - Parameters:
    ///   - seeds: `host`, `host:port` or `[address]:port`; all addresses of a name are asked, at most
    ///     ``SwimCore/SwimSettings/exchangesMax`` in all.
    ///   - replayEvents: Whether user events from before the join are delivered too.
    /// - Returns: How many answered, and what was wrong with the others.
    /// - Throws: ``MembershipError``: none answered, a name has no address, or our own address
    ///   cannot be reached from there.
    @discardableResult
    public func join(
        _ seeds: [String], replayEvents: Bool = false
    ) async throws(MembershipError) -> JoinResult {
        let seeds = try seeds.map { text throws(MembershipError) in try HostAndPort(text) }
        let outcome = try await outcome { loop, end in
            loop.join(seeds, replayEvents: replayEvents, end: end)
        }
        guard case .joined(let count, let failures) = outcome else { throw Self.surprise(outcome) }
        return JoinResult(count: count, failures: failures)
    }

    /// Declares a failed member as left, everywhere; with `prune`, it is forgotten as well.
    ///
    /// A member that runs contradicts, and stays.
    public func forceLeave(
        _ member: String, prune: Bool = false
    ) async throws(MembershipError) {
        try await perform(.forceLeave(member, prune: prune))
    }

    /// Replaces what this node says of itself, and waits until the others were told.
    ///
    /// - Throws: ``MembershipError``: over 512 bytes encoded; or the others could not be told in
    ///   time, in which case the new tags hold and travel later.
    public func setTags(_ tags: [String: String]) async throws(MembershipError) {
        try await perform(.setTags(tags))
    }

    // MARK: Events and queries

    /// Tells all members, this one included, that something happened.
    ///
    /// - Parameters:
    ///   - event: What kind of thing.
    ///   - payload: Anything; at most 512 bytes with the name.
    ///   - mayCoalesce: Whether only the newest of a name matters to those who listen.
    public func send(
        event: String, payload: [UInt8] = [], mayCoalesce: Bool = false
    ) async throws(MembershipError) {
        try await perform(.send(name: event, payload: payload, mayCoalesce: mayCoalesce))
    }

    /// Asks all members, this one included, or those that fit.
    ///
    /// - Returns: Acks and answers as they come; ends at the query's deadline.
    public func query(_ request: QueryRequest) async throws(MembershipError) -> QueryAnswers {
        let (stream, continuation) = AsyncStream.makeStream(
            of: QueryProgress.self, bufferingPolicy: .bufferingOldest(QueryAnswers.answersMax))
        // Until the core has taken the query, its end is an error.
        let start: Result<Void, MembershipError> = try await read { loop in
            var failure: MembershipError?
            let waiter = CommandWaiter(
                end: { result in
                    if case .failure(let error) = result { failure = error }
                    continuation.finish()
                },
                progress: { continuation.yield($0) })
            loop.command(.query(request), waiter: waiter)
            return failure.map { .failure($0) } ?? .success(())
        }
        try start.get()
        return QueryAnswers(stream: stream)
    }

    /// Answers a query that came as an event: once, before its deadline.
    public func respond(
        to query: QueryEvent, _ payload: [UInt8]
    ) async throws(MembershipError) {
        try await perform(.respond(query.token, payload))
    }

    // MARK: Keys

    /// Changes the keys of all members, or lists them.
    public var keys: ClusterKeys { ClusterKeys(node: self) }

    // MARK: How

    func perform(_ command: Serf.Command) async throws(MembershipError) {
        let outcome = try await outcome { loop, end in
            loop.command(command, waiter: CommandWaiter(end: end))
        }
        guard case .done = outcome else { throw Self.surprise(outcome) }
    }

    /// Runs something on the loop and waits for the command that it begins.
    func outcome(
        _ begin:
            @escaping @Sendable (
                NodeLoop, @escaping (Result<CommandOutcome, MembershipError>) -> Void
            ) -> Void
    ) async throws(MembershipError) -> CommandOutcome {
        let running = try await running()
        let result = await withCheckedContinuation { continuation in
            running.execute { loop in begin(loop) { continuation.resume(returning: $0) } }
        }
        return try result.get()
    }

    /// Reads from the loop.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (NodeLoop) -> Value
    ) async throws(MembershipError) -> Value {
        let running = try await running()
        return await withCheckedContinuation { continuation in
            running.execute { continuation.resume(returning: body($0)) }
        }
    }

    static func surprise(_ outcome: CommandOutcome) -> MembershipError {
        preconditionFailure("a command ended as another one: \(outcome)")
    }
}

/// How a join went.
public struct JoinResult: Sendable, Equatable {
    /// How many addresses answered.
    public var count: Int
    /// What was wrong with the others.
    public var failures: [JoinFailure]
}

/// What members say to a query, in the order in which it comes.
///
/// Ends at the query's deadline, or with the node. Of answers that nobody reads 65,536 are kept.
public struct QueryAnswers: AsyncSequence, Sendable {
    public typealias Element = QueryProgress
    public typealias Failure = Never

    static let answersMax = 65_536

    let stream: AsyncStream<QueryProgress>

    /// An iterator over what is not yet read.
    public func makeAsyncIterator() -> AsyncStream<QueryProgress>.Iterator {
        stream.makeAsyncIterator()
    }

    /// All that is said, at the deadline.
    public func all() async -> QueryResult {
        var result = QueryResult()
        for await progress in stream {
            switch progress {
            case .ack(let from): result.acks.append(from)
            case .response(let from, let payload):
                result.responses.append(.init(from: from, payload: payload))
            }
        }
        return result
    }
}

/// The keys of all members.
///
/// A rotation is install, use, remove: each when the one before ``KeyReport/isComplete``.
public struct ClusterKeys: Sendable {
    let node: SerfNode

    /// Puts a key into every keyring, to decrypt with.
    public func install(_ key: GossipKey) async throws(MembershipError) -> KeyReport {
        try await report(.install(key.bytes))
    }

    /// Makes every member encrypt with an installed key.
    public func use(_ key: GossipKey) async throws(MembershipError) -> KeyReport {
        try await report(.use(key.bytes))
    }

    /// Takes a key out of every keyring.
    public func remove(_ key: GossipKey) async throws(MembershipError) -> KeyReport {
        try await report(.remove(key.bytes))
    }

    /// Asks which keys there are.
    ///
    /// The report holds them in clear.
    public func list() async throws(MembershipError) -> KeyReport { try await report(.list) }

    private func report(_ command: KeyCommand) async throws(MembershipError) -> KeyReport {
        let outcome = try await node.outcome { loop, end in
            loop.command(.key(command), waiter: CommandWaiter(end: end))
        }
        guard case .keys(let report) = outcome else { throw SerfNode.surprise(outcome) }
        return report
    }
}
