// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import CordwoodClient

@Suite("Server address")
struct ServerAddressTests {
    @Test(
        "addresses are read as users write them",
        arguments: [
            ("127.0.0.1:9000", "127.0.0.1:9000"), ("localhost", "localhost:8400"),
            ("node-1.example.com:1", "node-1.example.com:1"), ("[::1]:8401", "[::1]:8401"),
            ("[fe80::1]", "[fe80::1]:8400"),
        ])
    func sound(text: String, description: String) throws {
        #expect(try ServerAddress(text).description == description)
    }

    @Test(
        "what is not an address is refused",
        arguments: [
            "", ":8400", "host:", "host:0", "host:65536", "host:x", "host:-1", "a:b:c", "[::1",
            "[::1]8400", "http://host:8400", "two words", "nul\u{0}",
        ])
    func unsound(text: String) {
        #expect {
            try ServerAddress(text)
        } throws: {
            ($0 as? CordwoodError)?.code == .invalidArgument
        }
    }
}
