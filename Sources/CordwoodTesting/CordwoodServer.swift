// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import BrokerRuntime
public import CordwoodClient
internal import Disk
internal import Foundation
public import Logging
internal import SimulatedDisk

/// A server that lives for the length of a closure.
public struct CordwoodServer: Sendable {
    /// Where it listens, as `host:port`, for clients of any kind.
    public let address: String
    /// A client that is connected to it.
    public let client: CordwoodClient
}

/// Where a test's server keeps its records.
public enum TestStorage: Sendable, Equatable {
    /// In memory: nothing touches a disk.
    case memory
    /// In a folder of its own under the system's temporary one, removed at the end.
    case temporaryFolder
}

/// A topic that is there from the start.
public struct TestTopic: Sendable, Equatable, ExpressibleByStringLiteral {
    /// The topic's name.
    public var name: String
    /// How many partitions it has.
    public var partitions: Int
    /// Settings that differ from the defaults, such as `retention.ms`.
    public var settings: [String: String]

    /// A topic of these.
    public init(_ name: String, partitions: Int = 1, settings: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.settings = settings
    }

    /// A topic with one partition.
    public init(stringLiteral name: String) { self.init(name) }
}

/// Runs a server for the length of a closure.
///
/// Servers of tests that run at the same time do not meet: each has a port and a store of its own.
///
/// - Parameters:
///   - storage: Where records are kept.
///   - topics: What is there from the start.
///   - settings: Server settings by key, such as `limits.record`; see docs/reference/settings.md.
///   - logger: Takes what the server and the client say; by default nothing does.
///   - body: The test.
/// - Returns: What `body` returned.
/// - Throws: What `body` throws; a `Fault` if the server cannot start.
@discardableResult
public func withCordwood<Result>(
    _ storage: TestStorage = .memory, topics: [TestTopic] = [], settings: [String: String] = [:],
    logger: Logger = Logger(label: "cordwood.testing", factory: { _ in SwiftLogNoOpLogHandler() }),
    _ body: (CordwoodServer) async throws -> Result
) async throws -> Result {
    let store = try TestStore(storage)
    defer { store.remove() }
    let node = try await Node.start(
        settings: try testSettings(settings, dataDirectory: store.directory),
        fileSystem: store.fileSystem, logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await node.run() }
        // However the closure ends, the server must have closed its files before they are removed.
        defer { node.stop() }
        for topic in topics {
            _ = try await node.broker.createTopic(
                topic.name, partitionCount: topic.partitions, settings: topic.settings)
        }
        let address = node.grpcAddress.description
        let result = try await CordwoodClient.withClient(
            CordwoodClient.Configuration(server: address), logger: logger
        ) { client in
            try await body(CordwoodServer(address: address, client: client))
        }
        node.stop()
        try await group.waitForAll()
        return result
    }
}

/// A server's settings that suit a test: any port, few threads, no marks that a full disk of the
/// machine would cross.
private func testSettings(
    _ changes: [String: String], dataDirectory: String
) throws -> Settings {
    var defaults = Settings()
    defaults.nodeID = "test"
    defaults.dataDirectory = dataDirectory
    defaults.listen.grpcAddress = ListenAddress(host: "127.0.0.1", port: 0)
    defaults.listen.kafkaAddress = ListenAddress(host: "127.0.0.1", port: 0)
    // Servers of tests have nothing to do with each other; `gossip.bind` turns it on.
    defaults.gossip.bind = nil
    defaults.listen.threads = 1
    defaults.disk.lowBytes = 0
    defaults.disk.criticalBytes = 0
    defaults.disk.reserveBytes = 0
    return try SettingsLoader(flags: changes, defaults: defaults).load().settings
}

/// The files of a test's server.
private struct TestStore {
    let fileSystem: any FileSystem
    let directory: String
    private let folder: URL?

    init(_ storage: TestStorage) throws {
        switch storage {
        case .memory:
            fileSystem = SimulatedFileSystem(modelsPowerCuts: false)
            directory = "/data"
            folder = nil
        case .temporaryFolder:
            let folder = FileManager.default.temporaryDirectory
                .appending(path: "cordwood-test-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            self.folder = folder
            fileSystem = MachineDisk.open()
            directory = folder.appending(path: "data").path
        }
    }

    func remove() {
        guard let folder else { return }
        // A folder that cannot be removed is no reason to fail the test that made it.
        try? FileManager.default.removeItem(at: folder)
    }
}
