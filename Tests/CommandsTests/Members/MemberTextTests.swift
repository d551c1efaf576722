// SPDX-License-Identifier: Apache-2.0

import Agent
import CordwoodClient
import Membership
import SerfCore
import SerfWire
import SwimCore
import Testing

@testable import Commands

@Suite("members and gossip as text")
struct MemberTextTests {
    private let time = Timestamp(milliseconds: 1_769_853_600_000)

    private func member(_ name: String, tags: [String: String] = [:]) throws -> Member {
        Member(
            name: name, endpoint: try #require(.init("127.0.0.1:7946")), tags: tags,
            status: .alive, versions: .current, statusTime: .init(rawValue: 0),
            since: .init(nanoseconds: 0))
    }

    private func lines(_ event: SerfEvent, as format: OutputFormat) -> String {
        GossipEventText.lines(of: .event(event), at: time, as: format)
    }

    @Test("an event about members has a line for each, with its tags by name")
    func members() throws {
        let event = SerfEvent.joined([
            try member("a", tags: ["role": "db", "dc": "x"]), try member("b"),
        ])
        #expect(
            lines(event, as: .table) == """
                2026-01-31T10:00:00.000Z  joined    a  127.0.0.1:7946  dc=x role=db
                2026-01-31T10:00:00.000Z  joined    b  127.0.0.1:7946

                """)
        let json = """
            {"time":"2026-01-31T10:00:00.000Z","event":"joined","member":"a",\
            "address":"127.0.0.1:7946","status":"alive","tags":{"dc":"x","role":"db"}}

            """
        #expect(lines(event, as: .jsonl).hasPrefix(json))
    }

    @Test("what others say cannot move a terminal's cursor, and bytes that are no text are base64")
    func payloads() {
        let text = UserEvent(
            time: .init(rawValue: 7), name: "de\u{1b}[2Jploy", payload: Array("v2\n".utf8),
            mayCoalesce: true)
        #expect(
            lines(.user(text), as: .table)
                == "2026-01-31T10:00:00.000Z  event     de\\u{1B}[2Jploy  v2\\n\n")
        let bytes = UserEvent(
            time: .init(rawValue: 7), name: "raw", payload: [0xff, 0], mayCoalesce: false)
        let json = lines(.user(bytes), as: .json)
        #expect(json.contains(#""name":"raw","payload_base64":"/wA=","coalesce":false,"ltime":7"#))
    }

    @Test("events that were lost are counted")
    func missed() {
        let line = GossipEventText.lines(of: .missed(3), at: time, as: .jsonl)
        #expect(line.contains(#""event":"missed","count":3"#))
    }

    @Test("the local address on the way to another is one of this machine's")
    func route() throws {
        let loopback = try Route.local(to: .init(host: "127.0.0.1", port: 8401))
        #expect(loopback == .init(host: "127.0.0.1", port: 0))
        #expect(throws: (any Error).self) {
            try Route.local(to: .init(host: "no-such-host.invalid", port: 8401))
        }
    }

    @Test("times of some hundredths of a millisecond are read as such")
    func milliseconds() {
        #expect(HumanText.milliseconds(.microseconds(420)) == "0.42 ms")
        #expect(HumanText.milliseconds(.microseconds(7)) == "0.01 ms")
        #expect(HumanText.milliseconds(.milliseconds(1234)) == "1234.00 ms")
    }
}
