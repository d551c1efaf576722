// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SerfWire
import Testing

@testable import Membership

@Suite struct AdvertisedAddressTests {
    private func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }

    private func choose(_ advertised: String? = nil, bound: String, _ machine: [String] = [])
        throws -> String
    {
        try AdvertisedAddress.choose(
            advertised: advertised.map(endpoint), bound: endpoint(bound),
            machine: machine.compactMap { IPAddress($0) }
        ).description
    }

    @Test("what is set is taken, then what is bound") func order() throws {
        #expect(try choose("192.0.2.7:9", bound: "10.0.0.1:7946") == "192.0.2.7:9")
        #expect(try choose(bound: "10.0.0.1:7946") == "10.0.0.1:7946")
        #expect(try choose(bound: "127.0.0.1:7946") == "127.0.0.1:7946")
    }

    @Test("bound to all, the first private address of the machine is taken") func machine() throws {
        let machine = [
            "127.0.0.1", "::1", "fe80::1", "169.254.1.1", "192.0.2.7", "10.2.0.1", "172.17.0.1",
        ]
        #expect(try choose(bound: "0.0.0.0:1", machine) == "10.2.0.1:1")
        #expect(try choose(bound: "0.0.0.0:1", ["127.0.0.1", "192.0.2.7"]) == "192.0.2.7:1")
        #expect(try choose(bound: "0.0.0.0:1", ["127.0.0.1", "fd00::1"]) == "127.0.0.1:1")
        #expect(try choose(bound: "[::]:1", ["127.0.0.1", "fd00::1"]) == "[fd00::1]:1")
        #expect(try choose(bound: "[::]:1", []) == "[::1]:1")
    }

    @Test("an address that nobody can dial is refused", arguments: ["0.0.0.0:1", "[::]:1"])
    func unspecified(text: String) throws {
        let error = #expect(throws: MembershipError.self) {
            try AdvertisedAddress.choose(
                advertised: endpoint(text), bound: endpoint("10.0.0.1:1"), machine: [])
        }
        #expect(error?.code == .unreachableAddress)
    }

    @Test(
        "private, link-local and loopback addresses are told apart",
        arguments: [
            ("10.0.0.1", true, false), ("172.16.0.1", true, false), ("172.32.0.1", false, false),
            ("192.168.9.9", true, false), ("100.64.0.1", true, false),
            ("100.128.0.1", false, false), ("8.8.8.8", false, false),
            ("169.254.0.1", false, true), ("fd12::1", true, false), ("fe80::1", false, true),
            ("fec0::1", false, false), ("2001:db8::1", false, false),
        ])
    func ranges(text: String, isPrivate: Bool, isLinkLocal: Bool) throws {
        let address = try #require(IPAddress(text))
        #expect(address.isPrivate == isPrivate)
        #expect(address.isLinkLocal == isLinkLocal)
    }

    @Test(
        "endpoints become socket addresses and come back",
        arguments: ["127.0.0.1:7946", "255.1.2.3:1", "[::1]:7946", "[2001:db8:1:2:3:4:5:6]:65535"])
    func socketAddresses(text: String) throws {
        let endpoint = try endpoint(text)
        let address = try #require(endpoint.socketAddress)
        #expect(Endpoint(address) == endpoint)
        #expect(address.port == Int(endpoint.port))
        #expect(address.ipAddress == endpoint.address.description)
    }

    @Test("an IPv6 socket reaches IPv4, the other way round there is no way") func families() throws
    {
        let four = try endpoint("10.1.2.3:5")
        let six = try endpoint("[2001:db8::1]:5")
        let mapped = try #require(four.socketAddress(for: .inet6))
        #expect(mapped.ipAddress == "::ffff:10.1.2.3")
        #expect(Endpoint(mapped) == four)
        #expect(six.socketAddress(for: .inet) == nil)
        #expect(Endpoint(address: four.address, port: 0).socketAddress == nil)
    }

    @Test("localhost has an address, and an address is its own") func lookup() throws {
        #expect(try NameLookup.addresses(of: "localhost").contains { $0.isLoopback })
        #expect(try NameLookup.addresses(of: "192.0.2.9") == [IPAddress("192.0.2.9")])
        let error = #expect(throws: MembershipError.self) {
            try NameLookup.addresses(of: "name.invalid")
        }
        #expect(error?.code == .unknownHost)
    }
}
