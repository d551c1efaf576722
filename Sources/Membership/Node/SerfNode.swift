// SPDX-License-Identifier: Apache-2.0

public import CoreMetrics
public import Logging
public import NIOCore
internal import NIOPosix
internal import SerfCore
internal import SerfWire
public import ServiceLifecycle
internal import SwimCore
internal import Synchronization

/// A member of a Serf cluster, with its sockets: an equal of stock `serf` agents 0.9 and 0.10.
///
/// ```swift
/// var settings = SerfNodeSettings(name: "db-1")
/// settings.seeds = ["seeds.example.org:7946"]
/// settings.tags = ["role": "db"]
/// let node = SerfNode(settings, logger: logger)
/// let group = ServiceGroup(services: [node], gracefulShutdownSignals: [.sigterm], logger: logger)
/// async let served: Void = group.run()
/// for await event in node.events() { print(event) }
/// try await served
/// ```
///
/// The node begins with ``run()`` or ``start()``; calls that come earlier wait for that. It ends with
/// ``leave()``, ``close()``, a graceful shutdown or the cancellation of ``run()``, and then for good.
/// To let go of it without one of these does not end it.
///
/// Owner: one event loop owns everything that changes. Any task may call; each call hops to the loop
/// once and is answered from one state of the node.
public final class SerfNode: Sendable, Service {
    /// What the node was made with.
    public let settings: SerfNodeSettings

    let eventLoop: any EventLoop
    private let logger: Logger
    private let metricsFactory: any MetricsFactory
    private let hub = EventHub()
    private let state = Mutex(State.new([]))

    private enum State {
        /// Not started, and who waits for it.
        case new([EventLoopPromise<Running>])
        case starting([EventLoopPromise<Running>])
        case running(Running)
        case failed(MembershipError)
    }

    /// A node on its loop.
    struct Running: Sendable {
        var loop: NIOLoopBound<NodeLoop>
        var eventLoop: any EventLoop
        var bound: Endpoint
        var endpoint: Endpoint
        var closed: EventLoopFuture<Void>

        /// The hop.
        func execute(_ body: @escaping @Sendable (NodeLoop) -> Void) {
            eventLoop.execute { body(loop.value) }
        }
    }

    /// A node that has not started: no socket is open, no file is read.
    ///
    /// - Parameters:
    ///   - settings: What it is set to.
    ///   - logger: Where changes of members go (`info`), what was refused (`warning`), details
    ///     (`debug`).
    ///   - metricsFactory: Where metrics go.
    ///   - eventLoop: What the node lives on; one of the process's own loops if not given.
    public init(
        _ settings: SerfNodeSettings, logger: Logger,
        metricsFactory: any MetricsFactory = MetricsSystem.factory,
        eventLoop: (any EventLoop)? = nil
    ) {
        self.settings = settings
        self.logger = logger
        self.metricsFactory = metricsFactory
        self.eventLoop = eventLoop ?? MultiThreadedEventLoopGroup.singleton.next()
    }

    // MARK: Life

    /// Serves until the node has left or was closed.
    ///
    /// Starts the node if ``start()`` was not called. On graceful shutdown it leaves, which takes
    /// some seconds; on cancellation the sockets are closed at once, and the others will see it as
    /// failed.
    ///
    /// - Throws: ``MembershipError`` if the node cannot start or does not want to end;
    ///   `CancellationError` if the task was cancelled.
    public func run() async throws {
        try await start()
        let running = try await running()
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await running.closed.get()
            } onGracefulShutdown: {
                running.execute { $0.leave { _ in } }
            }
        } onCancel: {
            running.execute { $0.close() }
        }
        try Task.checkCancellation()
    }

    /// Reads the keyring file, opens the sockets and begins to gossip and to ask the seeds.
    ///
    /// Returns when others can reach the node, not when it has joined. Does nothing on a node that
    /// has started.
    public func start() async throws(MembershipError) {
        let isFirst = state.withLock { state in
            guard case .new(let waiters) = state else { return false }
            state = .starting(waiters)
            return true
        }
        guard isFirst else {
            _ = try await running()
            return
        }
        do {
            became(.success(try await begin()))
        } catch {
            hub.finish()
            became(.failure(error))
            throw error
        }
    }

    private func became(_ result: Result<Running, MembershipError>) {
        let waiters = state.withLock { state in
            defer {
                switch result {
                case .success(let running): state = .running(running)
                case .failure(let error): state = .failed(error)
                }
            }
            guard case .starting(let waiters) = state else { return [EventLoopPromise<Running>]() }
            return waiters
        }
        for waiter in waiters { waiter.completeWith(result.mapError { $0 as any Error }) }
    }

    /// The node at work; waits for the start.
    func running() async throws(MembershipError) -> Running {
        let outcome: Result<Running, MembershipError>? = state.withLock { state in
            switch state {
            case .running(let running): .success(running)
            case .failed(let error): .failure(error)
            case .new, .starting: nil
            }
        }
        if let outcome { return try outcome.get() }
        let promise = eventLoop.makePromise(of: Running.self)
        let late: Result<Running, MembershipError>? = state.withLock { state in
            switch state {
            case .running(let running): return .success(running)
            case .failed(let error): return .failure(error)
            case .new(let waiters):
                state = .new(waiters + [promise])
                return nil
            case .starting(let waiters):
                state = .starting(waiters + [promise])
                return nil
            }
        }
        if let late { promise.completeWith(late.mapError { $0 as any Error }) }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                // Completing a promise again, when the node has started, does nothing.
                promise.fail(MembershipError(.closed, "the caller did not wait for the start"))
            }
        } catch {
            throw error as? MembershipError
                ?? MembershipError(.closed, "the node did not start", cause: error)
        }
    }

    /// Tells the others, waits until they were told, and closes the sockets.
    ///
    /// Takes some seconds: until the message has gone around, and a second more for the last answers.
    public func leave() async throws(MembershipError) {
        let running = try await running()
        _ = try await outcome { loop, end in loop.leave(end: end) }
        // An error of the node's end is thrown by run().
        try? await running.closed.get()
    }

    /// Closes the sockets at once, without a word to the others: they will see the node as failed.
    ///
    /// A node that has not started never will.
    public func close() async {
        let waiters: [EventLoopPromise<Running>]? = state.withLock { state in
            guard case .new(let waiters) = state else { return nil }
            state = .failed(MembershipError(.closed, "the node was closed"))
            return waiters
        }
        if let waiters {
            hub.finish()
            for waiter in waiters { waiter.fail(MembershipError(.closed, "the node was closed")) }
            return
        }
        // A node that failed to start has nothing open.
        guard let running = try? await running() else { return }
        running.execute { $0.close() }
        // An error of the node's end is thrown by run().
        try? await running.closed.get()
    }

    // MARK: Events

    /// What happens in the cluster from now on.
    ///
    /// Each call gives a sequence of its own. To keep a table of members, call this first and read
    /// ``members`` then, so that nothing is missed between the two.
    public func events() -> SerfNodeEvents { hub.subscribe(eventsMax: settings.eventsMax) }

    // MARK: How it begins

    private func begin() async throws(MembershipError) -> Running {
        try settings.validate()
        let seeds = try settings.seeds.map { text throws(MembershipError) in
            try HostAndPort(text)
        }
        let keys = try await keys()
        let box = NIOLoopBoundBox<NodeLoop?>.makeEmptyBox(
            valueType: NodeLoop.self, eventLoop: eventLoop)
        let sockets = try await BoundSockets.bind(
            host: settings.bindHost, port: settings.bindPort, on: eventLoop
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                guard let stream = box.value?.accept() else { throw ChannelError.ioOnClosedChannel }
                try channel.pipeline.syncOperations.addHandler(stream)
            }
        }
        let running: Running
        do {
            let endpoint = try await advertised(sockets.endpoint, seeds: seeds)
            running = try await make(keys: keys, sockets: sockets, endpoint: endpoint, in: box)
        } catch {
            await sockets.close()
            throw error
        }
        do {
            try await eventLoop.flatSubmit { running.loop.value.start() }.get()
        } catch {
            running.execute { $0.close() }
            throw MembershipError(.socketFailed, "the sockets cannot be read", cause: error)
        }
        return running
    }

    /// The keys of the file, or those of the settings, which then go into the file.
    private func keys() async throws(MembershipError) -> [GossipKey] {
        guard let file = settings.keyringFile.map({ KeyringFile(path: $0) }) else {
            return settings.keys
        }
        let keys = settings.keys
        return try await blocking { () throws(MembershipError) in
            if let kept = try file.read() { return kept }
            if !keys.isEmpty { try file.write(keys) }
            return keys
        }
    }

    /// The address that others are told, checked against the seeds that are addresses.
    private func advertised(
        _ bound: Endpoint, seeds: [HostAndPort]
    ) async throws(MembershipError) -> Endpoint {
        let wanted = try settings.advertise.map { text throws(MembershipError) in
            try HostAndPort(text)
        }
        let endpoint = try await blocking { () throws(MembershipError) in
            let advertised = try wanted.map { wanted throws(MembershipError) in
                // A name that is found has an address.
                let address = try NameLookup.addresses(of: wanted.host).first ?? bound.address
                return Endpoint(address: address, port: wanted.port ?? bound.port)
            }
            return try AdvertisedAddress.choose(
                advertised: advertised, bound: bound, machine: AdvertisedAddress.ofMachine())
        }
        for seed in seeds where seed.literal != nil {
            try AdvertisedAddress.check(
                endpoint, reaches: seed.host, isLoopback: seed.isLoopbackName)
        }
        return endpoint
    }

    /// Puts the node together on its loop.
    private func make(
        keys: [GossipKey], sockets: BoundSockets, endpoint: Endpoint,
        in box: NIOLoopBoundBox<NodeLoop?>
    ) async throws(MembershipError) -> Running {
        let seed = settings.randomSeed ?? UInt64.random(in: 0...UInt64.max)
        let core: Serf
        do {
            let seal = PacketSeal(keys: keys.map(\.bytes), label: Array(settings.label.utf8))
            var serf = settings.serf
            serf.swim.packetOverhead = seal.packetOverhead
            let keyring = keys.isEmpty ? nil : try Keyring(keys: keys.map(\.bytes))
            core = try Serf(
                settings: serf, name: settings.name, endpoint: endpoint, tags: settings.tags,
                keyring: keyring, seed: seed, at: NodeLoop.now)
        } catch {
            throw MembershipError(error)
        }
        do {
            return try await eventLoop.submit {
                let loop = NodeLoop(
                    core: core, settings: self.settings, keys: keys.map(\.bytes),
                    sockets: sockets, events: self.hub, logger: self.logger,
                    metricsFactory: self.metricsFactory, on: self.eventLoop)
                box.value = loop
                return Running(
                    loop: NIOLoopBound(loop, eventLoop: self.eventLoop),
                    eventLoop: self.eventLoop, bound: sockets.endpoint,
                    endpoint: endpoint, closed: loop.closed.futureResult)
            }.get()
        } catch {
            throw MembershipError(.closed, "the event loop is shut down", cause: error)
        }
    }

    /// Runs what blocks on a thread that may wait.
    private func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws(MembershipError) -> Value
    ) async throws(MembershipError) -> Value {
        do {
            // Not cancelled with the task: what is begun is done, and run() closes it.
            return try await NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
                try body()
            }.get()
        } catch {
            throw error as? MembershipError
                ?? MembershipError(.closed, "the process's I/O threads are gone", cause: error)
        }
    }
}
