// SPDX-License-Identifier: Apache-2.0

public import BrokerRuntime
public import Disk
public import Faults
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import KafkaService
internal import LogService
public import Logging
internal import NIOCore
internal import NIOPosix
public import ServiceLifecycle
internal import Synchronization

/// One node: its broker, the gRPC server and the Kafka listener in front of it, and its gossip.
///
///     start: look up the address ──▶ open the broker ──▶ create the book's topic ──▶ listen ──▶ gossip
///     stop:  streams end ──▶ no new calls ──▶ calls finish, or are cut ──▶ the broker closes
///            leave the others ────────────────────────────────────┘
///
/// All methods may be called from anywhere.
public final class Node: Service, Sendable {
    private typealias Server = GRPCServer<HTTP2ServerTransport.Posix>

    /// Where gRPC listens, with the port that was bound.
    public let grpcAddress: ListenAddress
    /// Where Kafka clients connect, with the port that was bound; `nil` if they are not served.
    public let kafkaAddress: ListenAddress?
    /// Where the node gossips, with the port that was bound; `nil` if it does not.
    public let gossipAddress: ListenAddress?
    /// What the node stores.
    public let broker: Broker
    /// Who else is in the cluster.
    public let servers: ServerRegistry

    /// `nil` once it has ended: it must be gone before the loops that it lives on.
    private let server: Mutex<Server?>
    private let serving: Task<Void, any Error>
    private let kafka: KafkaListener?
    let gossip: NodeGossip?
    private let drain: ServiceDrain
    private let loops: MultiThreadedEventLoopGroup
    private let connections: ConnectionLimits
    private let grace: Duration
    private let logger: Logger
    private let isStopping = Mutex(false)

    /// Opens the data directory, creates the book's topic if it is missing, and listens.
    ///
    /// Records can be produced and consumed once this returns; the node must then be ``run()``.
    ///
    /// - Parameters:
    ///   - settings: What ``SettingsLoader`` gave, or a test's own.
    ///   - fileSystem: Where the data directory lies.
    ///   - logger: Told what happens.
    /// - Throws: ``Faults/ErrorCode/addressInUse``, ``Faults/ErrorCode/plaintextRefused``,
    ///   ``Faults/ErrorCode/invalidValue`` for other trouble with addresses or keys, and what
    ///   ``BrokerRuntime/Broker/open(dataDirectory:fileSystem:settings:logger:clock:)`` throws.
    public static func start(
        settings: Settings, fileSystem: any FileSystem, logger: Logger
    ) async throws(Fault) -> Node {
        let (addresses, plan, broker) = try await open(
            settings, fileSystem: fileSystem, logger: logger)
        do throws(Fault) {
            try await createBookTopic(settings.bookTopic, in: broker)
            return try await listen(
                on: addresses, plan: plan, broker: broker, settings: settings, logger: logger)
        } catch {
            await broker.close()
            throw error
        }
    }

    /// Serves until the task's graceful shutdown or cancellation, then closes everything.
    ///
    /// A node that is shut down leaves its cluster; one that is cancelled goes without a word, and
    /// the others see it as failed.
    ///
    /// - Throws: A ``Faults/Fault`` if the server ended by itself.
    public func run() async throws {
        let result = await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await serving.result
            } onGracefulShutdown: {
                self.stop()
            }
        } onCancel: {
            stop(leaves: false)
            serving.cancel()
        }
        // From here on `stop` finds nothing to stop, and leaves the loops alone.
        let wasAsked = isStopping.withLock { isStopping in
            defer { isStopping = true }
            return isStopping
        }
        drain.begin()
        await kafka?.close()
        if !wasAsked { gossip?.beginLeaving(within: leavingTime) }
        if Task.isCancelled { await gossip?.cut() } else { await gossip?.finish() }
        await broker.close()
        server.withLock { $0 = nil }
        // Only fails when it was done before, which is as good.
        try? await loops.shutdownGracefully()
        logger.info("stopped")
        if !wasAsked {
            throw Listener.fault(result.failure, listeningOn: grpcAddress)
        }
    }

    /// Stops as a graceful shutdown does; ``run()`` returns when all is closed.
    ///
    /// Streams end at once. Calls may finish; those that have not after four fifths of
    /// `shutdown.grace` are cut, and the rest of the time is for the broker. The other servers are
    /// told meanwhile that this one leaves.
    public func stop() { stop(leaves: true) }

    private func stop(leaves: Bool) {
        let serving = serving
        let isFirst = isStopping.withLock { isStopping in
            guard !isStopping else { return false }
            isStopping = true
            // Before anything ends, since the loops end soon after and take no more tasks then.
            loops.next().scheduleTask(in: TimeAmount(grace * 4 / 5)) { serving.cancel() }
            return true
        }
        guard isFirst else { return }
        logger.info("stopping", metadata: ["connections": .stringConvertible(connections.count)])
        if leaves { gossip?.beginLeaving(within: leavingTime) }
        drain.begin()
        kafka?.drain()
        server.withLock { $0?.beginGracefulShutdown() }
    }

    /// How long leaving may take: it ends before calls are cut.
    private var leavingTime: Duration { grace * 3 / 5 }

    /// Whether the node is stopping or has stopped.
    var isAskedToStop: Bool { isStopping.withLock { $0 } }

    /// How many connections are open.
    var connectionCount: Int { connections.count }

    private init(
        addresses: Addresses, broker: Broker, server: Server, serving: Task<Void, any Error>,
        kafka: KafkaListener?, gossip: (node: NodeGossip, address: ListenAddress)?,
        servers: ServerRegistry, drain: ServiceDrain, loops: MultiThreadedEventLoopGroup,
        connections: ConnectionLimits,
        grace: Duration, logger: Logger
    ) {
        grpcAddress = addresses.grpc
        kafkaAddress = addresses.kafka
        gossipAddress = gossip?.address
        self.gossip = gossip?.node
        self.servers = servers
        self.kafka = kafka
        self.broker = broker
        self.server = Mutex(server)
        self.serving = serving
        self.drain = drain
        self.loops = loops
        self.connections = connections
        self.grace = grace
        self.logger = logger
    }
}

// MARK: - Starting

extension Node {
    /// Looks up the address and opens the broker, on a thread of their own since both block.
    private static func open(
        _ settings: Settings, fileSystem: any FileSystem, logger: Logger
    ) async throws(Fault) -> (Addresses, GossipPlan?, Broker) {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let result: Result<(Addresses, GossipPlan?, Broker), Fault>
        do {
            result = try await pool.runIfActive {
                Result { () throws(Fault) in
                    let addresses = try Addresses(resolving: settings.listen)
                    let plan = try GossipPlan(settings)
                    let broker = try Broker.open(
                        dataDirectory: settings.dataDirectory, fileSystem: fileSystem,
                        settings: settings.broker, logger: logger)
                    return (addresses, plan, broker)
                }
            }
        } catch {
            // The pool refuses work only when the task was cancelled before it began.
            throw Fault(.cancelled, "the start was cancelled")
        }
        // Its thread has nothing left to do, so this cannot fail.
        try? await pool.shutdownGracefully()
        return try result.get()
    }

    private static func createBookTopic(_ name: String, in broker: Broker) async throws(Fault) {
        if broker.topics.contains(where: { $0.name == name }) { return }
        _ = try await broker.createTopic(name, partitionCount: nil, settings: [:])
    }

    private static func listen(
        on wanted: Addresses, plan: GossipPlan?, broker: Broker, settings: Settings, logger: Logger
    ) async throws(Fault) -> Node {
        let connections = ConnectionLimits(
            perAddressMax: settings.limits.connectionsPerAddress,
            totalMax: settings.limits.connections)
        let bound = BoundAddress(advertised: settings.listen.grpcAdvertise)
        var serviceSettings = LogServiceSettings()
        serviceSettings.bookTopic = settings.bookTopic
        serviceSettings.advertisedAddress = { bound.text }
        let servers = ServerRegistry()
        let gossip = plan.map {
            NodeGossip($0, registry: servers, clock: .system, logger: logger)
        }
        let services = LogServices.make(
            broker: broker, settings: serviceSettings, servers: servers,
            gossip: gossip ?? absentGossip(settings))
        let config = TransportSettings.make(
            settings.limits, connections: connections, logger: logger)
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: settings.listen.threads)
        do throws(Fault) {
            let (server, serving, port) = try await serve(
                services, on: wanted.grpc, config: config, loops: loops)
            var addresses = wanted
            addresses.grpc.port = port
            bound.set(addresses.grpc)
            var kafka: KafkaListener?
            let gossipAddress: ListenAddress?
            do throws(Fault) {
                kafka = try await listenForKafka(
                    on: wanted.kafka, broker: broker, settings: settings, loops: loops,
                    connections: connections, logger: logger)
                if let kafka { addresses.kafka?.port = kafka.port }
                gossipAddress = try await gossip?.start(
                    ServerTags(addresses, settings, storeID: broker.storeID))
            } catch {
                await kafka?.close()
                server.beginGracefulShutdown()
                _ = await serving.result
                throw error
            }
            log(addresses, gossipAddress, broker, settings, logger)
            return Node(
                addresses: addresses, broker: broker, server: server, serving: serving,
                kafka: kafka, gossip: pair(gossip, gossipAddress), servers: servers,
                drain: services.drain, loops: loops, connections: connections,
                grace: settings.shutdownGrace, logger: logger)
        } catch {
            // Nothing runs on the loops, so this cannot fail.
            try? await loops.shutdownGracefully()
            throw error
        }
    }

    private static func log(
        _ addresses: Addresses, _ gossip: ListenAddress?, _ broker: Broker, _ settings: Settings,
        _ logger: Logger
    ) {
        logger.info(
            "listening",
            metadata: [
                "address": "\(addresses.grpc)",
                "kafka": "\(addresses.kafka?.description ?? "none")",
                "gossip": "\(gossip?.description ?? "none")",
                "data_dir": "\(settings.dataDirectory)", "store": "\(broker.storeID)",
                "topics": .stringConvertible(broker.topics.count),
            ])
    }

    private static func serve(
        _ services: LogServices, on address: ListenAddress,
        config: HTTP2ServerTransport.Posix.Config, loops: MultiThreadedEventLoopGroup
    ) async throws(Fault) -> (Server, Task<Void, any Error>, port: Int) {
        let server = Server(
            transport: HTTP2ServerTransport.Posix(
                address: Listener.socketAddress(address), transportSecurity: .plaintext,
                config: config, eventLoopGroup: loops),
            services: services.services)
        // Unstructured, since clients are served from here on and `run` may come later.
        let serving = Task { try await server.serve() }
        guard let port = await boundPort(of: server) else {
            throw Listener.fault(await serving.result.failure, listeningOn: address)
        }
        return (server, serving, port)
    }

    /// The port, or `nil` if the server ended before it had one; then it says why.
    private static func boundPort(of server: Server) async -> Int? {
        guard let address = try? await server.transport.listeningAddress else { return nil }
        return address.ipv4?.port ?? address.ipv6?.port
    }
}

/// Where a node listens, looked up.
struct Addresses: Sendable {
    var grpc: ListenAddress
    var kafka: ListenAddress?

    /// Looks names up, which blocks.
    init(resolving settings: ListenSettings) throws(Fault) {
        let allowPlaintext = settings.insecureAllowPlaintext
        grpc = try Listener.resolve(
            settings.grpcAddress, of: "listen.grpc.address", allowPlaintext: allowPlaintext)
        guard let address = settings.kafkaAddress else { return }
        kafka = try Listener.resolve(
            address, of: "listen.kafka.address", allowPlaintext: allowPlaintext)
    }
}

/// What clients are told to connect to, known once the server listens.
private final class BoundAddress: Sendable {
    private let state: Mutex<String>
    private let isFixed: Bool

    init(advertised: String) {
        state = Mutex(advertised)
        isFixed = !advertised.isEmpty
    }

    var text: String { state.withLock { $0 } }

    func set(_ address: ListenAddress) {
        if !isFixed { state.withLock { $0 = address.description } }
    }
}

extension Result {
    /// The error, if there is one.
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
