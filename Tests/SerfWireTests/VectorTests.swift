// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

/// Whether each captured packet and stream is read as what it says, and written again as it was.
struct VectorTests {
    @Test("every vector is looked at by one of these tests")
    func everyVectorHasATest() {
        let groups = [
            Vector.packets, Vector.streams, Vector.encryptedPackets, Vector.encryptedStreams,
            Vector.clients, Vector.compressions,
        ]
        #expect(groups.map(\.count).reduce(0, +) == Vector.all.count)
        #expect(Vector.all.count == 95)
    }

    // MARK: Packets

    @Test("a captured packet says what it says", arguments: Vector.packets)
    func packetIsRead(_ vector: Vector) throws {
        var unreadable = 0
        let packet = try Label.unwrap(vector.bytes, label: vector.label)
        let messages = try Packet.decode(packet, unreadable: &unreadable)
        let expected = leaves(of: vector.decoded)
        #expect(unreadable == 0)
        try #require(messages.count == expected.count)
        for (message, said) in zip(messages, expected) { try compare(message, said) }
    }

    @Test("a captured packet is written again byte by byte", arguments: Vector.packets)
    func packetIsWritten(_ vector: Vector) throws {
        var unreadable = 0
        let packet = try Label.unwrap(vector.bytes, label: vector.label)
        let messages = try Packet.decode(packet, unreadable: &unreadable)
        let layers = layerTypes(of: vector.decoded)
        let again = Packet.encode(
            parts: try messages.map { try rewritten($0).encoded() },
            compress: layers.contains(9), crc: layers.contains(12))
        try expectSame(Label.wrap(again, label: vector.label), as: vector) {
            let second = try Packet.decode(again, unreadable: &unreadable)
            return try second.map(serfMessage) == messages.map(serfMessage)
        }
    }

    // MARK: Streams

    @Test("a captured stream says what it says", arguments: Vector.streams)
    func streamIsRead(_ vector: Vector) throws {
        let body = try Label.unwrap(vector.bytes, label: vector.label)
        try compare(try StreamBody.decode(body), vector.decoded)
    }

    @Test("a captured stream is written again byte by byte", arguments: Vector.streams)
    func streamIsWritten(_ vector: Vector) throws {
        let body = try Label.unwrap(vector.bytes, label: vector.label)
        let message = try StreamBody.decode(body)
        let again = StreamBody.encode(message, compress: vector.decoded["compressed"] != nil)
        try expectSame(Label.wrap(again, label: vector.label), as: vector) {
            try StreamBody.decode(again) == message
        }
    }

    @Test(
        "Serf's state is written again but for the empty places of its events",
        arguments: Vector.streams)
    func stateIsWritten(_ vector: Vector) throws {
        let body = try Label.unwrap(vector.bytes, label: vector.label)
        guard case .pushPull(let exchange) = try StreamBody.decode(body),
            !exchange.userState.isEmpty
        else { return }
        let state = try SerfMessage.decode(exchange.userState)
        #expect(state.encoded() == (try withoutEmptyPlaces(exchange.userState)))
        #expect(try SerfMessage.decode(state.encoded()) == state)
    }

    @Test(
        "a stream is whole with its last byte and not before",
        arguments: Vector.streams + Vector.encryptedStreams)
    func streamIsScanned(_ vector: Vector) throws {
        let bytes = vector.bytes
        var scanner = StreamScanner(label: bytes.first == 0xf4 ? vector.label : [])
        for count in 0..<bytes.count {
            #expect(try scanner.scan([UInt8](bytes[..<count])) == .needsMore)
        }
        #expect(try scanner.scan(bytes) == .complete(length: bytes.count))
        var once = StreamScanner(label: bytes.first == 0xf4 ? vector.label : [])
        #expect(try once.scan(bytes + [1, 2, 3]) == .complete(length: bytes.count))
    }

    // MARK: Encryption and others

    @Test(
        "an encrypted packet has version, nonce, ciphertext and tag",
        arguments: Vector.encryptedPackets)
    func encryptedPacketIsSplit(_ vector: Vector) throws {
        let packet = try Label.unwrap(vector.bytes, label: vector.label)
        let frame = try EncryptedFrame(packet: packet)
        #expect(frame.version == (vector.name.contains("v0") ? 0 : 1))
        #expect(frame.nonce.count == 12)
        #expect(frame.tag.count == 16)
        #expect([frame.version] + frame.nonce + frame.ciphertext + frame.tag == packet)
        #expect(frame.packet() == packet)
        if frame.version == 0 { #expect(frame.ciphertext.count % 16 == 0) }
    }

    @Test("an encrypted stream has its length before the same", arguments: Vector.encryptedStreams)
    func encryptedStreamIsSplit(_ vector: Vector) throws {
        let isDialled = vector.bytes.first == 0xf4
        let body = try Label.unwrap(vector.bytes, label: isDialled ? vector.label : [])
        #expect(EncryptedFrame.isStream(body))
        let frame = try EncryptedFrame(stream: body)
        #expect(frame.stream() == body)
        #expect(frame.size == Int(vector.decoded["encrypted"]?["len"]?.number ?? 0))
        let added = EncryptedFrame.streamAdditionalData(frameSize: frame.size, label: vector.label)
        #expect(added == body[..<5] + vector.label)
    }

    @Test(
        "a client's requests and answers are whole values of MessagePack", arguments: Vector.clients
    )
    func clientsAreRead(_ vector: Vector) throws {
        for bytes in [vector.bytes, hexBytes(vector.responseHex ?? "")] {
            try MessagePackReader.read(bytes) { reader throws(WireError) in
                while reader.remaining > 0 { try reader.skip() }
            }
        }
    }

    @Test("compression gives Go's bytes, and takes them", arguments: Vector.compressions)
    func compressionIsGos(_ vector: Vector) throws {
        let input = vector.decoded["inputHex"]?.text.map(hexBytes) ?? generated(9000)
        let packed = Lzw.compress(input)
        #expect(hexText(sha256(input)) == vector.decoded["inputSha256"]?.text)
        #expect(packed.count == Int(vector.decoded["outputLength"]?.number ?? 0))
        #expect(hexText(sha256(packed)) == vector.decoded["outputSha256"]?.text)
        #expect(packed.starts(with: vector.bytes))
        #expect(try Lzw.decompress(packed, limit: input.count) == input)
    }

    /// The bytes of the vector that is too long to stand in the file: a linear congruential generator.
    private func generated(_ count: Int) -> [UInt8] {
        var state: UInt64 = 12345
        return (0..<count).map { _ in
            state = (1_103_515_245 * state + 12345) & 0x7fff_ffff
            return UInt8(truncatingIfNeeded: state >> 16)
        }
    }
}

// MARK: What is compared

/// Vectors that Serf 0.10 sent.
///
/// What is a signed number in Go is signed there above 127, which we write unsigned as 0.9 does. Both
/// read both.
private let signedForms = [
    "v2-query-int64-timeout-crc", "v2-relay-int16-port", "v2-pushpull-join-request",
]

private func expectSame(
    _ bytes: [UInt8], as vector: Vector, orElse hasSameValue: () throws -> Bool
) throws {
    if signedForms.contains(vector.name) {
        #expect(bytes != vector.bytes)
        #expect(try hasSameValue())
    } else {
        #expect(hexText(bytes) == vector.hex)
    }
}

/// The message of Serf inside of one of memberlist.
private func serfMessage(_ message: SwimMessage) throws -> SerfMessage? {
    guard case .user(let content) = message else { return nil }
    return try SerfMessage.decode(content)
}

/// A message with everything inside it read and written again.
private func rewritten(_ message: SwimMessage) throws -> SwimMessage {
    switch message {
    case .ack(let ack) where !ack.payload.isEmpty:
        let coordinate = try CoordinatePayload.decode(ack.payload)
        return .ack(Ack(sequence: ack.sequence, payload: coordinate.encoded()))
    case .user(let content): return .user(try rewritten(try SerfMessage.decode(content)).encoded())
    default: return message
    }
}

private func rewritten(_ message: SerfMessage) throws -> SerfMessage {
    switch message {
    case .relay(let header, let inner):
        return .relay(header, message: try SerfMessage.decode(inner).encoded())
    case .query(var query):
        let keyQueries = ["_serf_install-key", "_serf_list-keys"]
        guard keyQueries.contains(query.name) else { return message }
        query.payload = try SerfMessage.decode(query.payload).encoded()
        return .query(query)
    case .response(var response):
        guard [6, 8].contains(response.payload.first) else { return message }
        response.payload = try SerfMessage.decode(response.payload).encoded()
        return .response(response)
    default: return message
    }
}

/// The messages of a packet, from within its layers.
private func leaves(of said: JSONValue) -> [JSONValue] {
    if let parts = said["parts"]?.list { return parts.flatMap(leaves) }
    guard said["type"]?.number != 8, let inner = said["inner"] else { return [said] }
    return leaves(of: inner)
}

/// The types of a packet's layers: 7, 9, 12.
private func layerTypes(of said: JSONValue) -> Set<Int> {
    var types = said["inner"].map(layerTypes) ?? []
    if let type = said["type"]?.number { types.insert(Int(type)) }
    return types
}

private func compare(_ message: SwimMessage, _ said: JSONValue) throws {
    let (type, fields) = message.described
    #expect(said["type"] == .number(type))
    if let expected = said["fields"] {
        #expect(JSONValue.map(fields).normalized == expected.normalized)
    }
    switch message {
    case .ack(let ack):
        let expected = said["coordinate"]
        #expect((expected == nil) == ack.payload.isEmpty)
        guard let expected else { return }
        #expect(JSONValue.map(try CoordinatePayload.decode(ack.payload).described) == expected)
    case .alive(let alive):
        try compareTags(alive.meta, said)
    case .user(let content):
        if let expected = said["payload"] {
            #expect(JSONValue.bytes(content) == expected)
        } else {
            try compare(try SerfMessage.decode(content), try #require(said["serf"]), said)
        }
    case .pushPull(let exchange):
        let expected = try #require(said["nodes"]?.list)
        try #require(exchange.nodes.count == expected.count)
        #expect(exchange.unreadable == 0)
        for (node, said) in zip(exchange.nodes, expected) {
            let fields = node.described.merging(said["tags"].map { ["tags": $0] } ?? [:]) { $1 }
            #expect(JSONValue.map(fields).normalized == said.normalized)
            try compareTags(node.meta, said)
        }
        guard let expected = said["userState"], expected != .null else {
            #expect(exchange.userState.isEmpty)
            return
        }
        try compare(try SerfMessage.decode(exchange.userState), expected, said)
    default: break
    }
}

private func compareTags(_ meta: [UInt8], _ said: JSONValue) throws {
    guard let expected = said["tags"]?.map else { return }
    let tags = try Tags.decode(meta)
    #expect(tags.mapValues(JSONValue.text) == expected)
    if meta.first == 0xff { #expect(try Tags.decode(Tags.encode(tags)) == tags) }
}

/// - Parameters:
///   - said: What the message of Serf says.
///   - around: What the message around it says, and beside it what is in a payload.
private func compare(_ message: SerfMessage, _ said: JSONValue, _ around: JSONValue) throws {
    var (type, fields) = message.described
    #expect(said["serfType"] == .number(type))
    var expected = said["fields"]?.map ?? said["header"]?.map ?? [:]
    switch message {
    case .query(let query):
        if let filters = said["filters"]?.list { #expect(query.describedFilters == filters) }
        let places = expected.removeValue(forKey: "Filters")
        #expect((places == .null) == query.filters.isEmpty)
    case .state(let state):
        let ring = expected.removeValue(forKey: "Events")?["nonNil"]?.map ?? [:]
        let places = ring.keys.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }
        #expect(
            JSONValue.list(state.describedEvents).normalized
                == JSONValue.list(places.compactMap { ring[$0] }).normalized)
        #expect(state.unreadable == 0)
    case .relay(_, let inner):
        try compare(try SerfMessage.decode(inner), try #require(said["inner"]), around)
    case .response(let response):
        guard let member = around["conflictMember"] else { break }
        guard case .conflict(let seen?) = try SerfMessage.decode(response.payload) else {
            Issue.record("there is no member in the answer")
            break
        }
        #expect(JSONValue.map(seen.described).normalized == member.normalized)
    default: break
    }
    fields = fields.mapValues(\.normalized)
    #expect(fields == expected.mapValues(\.normalized))
}

/// Serf's state with the empty places of its events taken out, by the reader of values alone.
private func withoutEmptyPlaces(_ state: [UInt8]) throws -> [UInt8] {
    let (before, filled, after) = try MessagePackReader.read(
        [UInt8](state.dropFirst())
    ) { reader throws(WireError) in
        var (before, after) = (0, 0)
        var filled: [Range<Int>] = []
        for _ in 0..<(try reader.mapCount()) {
            guard case "Events" = try reader.key() else {
                try reader.skip()
                continue
            }
            before = reader.position
            for _ in 0..<(try reader.arrayCount()) where !(try reader.isNil()) {
                let start = reader.position
                try reader.skip()
                filled.append(start..<reader.position)
            }
            after = reader.position
        }
        return (before, filled, after)
    }
    let content = state.dropFirst()
    let places = filled.flatMap { content[($0.lowerBound + 1)..<($0.upperBound + 1)] }
    return state[...before] + [0x90 | UInt8(filled.count)] + places + state[(after + 1)...]
}
