// SPDX-License-Identifier: Apache-2.0

public import Logging
public import ServiceLifecycle
internal import Synchronization

/// A client of a Cordwood server: produces and consumes records, and looks after topics.
///
/// One client serves a whole program. It connects when it is first used and reconnects by itself,
/// but only while it runs: inside ``withClient(_:logger:_:)``, or as a `Service` whose ``run()`` a
/// service group calls. All its calls throw ``CordwoodError`` and nothing else.
public final class CordwoodClient: Sendable, Service {
    let connection: ServerConnection
    let configuration: Configuration
    let logger: Logger
    /// Partition counts of topics that were produced to.
    ///
    /// A topic keeps its count for life, so an entry is wrong only after the topic was deleted and
    /// created anew.
    let partitionCounts = Mutex<[String: Int]>([:])
    let roundRobin = Mutex(RoundRobin())

    /// A client that does nothing until it runs.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is, and how long to wait for it.
    ///   - logger: Takes what happens behind the scenes; nothing is logged when `nil`.
    /// - Throws: ``CordwoodError/Code/invalidArgument`` for an address that cannot be read.
    public init(_ configuration: Configuration = .init(), logger: Logger? = nil)
        throws(CordwoodError)
    {
        self.configuration = configuration
        self.logger = logger ?? Logger(label: "cordwood.client") { _ in SwiftLogNoOpLogHandler() }
        connection = try ServerConnection(configuration)
    }

    /// Makes a client, hands it to `body` and closes it when `body` is done.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is, and how long to wait for it.
    ///   - logger: Takes what happens behind the scenes: connections lost, batches refused for now.
    ///     Nothing is logged when `nil`.
    ///   - body: Uses the client, which is closed afterwards.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` throws; ``CordwoodError`` for an address that cannot be read.
    @discardableResult
    public static func withClient<Result>(
        _ configuration: Configuration = .init(), logger: Logger? = nil,
        _ body: (CordwoodClient) async throws -> Result
    ) async throws -> Result {
        let client = try CordwoodClient(configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.connection.run() }
            let result = try await body(client)
            client.connection.close()
            // Closing alone waits for a server that took the connection and is silent.
            group.cancelAll()
            return result
        }
    }

    /// Keeps the client connected until the task is cancelled or the service group shuts down.
    ///
    /// Calls made while the client does not run wait for it, within their timeouts. A client runs
    /// once.
    public func run() async throws {
        try await cancelWhenGracefulShutdown { try await self.connection.run() }
    }
}
