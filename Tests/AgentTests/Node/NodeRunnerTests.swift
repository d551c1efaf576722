// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import Disk
import Faults
import Glibc
import Records
import SimulatedDisk
import Testing

@testable import Agent

/// Runs a node as a process would, and calls back when it is ready.
private func runNode(
    on disk: any FileSystem = SimulatedFileSystem(modelsPowerCuts: false),
    graceSeconds: Int = 10, onReady: @escaping @Sendable (Node) async throws -> Void
) async throws {
    try await NodeRunner.run(
        settings: nodeSettings { $0.shutdownGrace = .seconds(graceSeconds) },
        fileSystem: disk, logger: noLogger
    ) { node in
        Task { try await onReady(node) }
    }
}

/// Opens a call that never ends, so that a stop has something to wait for.
private func holdOpen(_ node: Node) async throws -> RawConnection {
    let connection = try await RawConnection(to: node.grpcAddress)
    try await connection.send(RawConnection.greeting + RawConnection.unendingCall)
    try await connection.waitUntilAnswered()
    return connection
}

@Suite("Signals", .timeLimit(.minutes(1)))
struct NodeRunnerTests {
    @Test("SIGTERM stops a node gracefully")
    func terminate() async {
        await #expect(processExitsWith: .exitCode(0)) {
            try await runNode { _ in kill(getpid(), SIGTERM) }
            exit(0)
        }
    }

    @Test("SIGINT does as well")
    func interrupt() async {
        await #expect(processExitsWith: .exitCode(0)) {
            try await runNode { _ in kill(getpid(), SIGINT) }
            exit(0)
        }
    }

    @Test("a second signal ends the process at once")
    func second() async {
        await #expect(processExitsWith: .exitCode(128 + SIGTERM)) {
            try await runNode(graceSeconds: 3600) { node in
                let connection = try await holdOpen(node)
                kill(getpid(), SIGTERM)
                // Signals of one number that are pending are one, so the first must have acted.
                while !node.isAskedToStop { try await Task.sleep(for: .milliseconds(5)) }
                kill(getpid(), SIGTERM)
                try await connection.waitUntilClosed()
            }
            exit(0)
        }
    }

    @Test("a stop that a dead disk holds up is cut when the grace is over")
    func stuckDisk() async {
        await #expect(processExitsWith: .exitCode(1)) {
            let disk = StuckDisk()
            try await runNode(on: disk, graceSeconds: 1) { node in
                let partition = try node.broker.partition("default", 0)
                _ = try await partition.append(Record(key: nil, value: [1])).offset
                disk.getStuck()
                kill(getpid(), SIGTERM)
            }
            exit(0)
        }
    }
}
