// SPDX-License-Identifier: Apache-2.0

public import BrokerRuntime
public import Disk
public import Faults
public import Logging
public import ServiceLifecycle

/// One node: its broker, and the gRPC server in front of it.
public final class Node: Service, Sendable {
    /// Where gRPC listens, with the port that was bound.
    public let grpcAddress: ListenAddress
    /// What the node stores.
    public let broker: Broker

    private init() { fatalError("contract") }

    /// Opens the data directory, creates the book's topic if it is missing, and listens.
    ///
    /// Records can be produced and consumed once this returns; the node must then be ``run()``.
    public static func start(
        settings: Settings, fileSystem: any FileSystem, logger: Logger
    ) async throws(Fault) -> Node { fatalError("contract") }

    /// Serves until the task's graceful shutdown or cancellation, then closes everything.
    public func run() async throws { fatalError("contract") }

    /// Stops as a graceful shutdown does; ``run()`` returns when all is closed.
    public func stop() { fatalError("contract") }
}
