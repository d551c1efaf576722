// SPDX-License-Identifier: Apache-2.0

import SerfCore
import SwimCore
import Testing

@testable import Membership

@Suite struct SerfNodeSettingsTests {
    @Test(
        "hosts and ports as people write them",
        arguments: [
            ("db-1", "db-1", nil), ("db-1:7946", "db-1", 7946), ("10.0.0.1", "10.0.0.1", nil),
            ("10.0.0.1:1", "10.0.0.1", 1), ("::1", "::1", nil), ("[::1]", "::1", nil),
            ("[::1]:65535", "::1", 65535), ("a.example.org.:80", "a.example.org.", 80),
        ] as [(String, String, UInt16?)])
    func hostAndPort(text: String, host: String, port: UInt16?) throws {
        let parsed = try HostAndPort(text)
        #expect(parsed.host == host)
        #expect(parsed.port == port)
    }

    @Test(
        "what is no host and port is refused",
        arguments: [
            "", ":1", "a:", "a:0", "a:65536", "a:x", "[::1", "[::1]x", "[]:1", "a b", "a\n",
        ])
    func unreadable(text: String) {
        let error = #expect(throws: MembershipError.self) { try HostAndPort(text) }
        #expect(error?.code == .invalidSettings)
    }

    @Test("profiles are the cores'") func profiles() {
        #expect(GossipProfile.lan.settings == .lan)
        #expect(GossipProfile.wan.settings == .wan)
        #expect(GossipProfile.local.settings == .local)
        #expect(SerfNodeSettings(name: "node").serf == .lan)
    }

    @Test("settings that cannot work are refused before a socket is open") func refused() async {
        let changes: [(inout SerfNodeSettings) -> Void] = [
            { $0.name = "" }, { $0.name = String(repeating: "x", count: 129) },
            { $0.label = String(repeating: "x", count: 256) }, { $0.eventsMax = 0 },
            { $0.rejoinPauseMin = .zero }, { $0.rejoinPauseMax = .zero }, { $0.seeds = ["a:x"] },
            { $0.bindHost = "localhost" }, { $0.advertise = "" },
            { $0.serf.swim.probeTimeout = $0.serf.swim.probeInterval },
        ]
        for change in changes {
            var settings = testSettings("node")
            change(&settings)
            let error = await #expect(throws: MembershipError.self) {
                try await testNode(settings).start()
            }
            #expect(error?.code == .invalidSettings)
        }
        var settings = testSettings("node")
        settings.tags = ["large": String(repeating: "x", count: 600)]
        let error = await #expect(throws: MembershipError.self) {
            try await testNode(settings).start()
        }
        #expect(error?.code == .tooLarge)
    }
}
