// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Membership

@Suite struct GossipKeyTests {
    @Test("a key is base64 of 16, 24 or 32 bytes") func sizes() throws {
        for size in [16, 24, 32] {
            let key = try GossipKey(bytes: (0..<size).map { UInt8($0) })
            #expect(try GossipKey(base64: key.base64) == key)
        }
        #expect(GossipKey.random().bytes.count == 32)
        #expect(GossipKey.random() != GossipKey.random())
    }

    @Test(
        "anything else is refused, and not repeated",
        arguments: [
            "", "AAAA", "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "c2VjcmV0LXNlY3JldC1zZWNyZX=",
            "c2VjcmV0LXNlY3JldC1zZWNyZXQ!", " AAECAwQFBgcICQoLDA0ODw==",
            "AAECAwQFBgcICQoLDA0ODw==\n", "AAECAwQFBgcICQoLDA0ODx==",
        ])
    func refused(text: String) {
        let error = #expect(throws: MembershipError.self) { try GossipKey(base64: text) }
        #expect(error?.code == .invalidKey)
        if text.count > 4 { #expect(error.map { !"\($0)".contains(text) } == true) }
    }

    @Test("base64 as RFC 4648 has it") func base64() {
        let pairs = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ]
        for (plain, text) in pairs {
            #expect(Base64.encode(Array(plain.utf8)) == text)
            #expect(Base64.decode(text) == Array(plain.utf8))
        }
        #expect(Base64.encode([0xfb, 0xff]) == "+/8=")
        for text in ["Zg", "Zg=", "Z===", "====", "=Zg=", "Zg==Zg==", "Zh==", "Z g="] {
            #expect(Base64.decode(text) == nil)
        }
    }

    @Test("no way to print a key shows it") func descriptions() throws {
        let key = someKey
        var settings = SerfNodeSettings(name: "node")
        settings.keys = [key]
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(key)", String(reflecting: key), "\(settings)", dumped] {
            #expect(!text.contains(key.base64))
            #expect(!text.contains("1, 2, 3, 4"))
        }
    }
}
