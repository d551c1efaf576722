// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct EndpointTests {
    @Test(
        "addresses are what their text says, and are written in their shortest text",
        arguments: [
            ("127.0.0.1", "7f000001", "127.0.0.1"),
            ("255.255.255.255", "ffffffff", "255.255.255.255"),
            ("::", "00000000000000000000000000000000", "::"),
            ("::1", "00000000000000000000000000000001", "::1"),
            ("1::", "00010000000000000000000000000000", "1::"),
            ("2001:DB8::0:1", "20010db8000000000000000000000001", "2001:db8::1"),
            ("fe80:0:0:1:0:0:0:1", "fe800000000000010000000000000001", "fe80:0:0:1::1"),
            ("1:2:3:4:5:6:7:8", "00010002000300040005000600070008", "1:2:3:4:5:6:7:8"),
            ("1:0:3:4:5:6:7:8", "00010000000300040005000600070008", "1:0:3:4:5:6:7:8"),
            ("::ffff:127.0.0.1", "00000000000000000000ffff7f000001", "::ffff:127.0.0.1"),
            ("64:ff9b::1.2.3.4", "0064ff9b000000000000000001020304", "64:ff9b::102:304"),
            ("1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304", "1:2:3:4:5:6:102:304"),
        ])
    func addressText(_ text: String, _ bytes: String, _ shortest: String) throws {
        let address = try #require(IPAddress(text))
        #expect(hexText(address.bytes) == bytes)
        #expect("\(address)" == shortest)
        #expect(IPAddress(bytes: hexBytes(bytes)) == address)
        #expect(IPAddress(shortest) == address)
    }

    @Test(
        "what is no address is none",
        arguments: [
            "", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.04", "+1.2.3.4", "1..2.3",
            "1.2.3.4 ",
            ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8",
            "12345::", "g::",
            "::1%lo", "1.2.3.4::", "::1.2.3", ":1::", "::+1", "1:2:3:4:5:6:7:1.2.3.4",
        ])
    func noAddress(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("an address has 4 or 16 bytes")
    func counts() {
        for count in 0...20 {
            let address = IPAddress(bytes: [UInt8](repeating: 1, count: count))
            #expect((address != nil) == (count == 4 || count == 16))
        }
    }

    @Test("addresses by a seed are the same once written as text and read")
    func roundTrip() throws {
        var random = RandomMessages(seed: 11)
        for _ in 0..<500 {
            let endpoint = random.endpoint()
            #expect(Endpoint("\(endpoint)") == endpoint)
            #expect(IPAddress(bytes: endpoint.address.bytes) == endpoint.address)
        }
    }

    @Test("a mapped address is another one, and stands for its IPv4 address")
    func mapped() throws {
        let mapped = try #require(IPAddress("::ffff:127.0.0.1"))
        let plain = try #require(IPAddress("127.0.0.1"))
        #expect(mapped != plain)
        #expect(mapped.unmapped == plain)
        #expect(plain.unmapped == plain)
    }

    @Test("loopback and unspecified addresses are told")
    func kinds() throws {
        for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            let address = try #require(IPAddress(text))
            #expect(address.isLoopback && !address.isUnspecified)
        }
        for text in ["0.0.0.0", "::", "::ffff:0.0.0.0"] {
            let address = try #require(IPAddress(text))
            #expect(address.isUnspecified && !address.isLoopback)
        }
        for text in ["10.0.0.1", "128.0.0.1", "::2", "fe80::1"] {
            let address = try #require(IPAddress(text))
            #expect(!address.isUnspecified && !address.isLoopback)
        }
    }

    @Test("endpoints are in order: IPv4 first, by bytes, then by port")
    func order() throws {
        let texts = [
            "1.2.3.4:5", "1.2.3.4:6", "1.2.3.5:1", "200.0.0.1:1", "[::1]:9", "[::2]:1", "[1::]:1",
        ]
        let endpoints = try texts.map { try #require(Endpoint($0)) }
        #expect(endpoints.reversed().sorted() == endpoints)
        #expect(endpoints.map(\.description) == texts)
    }

    @Test(
        "what is no endpoint is none",
        arguments: [
            "", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:01", "::1:7946",
            "[::1]", "[::1]:",
            "[1.2.3.4]:1", "::1]:1", "[::1:1", "host:1",
        ])
    func noEndpoint(_ text: String) {
        #expect(Endpoint(text) == nil)
    }
}
