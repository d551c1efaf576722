// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import CordwoodClient
import Disk
import Faults
import Logging
import Records
import ServiceLifecycle
import SimulatedDisk
import Synchronization
import Testing

@testable import Agent

@Suite("A node", .timeLimit(.minutes(1)))
struct NodeTests {
    @Test("a node serves records from the moment that it is started, on the port that it says")
    func serves() async throws {
        try await withNode { node in
            #expect(node.grpcAddress.port != 0)
            #expect(node.broker.topics.map(\.name) == ["default"])
            try await CordwoodClient.withClient(client(of: node)) { client in
                try await client.produce("default", Record("one"))
                let texts = try await client.withConsumer("default") { consumer in
                    var texts: [String] = []
                    for try await record in consumer { texts.append(record.text) }
                    return texts
                }
                #expect(texts == ["one"])
            }
        }
    }

    @Test("what a node stored is there when it starts again, and the book's topic is not made anew")
    func restart() async throws {
        let disk = SimulatedFileSystem(modelsPowerCuts: false)
        try await withNode(on: disk) { node in
            try await CordwoodClient.withClient(client(of: node)) { client in
                try await client.produce("default", Record("kept"))
            }
        }
        try await withNode(on: disk) { node in
            let partition = try node.broker.partition("default", 0)
            #expect(partition.highWatermark.rawValue == 1)
        }
    }

    @Test("an address that is taken is refused with the remedy, and the store is closed again")
    func addressInUse() async throws {
        try await withNode { first in
            let disk = SimulatedFileSystem(modelsPowerCuts: false)
            let settings = nodeSettings { $0.listen.grpcAddress = first.grpcAddress }
            let fault = await #expect(throws: Fault.self) {
                try await Node.start(settings: settings, fileSystem: disk, logger: noLogger)
            }
            #expect(fault?.code == .addressInUse)
            #expect(fault?.message == "\(first.grpcAddress) is taken by another program")
            #expect(fault?.hint?.contains("--listen") == true)
            // The lock of the data directory was given back.
            try await withNode(on: disk) { _ in }
        }
    }

    @Test("without TLS a node listens on loopback only, unless told otherwise")
    func plaintext() async throws {
        let fault = await #expect(throws: Fault.self) {
            try await Node.start(
                settings: nodeSettings { $0.listen.grpcAddress.host = "0.0.0.0" },
                fileSystem: SimulatedFileSystem(), logger: noLogger)
        }
        #expect(fault?.code == .plaintextRefused)
        try await withNode {
            $0.listen.grpcAddress.host = "0.0.0.0"
            $0.listen.insecureAllowPlaintext = true
        } _: { node in
            #expect(node.grpcAddress.host == "0.0.0.0")
        }
    }

    @Test("an address that is not the machine's, and a name that is none, are refused")
    func badAddresses() async throws {
        for host in ["192.0.2.1", "no-such-host.invalid"] {
            let fault = await #expect(throws: Fault.self) {
                try await Node.start(
                    settings: nodeSettings {
                        $0.listen.grpcAddress.host = host
                        $0.listen.insecureAllowPlaintext = true
                    },
                    fileSystem: SimulatedFileSystem(), logger: noLogger)
            }
            #expect(fault?.code == .invalidValue)
            #expect(fault?.message.contains(host) == true)
        }
    }

    @Test("a data directory that another node uses is refused")
    func lockedDirectory() async throws {
        let disk = SimulatedFileSystem(modelsPowerCuts: false)
        try await withNode(on: disk) { _ in
            let fault = await #expect(throws: Fault.self) {
                try await Node.start(settings: nodeSettings(), fileSystem: disk, logger: noLogger)
            }
            #expect(fault?.code == .dataDirectoryLocked)
        }
    }

    @Test("a node stops at once with consumers attached that wait for records")
    func stopWithConsumers() async throws {
        let clock = ContinuousClock()
        let stopping = Mutex<ContinuousClock.Instant?>(nil)
        try await withNode { node in
            try await CordwoodClient.withClient(quickClient(of: node)) { client in
                try await client.produce("default", Record("first"))
                await withTaskGroup { group in
                    let (ready, readers) = AsyncStream<Void>.makeStream()
                    for _ in 0..<3 {
                        group.addTask {
                            await #expect(throws: CordwoodError.self) {
                                try await client.withConsumer("default", follow: true) {
                                    for try await _ in $0 { readers.yield() }
                                }
                            }
                        }
                    }
                    var waiting = ready.makeAsyncIterator()
                    for _ in 0..<3 { await waiting.next() }
                    stopping.withLock { $0 = clock.now }
                    node.stop()
                }
            }
        }
        let began = try #require(stopping.withLock { $0 })
        // Streams are ended, not waited for: far below the grace of 10 s.
        #expect(clock.now - began < .seconds(5))
    }

    @Test("a stop cuts what does not end within the grace")
    func stopCuts() async throws {
        let clock = ContinuousClock()
        let began = Mutex<ContinuousClock.Instant?>(nil)
        try await withNode {
            // Far from the time after which a client is closed that does not answer.
            $0.shutdownGrace = .milliseconds(500)
            $0.limits.connectionGrace = .seconds(3600)
        } _: { node in
            // A call that has begun, and whose request never comes.
            let connection = try await RawConnection(
                to: node.grpcAddress, answersPings: true)
            try await connection.send(RawConnection.greeting + RawConnection.unendingCall)
            try await connection.waitUntilAnswered()
            began.withLock { $0 = clock.now }
            node.stop()
            try await connection.waitUntilClosed()
        }
        let start = try #require(began.withLock { $0 })
        #expect(clock.now - start < .seconds(5))
    }

    @Test("a service group's graceful shutdown stops a node")
    func serviceGroup() async throws {
        let node = try await Node.start(
            settings: nodeSettings(), fileSystem: SimulatedFileSystem(modelsPowerCuts: false),
            logger: noLogger)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: node, successTerminationBehavior: .ignore)],
                logger: noLogger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        await #expect(throws: (any Error).self) {
            try await RawConnection(to: node.grpcAddress)
        }
    }

    @Test("a cancelled node closes its store, which can then be opened")
    func cancellation() async throws {
        let disk = SimulatedFileSystem(modelsPowerCuts: false)
        let node = try await Node.start(
            settings: nodeSettings(), fileSystem: disk, logger: noLogger)
        let running = Task { try await node.run() }
        running.cancel()
        _ = await running.result
        try await withNode(on: disk) { _ in }
    }
}

/// A client of a node.
private func client(of node: Node) -> CordwoodClient.Configuration {
    .init(server: node.grpcAddress.description)
}

/// A client that does not try for long to find a server that has gone.
private func quickClient(of node: Node) -> CordwoodClient.Configuration {
    var configuration = client(of: node)
    configuration.retryTimeout = .milliseconds(100)
    return configuration
}
