// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct SerfMessageTests {
    @Test("messages by a seed are the same once written and read")
    func roundTrip() throws {
        var random = RandomMessages(seed: 3)
        for _ in 0..<2000 {
            let message = random.serfMessage()
            #expect(try SerfMessage.decode(message.encoded()) == message)
        }
    }

    @Test(
        "a kind that is not known is refused by its number",
        arguments: [10, 11, 128, 255] as [UInt8])
    func unknownKind(_ type: UInt8) {
        #expect(throws: WireError.unknownType(type)) { try SerfMessage.decode([type, 0x80]) }
    }

    @Test("nothing is cut short")
    func nothing() {
        #expect(throws: WireError.truncated) { try SerfMessage.decode([]) }
    }

    @Test("a member that is not known is nil")
    func unknownMember() throws {
        #expect(SerfMessage.conflict(nil).encoded() == [6, 0xc0])
        #expect(try SerfMessage.decode([6, 0xc0]) == .conflict(nil))
    }

    @Test("a timeout may come in any form, negative too")
    func timeout() throws {
        let head = hexBytes("04 82 a441646472 a47f000001 a754696d656f7574")
        for (form, expected) in [("ce0000ffff", 65535), ("d30000000000010000", 65536), ("ff", -1)] {
            guard case .query(let query) = try SerfMessage.decode(head + hexBytes(form)) else {
                Issue.record("no query")
                continue
            }
            #expect(query.timeout == Int64(expected))
        }
        #expect(throws: WireError.self) {
            try SerfMessage.decode(head + hexBytes("cfffffffffffffffff"))
        }
    }

    @Test("a filter that cannot be read is for nobody here, and stays as it was")
    func strangeFilters() throws {
        let endpoint = Endpoint(address: .v4(1), port: 1)
        for bytes in ["", "00", "0091", "0091a1ff", "0191", "02", "ff0102"].map(hexBytes) {
            let query = QueryMessage(
                time: LamportTime(1), id: 1, origin: endpoint, originNode: "a",
                filters: [.unknown(bytes)], flags: [], relayFactor: 0, timeout: 1, name: "q",
                payload: [])
            #expect(try SerfMessage.decode(SerfMessage.query(query).encoded()) == .query(query))
        }
    }

    @Test("a query, a member and a relayed message need an address")
    func addresses() {
        #expect(throws: WireError.malformed("a query has no address")) {
            try SerfMessage.decode([4, 0x80])
        }
        #expect(throws: WireError.malformed("a member has no address")) {
            try SerfMessage.decode([6, 0x80])
        }
        #expect(throws: WireError.malformed("a relayed message has no destination")) {
            try SerfMessage.decode([9, 0x80])
        }
    }

    @Test("a relayed message may name an IPv4 address in its long form")
    func mappedDestination() throws {
        let bytes = hexBytes(
            """
            09 82 a84465737441646472 83 a24950 b0 00000000000000000000ffff7f000001 a4506f7274 d11f0a
            a45a6f6e65 a0 a8446573744e616d65 a162 0302
            """)
        guard case .relay(let header, let message) = try SerfMessage.decode(bytes) else {
            Issue.record("nothing is relayed")
            return
        }
        #expect(header.destination.address.unmapped == IPAddress("127.0.0.1"))
        #expect(header.destination.port == 7946)
        #expect(message == [3, 2])
    }

    // MARK: State

    @Test("names that are not UTF-8 are left out of a state and counted")
    func badNames() throws {
        let bytes = hexBytes(
            """
            02 83 ab4c6566744d656d62657273 92 a1ff a161
            ac5374617475734c54696d6573 82 a1ff 05 a162 06
            a64576656e7473 93 c0 82 a64576656e7473 92 81 a44e616d65 a1fe 81 a44e616d65 a163
            a54c54696d65 07 80
            """)
        guard case .state(let state) = try SerfMessage.decode(bytes) else {
            Issue.record("no state")
            return
        }
        #expect(state.leftMembers == ["a"])
        #expect(state.statusTimes == [StatusTime(name: "b", time: LamportTime(6))])
        let event = RecentEvent(name: "c", payload: [])
        #expect(state.events == [EventsAtTime(time: LamportTime(7), events: [event])])
        #expect(state.unreadable == 3)
    }

    @Test("more names or events than a state may have are refused")
    func stateLimits() {
        // Each `a0` is a name of no letters.
        let names = [UInt8](repeating: 0xa0, count: SerfState.namesMax + 1)
        let left = hexBytes("02 81 ab4c6566744d656d62657273 dd 00100001") + names
        #expect(throws: WireError.tooLong(limit: SerfState.namesMax)) {
            try SerfMessage.decode(left)
        }
        // Two places with 40,000 events each.
        let place = hexBytes("81 a64576656e7473 dc 9c40") + [UInt8](repeating: 0x80, count: 40_000)
        let events = hexBytes("02 81 a64576656e7473 92") + place + place
        #expect(throws: WireError.tooLong(limit: SerfState.eventsMax)) {
            try SerfMessage.decode(events)
        }
    }

    @Test("a count beyond the bytes is cut short, before anything is allocated")
    func hugeCounts() {
        for form in ["ddffffffff", "dcffff", "9f"] {
            #expect(throws: WireError.truncated) {
                try SerfMessage.decode(hexBytes("02 81 a64576656e7473" + form))
            }
        }
        #expect(throws: WireError.truncated) {
            try SerfMessage.decode(hexBytes("02 dfffffffff"))
        }
        #expect(throws: WireError.truncated) {
            try SerfMessage.decode(hexBytes("03 81 a75061796c6f6164 dbffffffff"))
        }
    }

    // MARK: Secrets

    @Test("no text of a message shows a key")
    func keysAreNotShown() {
        let key = [UInt8](repeating: 0xab, count: 16)
        let request = SerfMessage.keyRequest(KeyRequest(key: key))
        let response = SerfMessage.keyResponse(
            KeyResponse(isSuccess: true, message: "", keys: ["c2VjcmV0"], primaryKey: "c2VjcmV0"))
        for message in [request, response] {
            var dumped = ""
            dump(message, to: &dumped)
            for text in ["\(message)", String(reflecting: message), dumped] {
                #expect(!text.contains("171"))
                #expect(!text.contains("c2VjcmV0"))
            }
        }
    }
}
