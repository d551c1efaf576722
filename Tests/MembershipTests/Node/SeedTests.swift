// SPDX-License-Identifier: Apache-2.0

import SerfCore
import SerfWire
import Testing

@testable import Membership

/// How a node finds the first other member.
@Suite struct SeedTests {
    @Test("a node whose seed comes later starts alone, and joins then") func firstAlone()
        async throws
    {
        let later = try await RawPeer.with { $0.endpoint }
        try await withNode(testSettings("early", seeds: ["\(later)"])) { early in
            #expect(try await early.members.map(\.name) == ["early"])
            var settings = testSettings("late")
            settings.bindPort = later.port
            try await withNode(settings) { late in
                try await eventuallySeen(early, late)
            }
        }
    }

    @Test("a seed may be a name, with several addresses") func name() async throws {
        try await withNode(testSettings("first")) { first in
            let port = try await first.boundEndpoint.port
            let seeds = ["name.invalid:1", "localhost:\(port)"]
            try await withNode(testSettings("second", seeds: seeds)) { second in
                try await eventuallySeen(first, second)
            }
        }
    }

    @Test("a node does not ask itself, and all may have the same seeds") func ownAddress()
        async throws
    {
        let ports = try await (RawPeer.with { $0.endpoint.port }, RawPeer.with { $0.endpoint.port })
        let seeds = ["127.0.0.1:\(ports.0)", "127.0.0.1:\(ports.1)"]
        var one = testSettings("one", seeds: seeds)
        one.bindPort = ports.0
        var two = testSettings("two", seeds: seeds)
        two.bindPort = ports.1
        try await withNode(one) { one in
            try await withNode(two) { two in
                try await eventuallySeen(one, two)
            }
            try await eventually("the other has failed", within: .seconds(30)) {
                try await one.status(of: "two") == .failed
            }
            // Alone again, it asks again; only the other is dialled.
            let before = try await one.statistics.sockets.streamsDialled
            try await eventually("it asks again") {
                try await one.statistics.sockets.streamsDialled > before + 2
            }
            let accepted = try await one.statistics.sockets.streamsAccepted
            try await withNode(two) { two in
                try await eventuallySeen(one, two)
            }
            // Whoever came in was the other node.
            #expect(accepted < 20)
        }
    }

    @Test(
        "an address of this machine is refused when a seed is elsewhere, with what to set",
        arguments: ["192.0.2.1", "192.0.2.1:7946", "[2001:db8::1]:7946"])
    func loopback(seed: String) async throws {
        let node = testNode(testSettings("node", seeds: [seed]))
        let error = await #expect(throws: MembershipError.self) { try await node.start() }
        #expect(error?.code == .unreachableAddress)
        #expect(error?.message.contains("advertise") == true)
        #expect(error?.message.contains("127.0.0.1") == true)
        // A node that did not start says the same to all who ask.
        let again = await #expect(throws: MembershipError.self) { try await node.members }
        #expect(again?.code == .unreachableAddress)
        var count = 0
        for await _ in node.events() { count += 1 }
        #expect(count == 0)
    }

    @Test("a join to elsewhere is refused as well") func joinElsewhere() async throws {
        try await withNode(testSettings("node")) { node in
            let error = await #expect(throws: MembershipError.self) {
                try await node.join(["192.0.2.1"])
            }
            #expect(error?.code == .unreachableAddress)
        }
    }

    @Test("an advertised address is what others are told") func advertised() async throws {
        var settings = testSettings("node")
        settings.advertise = "127.0.0.9:1234"
        try await withNode(settings) { node in
            #expect(try await node.localMember.endpoint == Endpoint("127.0.0.9:1234"))
            #expect(try await node.boundEndpoint.port != 1234)
            try await withNode(testSettings("other")) { other in
                try await other.join(["\(node.boundEndpoint)"])
                try await eventually("the address is known") {
                    let member = try await other.members.first { $0.name == "node" }
                    return member?.endpoint == Endpoint("127.0.0.9:1234")
                }
            }
        }
    }
}
