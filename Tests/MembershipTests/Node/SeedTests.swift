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
        let later = OwnAddress.next()
        try await withNode(testSettings("early", seeds: ["\(later)"])) { early in
            #expect(try await early.members.map(\.name) == ["early"])
            var settings = testSettings("late")
            settings.bind(to: later)
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
        let places = [OwnAddress.next(), OwnAddress.next()]
        let seeds = places.map(\.description)
        var one = testSettings("one", seeds: seeds)
        one.bind(to: places[0])
        var two = testSettings("two", seeds: seeds)
        two.bind(to: places[1])
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

    @Test("a name that leads elsewhere is refused when it is found, and ends the node")
    func nameElsewhere() async throws {
        try await withNode(testSettings("node")) { node in
            let port: UInt16 = 7946
            let elsewhere = try #require(IPAddress("192.0.2.1"))
            let here = try #require(IPAddress("127.0.0.2"))
            func endpoints(_ addresses: [IPAddress]) async throws -> [Endpoint] {
                let seed = ResolvedSeed(text: "seed.test", port: port, addresses: addresses)
                return try await node.read { loop in
                    Result { () throws(MembershipError) in try loop.endpoints(of: [seed, seed]) }
                }.get()
            }
            let error = await #expect(throws: MembershipError.self) {
                try await endpoints([elsewhere])
            }
            #expect(error?.code == .unreachableAddress)
            #expect(error?.message.contains("seed.test") == true)
            // A name of this machine may have addresses of the network too.
            #expect(
                try await endpoints([elsewhere, here])
                    == [elsewhere, here].map { Endpoint(address: $0, port: port) })
            #expect(try await endpoints([]).isEmpty)
            #expect(try await endpoints([node.boundEndpoint.address]).count == 1)
        }
    }

    @Test("of more addresses than may be asked at once, all get their turn") func turns() {
        let endpoints = (1...5).map { Endpoint(address: .v4(UInt32($0)), port: 1) }
        var rejoin = Rejoin(pause: .seconds(1))
        #expect(rejoin.round(of: endpoints, countMax: 5) == endpoints)
        let rounds = (0..<3).map { _ in
            rejoin.round(of: endpoints, countMax: 2).map { $0.address.bytes[3] }
        }
        #expect(rounds == [[1, 2], [3, 4], [5, 1]])
        #expect(rejoin.round(of: Array(endpoints[..<3]), countMax: 2).count == 2)
    }

    @Test("a node on all addresses takes one that others can reach, and knows itself")
    func unspecified() async throws {
        var settings = testSettings("node")
        settings.bindHost = "0.0.0.0"
        try await withNode(settings) { node in
            let endpoint = try await node.localMember.endpoint
            #expect(!endpoint.address.isUnspecified)
            let own = try await node.boundEndpoint
            let error = await #expect(throws: MembershipError.self) {
                try await node.join(["127.0.0.1:\(own.port)", "\(endpoint)"])
            }
            #expect(error?.code == .unknownHost)
            try await withNode(testSettings("other")) { other in
                try await other.join(["127.0.0.1:\(own.port)"])
                try await eventually("it is in view") {
                    try await other.status(of: "node") == .alive
                }
            }
        }
    }

    @Test(
        "nodes on IPv6 find each other, and one on all addresses takes both kinds",
        .enabled(if: AdvertisedAddress.ofMachine().contains(.v6(0, 1))))
    func version6() async throws {
        var settings = testSettings("first")
        settings.bindHost = "::1"
        try await withNode(settings) { first in
            var settings = testSettings("second", seeds: [try await first.address])
            settings.bindHost = "::"
            settings.advertise = "::1"
            try await withNode(settings) { second in
                try await eventuallySeen(first, second)
                #expect(try await first.query(.ping).all().acks.count == 2)
                try await RawPeer.with { peer in
                    let port = try await second.boundEndpoint.port
                    let endpoint = Endpoint(address: .v4(0x7f00_0001), port: port)
                    try await peer.send(peer.ping(3, "second"), to: endpoint)
                    try await eventually("an ack by IPv4") { try peer.acks() == [3] }
                }
            }
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
