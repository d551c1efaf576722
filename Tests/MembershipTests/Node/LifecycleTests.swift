// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOPosix
import SerfCore
import SerfWire
import ServiceLifecycle
import SwimCore
import Testing

@testable import Membership

/// How a node begins and ends.
@Suite struct LifecycleTests {
    /// Fails if a socket of a node's port is still there.
    private func expectFree(_ endpoint: Endpoint) async throws {
        let address = try #require(endpoint.socketAddress)
        let packets = try PacketSocket.bind(to: address)
        close(packets)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(to: address).get()
        try await listener.close()
    }

    @Test("a graceful shutdown leaves: the others see it as left, not as failed")
    func gracefulShutdown() async throws {
        try await withNode(testSettings("other")) { other in
            var settings = testSettings("node", seeds: [try await other.address])
            settings.bind(to: OwnAddress.next())
            let node = testNode(settings)
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: node)], logger: .silent))
            let serving = Task { try await group.run() }
            try await eventuallySeen(other, node)
            let endpoint = try await node.boundEndpoint
            let events = node.events()
            await group.triggerGracefulShutdown()
            try await serving.value
            // It is leaving already; its last packets may still be in the other's socket.
            #expect(try await other.status(of: "node") != .failed)
            try await eventually("it has left") { try await other.status(of: "node") == .left }
            try await expectFree(endpoint)
            // Whoever listens hears the end; whoever reads sees the last state.
            for await _ in events {}
            #expect(try await node.localMember.status != .alive)
            let error = await #expect(throws: MembershipError.self) {
                try await node.send(event: "late")
            }
            #expect(error?.code == .closed)
        }
    }

    @Test("a cancelled node closes at once, and the others find out") func cancellation()
        async throws
    {
        var settings = testSettings("other")
        settings.serf.swim.suspicionMaxTimeoutMult = 1
        try await withNode(settings) { other in
            var settings = testSettings("node", seeds: [try await other.address])
            settings.bind(to: OwnAddress.next())
            let node = testNode(settings)
            let serving = Task { try await node.run() }
            try await eventually("both are in view") {
                try await other.status(of: "node") == .alive
            }
            let endpoint = try await node.boundEndpoint
            serving.cancel()
            await #expect(throws: CancellationError.self) { try await serving.value }
            try await expectFree(endpoint)
            try await eventually("it is seen as failed", within: .seconds(30)) {
                try await other.status(of: "node") == .failed
            }
        }
    }

    @Test("a node that is cancelled before it began leaves nothing open") func cancelledBefore()
        async throws
    {
        var settings = testSettings("node")
        settings.bind(to: OwnAddress.next())
        let node = testNode(settings)
        let serving = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await node.run()
        }
        await #expect(throws: CancellationError.self) { try await serving.value }
        try await expectFree(try await node.boundEndpoint)
    }

    @Test("calls wait for the start, and a cancelled call does not") func waiting() async throws {
        let node = testNode(testSettings("node"))
        let members = Task { try await node.members }
        let cancelled = Task { try await node.members }
        cancelled.cancel()
        await #expect(throws: MembershipError.self) { try await cancelled.value }
        try await node.start()
        #expect(try await members.value.map(\.name) == ["node"])
        // A second start is none.
        try await node.start()
        await node.close()
        await node.close()
    }

    @Test("a node that was closed before its start never starts") func closedBefore() async throws {
        let node = testNode(testSettings("node"))
        let members = Task { try await node.members }
        let events = node.events()
        await node.close()
        for (name, call) in [
            ("start", { try await node.start() }), ("run", { try await node.run() }),
            ("members", { _ = try await members.value }),
        ] as [(String, () async throws -> Void)] {
            let error = await #expect(throws: MembershipError.self, "\(name)") { try await call() }
            #expect(error?.code == .closed)
        }
        for await _ in events {}
    }

    @Test("a port that is taken, by TCP or by UDP, is refused, and nothing stays open")
    func portTaken() async throws {
        try await withNode(testSettings("first")) { first in
            var settings = testSettings("second")
            settings.bindPort = try await first.boundEndpoint.port
            let error = await #expect(throws: MembershipError.self) {
                try await testNode(settings).start()
            }
            #expect(error?.code == .bindFailed)
        }
        try await RawPeer.with { peer in
            var settings = testSettings("second")
            settings.bindPort = peer.endpoint.port
            let error = await #expect(throws: MembershipError.self) {
                try await testNode(settings).start()
            }
            #expect(error?.code == .bindFailed)
            #expect(error?.message.contains("UDP") == true)
            let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: Int(peer.endpoint.port)).get()
            try await listener.close()
        }
    }

    @Test("whoever waits for a command when the node closes is told") func closedMeanwhile()
        async throws
    {
        try await withPair { first, _ in
            let request = QueryRequest(name: "slow", timeout: .seconds(600))
            let answers = try await first.query(request)
            let result = Task { await answers.all() }
            let keys = Task { try await first.keys.list() }
            _ = try? await keys.value
            await first.close()
            #expect(await result.value.responses.isEmpty)
            await #expect(throws: MembershipError.self) { try await first.leave() }
        }
    }

    @Test("nothing of a closed node is kept") func released() async throws {
        weak var witness: Seen?
        do {
            let seen = Seen()
            witness = seen
            try await withPair { settings in
                settings.filter = PacketFilter { packet in
                    seen.insert("\(packet.direction)")
                    return false
                }
            } _: { first, _ in
                _ = try await first.query(.ping).all()
            }
            #expect(seen.all == ["incoming", "outgoing"])
        }
        try await eventually("both nodes, which hold the filter, are gone") { witness == nil }
    }

    @Test("leaving twice is leaving once") func leaveTwice() async throws {
        try await withPair { first, second in
            async let once: Void = second.leave()
            async let twice: Void = second.leave()
            _ = try await (once, twice)
            try await eventually("it has left") { try await first.status(of: "second") == .left }
        }
    }

    @Test("of two nodes of one name the newcomer stops, and says why") func nameConflict()
        async throws
    {
        try await withPair { first, second in
            var settings = testSettings("second", seeds: [try await first.address])
            settings.serf.queryTimeoutMult = 2
            let impostor = testNode(settings)
            let error = await #expect(throws: MembershipError.self) { try await impostor.run() }
            #expect(error?.code == .nameConflict)
            #expect(try await first.status(of: "second") == .alive)
            #expect(
                try await first.members.first { $0.name == "second" }?.endpoint
                    == second.localMember.endpoint)
        }
    }

    @Test("a new node in an old one's place is taken for it, with its own tags") func restart()
        async throws
    {
        try await withNode(testSettings("first")) { first in
            var settings = testSettings("second", seeds: [try await first.address])
            settings.bind(to: OwnAddress.next())
            for life in ["1", "2", "3"] {
                settings.tags = ["life": life]
                try await withNode(settings) { second in
                    try await eventually("its tags are seen") {
                        let member = try await first.members.first { $0.name == "second" }
                        return member?.tags == ["life": life] && member?.status == .alive
                    }
                    try await eventuallySeen(first, second)
                }
            }
        }
    }
}
