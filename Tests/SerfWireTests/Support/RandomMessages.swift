// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfWire

/// Messages and bytes by a seed.
struct RandomMessages {
    var generator: SplitMix64

    init(seed: UInt64) {
        generator = SplitMix64(seed: seed)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }

    mutating func bool() -> Bool { Bool.random(using: &generator) }

    /// A number of any size, small ones as often as great ones.
    mutating func wide<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type = Value.self)
        -> Value
    {
        Value(truncatingIfNeeded: generator.next() >> UInt64(number(64 - Value.bitWidth...63)))
    }

    mutating func bytes(_ counts: ClosedRange<Int>) -> [UInt8] {
        let count = number(counts)
        return [UInt8](unsafeUninitializedCapacity: count + 7) { buffer, initialized in
            for start in stride(from: 0, to: count, by: 8) {
                UnsafeMutableRawBufferPointer(buffer)
                    .storeBytes(of: generator.next(), toByteOffset: start, as: UInt64.self)
            }
            initialized = count
        }
    }

    mutating func text(_ counts: ClosedRange<Int> = 0...40) -> String {
        let letters = ["a", "b", "Z", "-", ".", "0", "é", "語", "🦦", " "]
        return (0..<number(counts)).map { _ in letters[number(0...letters.count - 1)] }.joined()
    }

    mutating func endpoint() -> Endpoint {
        let address: IPAddress =
            bool()
            ? .v4(UInt32(truncatingIfNeeded: generator.next()))
            : .v6(generator.next(), generator.next())
        return Endpoint(address: address, port: wide())
    }

    mutating func source() -> Source? {
        bool() ? Source(endpoint: endpoint(), node: text()) : nil
    }

    mutating func versions() -> Versions {
        Versions(
            swimMin: wide(), swimMax: wide(), swimCurrent: wide(), serfMin: wide(), serfMax: wide(),
            serfCurrent: wide())
    }

    mutating func tags() -> [String: String] {
        var tags: [String: String] = [:]
        for _ in 0..<number(0...20) { tags[text()] = text() }
        return tags
    }

    mutating func nodeState() -> NodeState {
        NodeState(
            name: text(1...40), endpoint: endpoint(), meta: bytes(0...600), incarnation: wide(),
            state: Liveness.allCases[number(0...3)], versions: versions())
    }

    /// A message of any kind that packets carry.
    mutating func packetMessage() -> SwimMessage {
        switch number(0...7) {
        case 0: .ping(Ping(sequence: wide(), node: text(), source: source()))
        case 1:
            .indirectPing(
                IndirectPing(
                    sequence: wide(), target: endpoint(), node: text(), wantsNack: bool(),
                    source: source()))
        case 2: .ack(Ack(sequence: wide(), payload: bytes(0...300)))
        case 3: .nack(Nack(sequence: wide()))
        case 4: .suspect(Suspect(incarnation: wide(), node: text(), from: text()))
        case 5: .dead(Dead(incarnation: wide(), node: text(), from: text()))
        case 6:
            .alive(
                Alive(
                    incarnation: wide(), node: text(1...40), endpoint: endpoint(),
                    meta: bytes(0...600), versions: versions()))
        default: .user(bytes(0...600))
        }
    }

    /// A message of any kind that streams carry.
    mutating func streamMessage() -> SwimMessage {
        switch number(0...4) {
        case 0: .ping(Ping(sequence: wide(), node: text(), source: source()))
        case 1: .ack(Ack(sequence: wide(), payload: bytes(0...300)))
        case 2: .user(bytes(0...70_000))
        case 3: .error(text(0...200))
        default:
            .pushPull(
                PushPull(
                    isJoin: bool(), nodes: (0..<number(0...30)).map { _ in nodeState() },
                    userState: bytes(0...2000)))
        }
    }

    private mutating func time() -> LamportTime { LamportTime(wide()) }

    private mutating func filter() -> QueryFilter {
        switch number(0...2) {
        case 0: .nodes((0..<number(0...20)).map { _ in text() })
        case 1: .tag(name: text(), expression: text())
        default: .unknown([UInt8(number(2...255))] + bytes(0...40))
        }
    }

    private mutating func state() -> SerfState {
        SerfState(
            time: time(),
            statusTimes: (0..<number(0...30)).map { _ in StatusTime(name: text(), time: time()) },
            leftMembers: (0..<number(0...30)).map { _ in text() }, eventTime: time(),
            events: (0..<number(0...20)).map { _ in
                EventsAtTime(
                    time: time(),
                    events: (0..<number(1...3)).map { _ in
                        RecentEvent(name: text(), payload: bytes(0...40))
                    })
            },
            queryTime: time())
    }

    private mutating func member() -> ConflictMember {
        ConflictMember(
            name: text(), endpoint: endpoint(), tags: tags(), status: wide(), versions: versions())
    }

    private mutating func query() -> QueryMessage {
        QueryMessage(
            time: time(), id: wide(), origin: endpoint(), originNode: text(),
            filters: (0..<number(0...4)).map { _ in filter() }, flags: QueryFlags(rawValue: wide()),
            relayFactor: wide(), timeout: Int64(bitPattern: wide(UInt64.self)), name: text(),
            payload: bytes(0...600))
    }

    mutating func serfMessage() -> SerfMessage {
        switch number(0...9) {
        case 0: .leave(LeaveIntent(time: time(), node: text(), prune: bool()))
        case 1: .join(JoinIntent(time: time(), node: text()))
        case 2: .state(state())
        case 3:
            .userEvent(
                UserEventMessage(
                    time: time(), name: text(), payload: bytes(0...600), mayCoalesce: bool()))
        case 4: .query(query())
        case 5:
            .response(
                QueryResponse(
                    time: time(), id: wide(), from: text(), flags: QueryFlags(rawValue: wide()),
                    payload: bytes(0...600)))
        case 6: .conflict(bool() ? member() : nil)
        case 7: .keyRequest(KeyRequest(key: bytes(0...32)))
        case 8:
            .keyResponse(
                KeyResponse(
                    isSuccess: bool(), message: text(),
                    keys: (0..<number(0...20)).map { _ in text() },
                    primaryKey: text()))
        default: .relay(RelayHeader(destination: endpoint(), name: text()), message: bytes(0...600))
        }
    }
}
