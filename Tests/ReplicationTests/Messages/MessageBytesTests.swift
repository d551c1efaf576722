// SPDX-License-Identifier: Apache-2.0

import Bytes
import CommitLog
import RaftCore
import Records
import Replication
import Testing

/// Messages as bytes, and bytes that are no messages.
@Suite("The bytes of messages between nodes")
struct MessageBytesTests {
    private static let group = GroupID(high: 0x0123_4567_89ab_cdef, low: 42, partition: 3)
    private static let from = ReplicaID(node: 1, life: 0xfeed)
    private static let to = ReplicaID(node: 200, life: 7)

    /// Entries as a leader sends them: they name what they hold.
    private static func entries(term: UInt64) -> [LogEntry] {
        let members = Configuration(voters: [from, to], learners: [ReplicaID(node: 9)])
        return [
            LogEntry(.noOp, term: Term(term), baseOffset: Offset(5)),
            LogEntry(
                .batch, term: term, offset: 5, count: 3, payload: (0..<100).map { UInt8($0) }),
            LogEntry(
                .configuration, term: Term(term + 1), baseOffset: Offset(8),
                payload: words(of: members)),
        ]
    }

    /// The words of a configuration, as a snapshot's message has them at its end.
    private static func words(of members: Configuration) -> [UInt8] {
        let snapshot = message(
            .snapshot(
                Snapshot(lastIndex: LogIndex(1), lastTerm: Term(1), configuration: members)))
        let ids = members.voters + members.outgoing + members.learners
        return Array(snapshot.encoded.suffix(4 + 16 * ids.count))
    }

    private static func message(
        _ body: Message.Body, entries: [LogEntry] = [], offset: Int64 = 0
    ) -> PeerMessage {
        PeerMessage(
            group: group, message: Message(from: from, to: to, term: Term(9), body: body),
            entries: entries, offset: Offset(offset))
    }

    private static func info(_ entry: LogEntry) -> EntryInfo {
        switch entry.kind {
        case .noOp: EntryInfo(term: entry.term, size: entry.size, kind: .noOp)
        case .configuration:
            EntryInfo(
                term: entry.term, size: entry.size,
                kind: .configuration(
                    Configuration(voters: [from, to], learners: [ReplicaID(node: 9)])))
        default: EntryInfo(term: entry.term, size: entry.size)
        }
    }

    /// One message of each kind.
    private static var all: [PeerMessage] {
        let entries = entries(term: 7)
        let joint = Configuration(voters: [to], outgoing: [from, to])
        let snapshot = Snapshot(lastIndex: LogIndex(77), lastTerm: Term(8), configuration: joint)
        return [
            message(
                .voteRequest(
                    VoteRequest(
                        isPreVote: true, isTransfer: false, lastIndex: LogIndex(300),
                        lastTerm: Term(8)))),
            message(.voteReply(VoteReply(isPreVote: false, isGranted: true))),
            message(
                .append(
                    Append(
                        previousIndex: LogIndex(4), previousTerm: Term(6),
                        entries: entries.map(info), commit: LogIndex(3))), entries: entries),
            message(.appendReply(.accepted(match: LogIndex(1 << 40)))),
            message(
                .appendReply(
                    .rejected(
                        previousIndex: LogIndex(9), hintIndex: LogIndex(8), hintTerm: Term(2)))),
            message(
                .heartbeat(
                    Heartbeat(commit: LogIndex(9), round: .max, quietIndex: LogIndex(10)))),
            message(.heartbeatReply(HeartbeatReply(round: 12))),
            message(.snapshot(snapshot), offset: 4711),
            message(.timeoutNow),
            message(.notMember),
            message(.repairRequest(RepairRequest(first: LogIndex(3), last: LogIndex(5)))),
            message(
                .repair(Repair(first: LogIndex(3), entries: entries.map(info))), entries: entries),
        ]
    }

    private static var envelope: NodeMessage {
        NodeMessage(from: 1, incarnation: 99, to: 200, cluster: 0xc0ffee, messages: all)
    }

    @Test("come back as the messages that they were")
    func roundTrip() throws {
        for message in Self.all {
            #expect(try PeerMessage(decoding: EntryBytes(copying: message.encoded)) == message)
        }
        let bytes = EntryBytes(copying: Self.envelope.encoded)
        #expect(try NodeMessage(decoding: bytes) == Self.envelope)
    }

    @Test("are the same as ever")
    func golden() throws {
        try Golden.expect(Self.envelope.encoded, are: "messages")
        let bytes = EntryBytes(copying: try Golden.bytes("messages"))
        #expect(try NodeMessage(decoding: bytes) == Self.envelope)
    }

    @Test("of a heartbeat are few")
    func heartbeatSize() {
        let id = ReplicaID(node: 1, life: 1)
        let beat = PeerMessage(
            group: Self.group,
            message: Message(
                from: id, to: id, term: Term(3),
                body: .heartbeat(Heartbeat(commit: LogIndex(1000), round: 500))))
        #expect(beat.encoded.count <= 32)
    }

    @Test("of a thousand heartbeats are 40 KB at most, whatever the ids", arguments: [1, 100])
    func heartbeats(partitions: UInt64) throws {
        var random = SplitMix64(seed: 9)
        let from = ReplicaID(node: random.next(), life: random.next())
        let to = ReplicaID(node: random.next(), life: random.next())
        var topic = (high: random.next(), low: random.next())
        var all = NodeMessage(
            from: from.node, incarnation: 1 << 40, to: to.node, cluster: random.next(),
            messages: [])
        for number in 0..<1000 as Range<UInt64> {
            if number % partitions == 0 { topic = (random.next(), random.next()) }
            let beat = Heartbeat(
                commit: LogIndex(20_000_000), round: 1_000_000, quietIndex: LogIndex(20_000_000))
            all.messages.append(
                PeerMessage(
                    group: GroupID(
                        high: topic.high, low: topic.low,
                        partition: UInt32(number % partitions)),
                    message: Message(
                        from: from, to: to, term: Term(3000), body: .heartbeat(beat))))
        }
        let bytes = all.encoded
        #expect(bytes.count <= 40_000)
        #expect(bytes.count <= 20_000 || partitions == 1)
        #expect(try NodeMessage(decoding: EntryBytes(copying: bytes)) == all)
    }

    @Test("that leave out what no message before them has are refused", arguments: [64, 128, 192])
    func leftOut(flags: UInt8) {
        var bytes = Self.message(.timeoutNow).encoded
        bytes[1] |= flags
        #expect(throws: PeerMessageError.malformed("the kind")) {
            try PeerMessage(decoding: EntryBytes(copying: bytes))
        }
    }

    @Test("cut anywhere are refused")
    func truncated() {
        let bytes = Self.envelope.encoded
        for count in bytes.indices {
            let cut = EntryBytes(copying: Array(bytes[..<count]))
            #expect(throws: PeerMessageError.self) { try NodeMessage(decoding: cut) }
        }
        let longer = EntryBytes(copying: bytes + [0])
        #expect(throws: PeerMessageError.self) { try NodeMessage(decoding: longer) }
    }

    @Test("with any bit turned, or any bytes at all, are a message or refused")
    func fuzzed() {
        let bytes = Self.envelope.encoded
        for place in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[place] ^= 1 << UInt8(bit)
                decode(changed)
            }
        }
        var random = SplitMix64(seed: 5)
        for _ in 0..<20_000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<changed.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
                case 1: changed.remove(at: place)
                default: changed.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            decode(changed)
        }
    }

    private func decode(_ bytes: [UInt8]) {
        guard let message = try? NodeMessage(decoding: EntryBytes(copying: bytes)) else { return }
        // What is taken for a message is one: it has bytes that say the same.
        let again = try? NodeMessage(decoding: EntryBytes(copying: message.encoded))
        #expect(again == message)
    }

    @Test("that claim more than there is allocate nothing for it")
    func claims() {
        var writer: [UInt8] = [0x43, 0x57, 0x4e, 0x4d, 1, 1, 1, 1, 1]
        writer += [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
        #expect(throws: PeerMessageError.malformed("the number of messages")) {
            try NodeMessage(decoding: EntryBytes(copying: writer))
        }
    }

    @Test(
        "whose fields cannot belong together are refused",
        arguments: [
            "terms fall", "term above the sender's", "offsets part", "nothing before a term",
            "repair of nothing", "snapshot of nothing",
        ])
    func senseless(what: String) {
        var entries = Self.entries(term: 7)
        var previous = (index: LogIndex(4), term: Term(6))
        var body: Message.Body?
        switch what {
        case "terms fall": entries[0].term = Term(8)
        case "term above the sender's": entries[2].term = Term(10)
        case "offsets part": entries[1].baseOffset = Offset(6)
        case "nothing before a term": previous.index = .zero
        case "repair of nothing":
            body = .repairRequest(RepairRequest(first: LogIndex(5), last: LogIndex(4)))
        default:
            body = .snapshot(
                Snapshot(
                    lastIndex: .zero, lastTerm: .zero,
                    configuration: Configuration(voters: [Self.to])))
        }
        let append = Message.Body.append(
            Append(
                previousIndex: previous.index, previousTerm: previous.term,
                entries: entries.map(Self.info), commit: .zero))
        let message = Self.message(body ?? append, entries: body == nil ? entries : [])
        #expect(throws: PeerMessageError.self) {
            try PeerMessage(decoding: EntryBytes(copying: message.encoded))
        }
    }
}

extension LogEntry {
    /// An entry with any payload, whose checksum nobody has looked at.
    init(
        _ kind: FrameHeader.Kind, term: UInt64, offset: Int64, count: Int, payload: [UInt8]
    ) {
        self.init(
            term: Term(term), kind: kind, baseOffset: Offset(offset), recordCount: count,
            maxTimestamp: Timestamp(milliseconds: 1_700_000_000_000),
            payloadChecksum: CRC32C.checksum(payload), payload: EntryBytes(copying: payload))
    }
}
