// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct SwimMessageTests {
    /// A packet of one message, from its type and the fields of its map.
    private func packet(_ type: UInt8, _ fields: String...) throws -> SwimMessage {
        try packet(type, fields)
    }

    private func packet(_ type: UInt8, _ fields: [String]) throws -> SwimMessage {
        var unreadable = 0
        let bytes = [type, 0x80 | UInt8(fields.count)] + hexBytes(fields.joined())
        let messages = try Packet.decode(bytes, unreadable: &unreadable)
        return try #require(messages.first)
    }

    // Fields as they are in maps: the name, then a value.
    private let sequence = "a55365714e6f 07"
    private let node = "a44e6f6465 a162"
    private let address = "a441646472 a47f000001"
    private let incarnation = "ab496e6361726e6174696f6e 05"

    // MARK: Reading

    @Test("messages by a seed are the same once written and read")
    func roundTrip() throws {
        var random = RandomMessages(seed: 1)
        for _ in 0..<2000 {
            let message = random.packetMessage()
            var unreadable = 0
            #expect(try Packet.decode(message.encoded(), unreadable: &unreadable) == [message])
        }
    }

    @Test("a ping without an address has no source, whatever else it says of one")
    func partialSource() throws {
        let named = "aa536f757263654e6f6465 a163"
        let port = "aa536f75726365506f7274 cd1f0a"
        let from = "aa536f7572636541646472 a47f000001"
        let none = "aa536f7572636541646472 c0"
        func ping(_ fields: [String]) throws -> Source? {
            guard case .ping(let ping) = try packet(0, fields) else { return nil }
            return ping.source
        }
        #expect(try ping([sequence, node]) == nil)
        #expect(try ping([sequence, node, named, port]) == nil)
        #expect(try ping([sequence, node, named, none]) == nil)
        let loopback = try #require(IPAddress("127.0.0.1"))
        #expect(
            try ping([sequence, from, port])
                == Source(endpoint: Endpoint(address: loopback, port: 7946), node: ""))
        #expect(
            try ping([named, from])
                == Source(endpoint: Endpoint(address: loopback, port: 0), node: "c"))
    }

    @Test("text may come as str8, str16, bin8, bin16 or bin32")
    func foreignText() throws {
        for form in ["d90162", "da000162", "db0000000162", "c40162", "c5000162", "c60000000162"] {
            #expect(try packet(0, sequence, "a44e6f6465" + form) == packet(0, sequence, node))
        }
    }

    @Test("a number may come in any form that fits, signed ones too")
    func foreignNumbers() throws {
        let forms = [
            "07", "cc07", "cd0007", "ce00000007", "cf0000000000000007",
            "d007", "d10007", "d200000007", "d30000000000000007",
        ]
        for form in forms {
            #expect(try packet(11, "a55365714e6f" + form) == .nack(Nack(sequence: 7)))
        }
    }

    @Test("a number that is negative or too large is refused")
    func badNumbers() {
        for form in [
            "ff", "d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff",
            "cf0000000100000000", "d30000000100000000", "a0", "c0", "c3", "cb0000000000000000",
        ] {
            #expect(throws: WireError.self, "\(form)") { try packet(11, "a55365714e6f" + form) }
        }
    }

    @Test("true and false may come as 1 and 0, and as nothing else")
    func bools() throws {
        let target = "a6546172676574 a47f000001"
        for (form, expected) in [("c3", true), ("01", true), ("c2", false), ("00", false)] {
            guard case .indirectPing(let ping) = try packet(1, target, "a44e61636b" + form) else {
                Issue.record("no indirect ping")
                continue
            }
            #expect(ping.wantsNack == expected)
        }
        #expect(throws: WireError.self) { try packet(1, target, "a44e61636b 02") }
        #expect(throws: WireError.self) { try packet(1, target, "a44e61636b c0") }
    }

    @Test("unknown fields are stepped over, and missing ones are zero or empty")
    func unknownFields() throws {
        let strange =
            "a158 82 a161 93 c0 cb0000000000000000 c7 03 05 010203 a162 de0001 01 d80100112233445566778899aabbccddeeff"
        #expect(
            try packet(3, strange, node)
                == .suspect(Suspect(incarnation: 0, node: "b", from: "")))
        #expect(try packet(2) == .ack(Ack(sequence: 0, payload: [])))
    }

    @Test("of a field that comes twice the last counts")
    func twice() throws {
        #expect(try packet(11, "a55365714e6f 01", sequence) == .nack(Nack(sequence: 7)))
    }

    @Test("the fields may come in any order")
    func anyOrder() throws {
        #expect(try packet(4, node, address, incarnation) == packet(4, incarnation, address, node))
    }

    @Test("a name that is not UTF-8 makes its message malformed")
    func badText() {
        #expect(throws: WireError.malformed("a text is not UTF-8")) {
            try packet(3, "a44e6f6465 a1ff")
        }
    }

    @Test(
        "an address of neither 4 nor 16 bytes makes a message malformed",
        arguments: [0, 1, 3, 5, 15, 17])
    func badAddress(_ count: Int) {
        let address =
            "a441646472" + hexText([0xa0 | UInt8(count)] + [UInt8](repeating: 1, count: count))
        #expect(throws: WireError.malformed("an address has neither 4 nor 16 bytes")) {
            try packet(4, node, incarnation, address)
        }
    }

    @Test("an alive message needs an address and a name")
    func aliveNeeds() throws {
        #expect(throws: WireError.malformed("an alive message has no address")) {
            try packet(4, node, incarnation)
        }
        #expect(throws: WireError.malformed("an alive message has no name")) {
            try packet(4, address, incarnation)
        }
    }

    @Test(
        "versions shorter than six bytes are malformed, absent ones are none, longer ones are cut")
    func versions() throws {
        func versions(_ field: String) throws -> Versions? {
            guard case .alive(let alive) = try packet(4, node, address, "a356736e" + field) else {
                return nil
            }
            return alive.versions
        }
        for short in ["a101", "a50105020205"] {
            #expect(throws: WireError.malformed("versions have fewer than 6 bytes")) {
                try versions(short)
            }
        }
        #expect(try versions("c0") == Versions.none)
        #expect(try versions("a0") == Versions.none)
        #expect(try versions("a6010502020505") == .current)
        #expect(try versions("a701050202050509") == .current)
    }

    // MARK: Writing

    @Test("the keys of every map are sorted, and no text is written as str8 or bin")
    func formOfOutput() throws {
        var random = RandomMessages(seed: 2)
        for _ in 0..<300 {
            let message = random.packetMessage()
            guard case .user = message else {
                try expectOldForm(message.encoded(), behind: 1)
                continue
            }
        }
        for _ in 0..<300 {
            let message = random.serfMessage()
            // The map of an answer's member holds tags, sorted too; a relayed message is bytes of others.
            guard case .state = message else {
                try expectOldForm(message.encoded(), behind: 1)
                continue
            }
        }
        try expectOldForm(Tags.encode(random.tags()), behind: 1)
    }

    /// Checks the first value behind some bytes.
    private func expectOldForm(_ bytes: [UInt8], behind start: Int) throws {
        var form = OldForm()
        try MessagePackReader.read([UInt8](bytes[start...])) { reader throws(WireError) in
            try form.look(&reader, [UInt8](bytes[start...]))
        }
        #expect(form.flaws.isEmpty, "\(form.flaws) in \(hexText(bytes))")
    }

    @Test("what is absent is nil, as Go's encoder writes it")
    func absent() {
        #expect(
            hexText(SwimMessage.ack(Ack(sequence: 7, payload: [])).encoded())
                == "0282a75061796c6f6164c0a55365714e6f07")
        let alive = Alive(
            incarnation: 1, node: "a", endpoint: Endpoint(address: .v4(1), port: 1), meta: [],
            versions: .none)
        #expect(
            hexText(SwimMessage.alive(alive).encoded())
                == "0486a441646472a400000001ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a161a4506f727401a356736ec0"
        )
    }
}

/// Looks at values for what the old form of MessagePack does not have.
private struct OldForm {
    var flaws: [String] = []

    mutating func look(_ reader: inout MessagePackReader, _ bytes: [UInt8]) throws(WireError) {
        guard reader.position < bytes.count else { throw .truncated }
        let first = bytes[reader.position]
        switch first {
        case 0xc4...0xc9, 0xd4...0xd9: flaws.append("form \(first)")
        default: break
        }
        switch first {
        case 0x80...0x8f, 0xde, 0xdf:
            var keys: [[UInt8]] = []
            for _ in 0..<(try reader.mapCount()) {
                keys.append(try reader.data())
                try look(&reader, bytes)
            }
            for (left, right) in zip(keys, keys.dropFirst())
            where !left.lexicographicallyPrecedes(right) {
                flaws.append("\(hexText(left)) before \(hexText(right))")
            }
        case 0x90...0x9f, 0xdc, 0xdd:
            for _ in 0..<(try reader.arrayCount()) { try look(&reader, bytes) }
        default: try reader.skip()
        }
    }
}
