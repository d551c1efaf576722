// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import ClusterCore
import CordwoodClient
import Disk
import Foundation
import SimulatedDisk
import Synchronization
import Testing

@testable import Agent

/// A node that gossips on a free port of the loopback, and runs in a task of its own.
final class RunningNode: Sendable {
    let node: Node
    private let task: Task<Void, any Error>

    init(
        _ name: String, seeds: [RunningNode] = [],
        on disk: any FileSystem = SimulatedFileSystem(modelsPowerCuts: false),
        _ change: (inout Settings) -> Void = { _ in }
    ) async throws {
        let settings = nodeSettings { settings in
            settings.nodeID = name
            settings.gossip.bind = ListenAddress(host: Self.nextHost(), port: 0)
            settings.gossip.profile = .local
            settings.gossip.seeds = seeds.compactMap(\.node.gossipAddress)
            change(&settings)
        }
        let node = try await Node.start(settings: settings, fileSystem: disk, logger: noLogger)
        self.node = node
        task = Task { try await node.run() }
    }

    /// An address of the loopback that nothing else in the process uses, so that a node can come
    /// back to its own.
    private static func nextHost() -> String {
        let number = hostCount.withLock { count in
            count += 1
            return count
        }
        return "127.77.\(number / 250).\(number % 250 + 1)"
    }

    private static let hostCount = Mutex(0)

    var gossip: String { node.gossipAddress?.description ?? "" }

    /// Shuts down as SIGTERM does.
    func stop() async throws {
        node.stop()
        try await task.value
    }

    /// Goes without a word.
    func cut() async {
        task.cancel()
        _ = await task.result
    }

    /// The status of a member here.
    func status(of name: String) -> ClusterCore.ClusterMember.Status? {
        node.servers.directory.member(name)?.status
    }

    /// Returns once a member has a status here.
    func wait(for name: String, _ status: ClusterCore.ClusterMember.Status?) async throws {
        while self.status(of: name) != status { try await Task.sleep(for: .milliseconds(10)) }
    }

    /// Hands over a client.
    @discardableResult
    func withClient<Value>(
        _ body: (CordwoodClient) async throws -> Value
    ) async throws -> Value {
        try await CordwoodClient.withClient(
            .init(server: "\(node.grpcAddress)"), logger: noLogger, body)
    }
}

/// Stops nodes at the end of a test, however it ends.
@discardableResult
func withNodes<Value>(
    _ body: (NodeShelf) async throws -> Value
) async throws -> Value {
    let shelf = NodeShelf()
    do {
        let value = try await body(shelf)
        await shelf.clear()
        return value
    } catch {
        await shelf.clear()
        throw error
    }
}

/// The nodes of a test.
actor NodeShelf {
    private var nodes: [RunningNode] = []

    func start(
        _ name: String, seeds: [RunningNode] = [],
        on disk: any FileSystem = SimulatedFileSystem(modelsPowerCuts: false),
        _ change: @Sendable (inout Settings) -> Void = { _ in }
    ) async throws -> RunningNode {
        let node = try await RunningNode(name, seeds: seeds, on: disk, change)
        nodes.append(node)
        return node
    }

    func clear() async {
        let nodes = nodes
        self.nodes = []
        // Cut, since leaving takes its time and nobody looks any more.
        for node in nodes { await node.cut() }
    }
}

/// A file that only its owner reads, with keys.
@discardableResult
func withKeyFile<Value>(
    _ bytes: [UInt8], _ body: (String) async throws -> Value
) async throws -> Value {
    let path = FileManager.default.temporaryDirectory
        .appending(path: "cordwood-key-\(UUID().uuidString)").path
    try Data(Data(bytes).base64EncodedString().utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
