// SPDX-License-Identifier: Apache-2.0

public import CommitLog
internal import RaftCore
internal import Records

/// The bytes of a message between replicas.
///
/// Numbers are varints (seven bits a byte, the lowest first), signed ones zigzag-coded before:
///
/// ```
/// version = 1 │ kind │ group: 8 high, 8 low, partition │ from: node, life │ to: node, life │ term │ …
///         128 in the kind: from and to, 64: high and low are those of the message before, and left out
///
/// kind                    behind it
///  1 request for a vote    flags (0 pre-vote, 1 transfer), last index, last term
///  2 vote                  flags (0 pre-vote, 1 granted)
///  3 append                previous index, previous term, commit, entries
///  4 accepted              match
///  5 rejected              previous index, hint index, hint term
///  6 heartbeat             commit, round, quiet index
///  7 answer to it          round
///  8 snapshot              last index, last term, signed offset, length and words of the members
///  9 timeout now           -
/// 10 not a member          -
/// 11 request for repair    first, last
/// 12 repair                first, entries
///
/// entries: their number, then for each: term │ 1 kind │ signed base offset │ records │ signed
///          maximum timestamp │ 4 checksum │ length │ payload
/// ```
///
/// The kind of an entry is that of its frame, and so are its checksum and payload. There is no
/// checksum of the whole: the connection has one, and entries have their own.
extension PeerMessage {
    static let versionValue: UInt8 = 1
    private static let sameEndsFlag: UInt8 = 0x80
    private static let sameTopicFlag: UInt8 = 0x40
    /// The highest index and offset that a message may name.
    static let indexMax: UInt64 = 1 << 62
    /// The most entries of a message.
    static let entriesMax = 1 << 16
    /// The least bytes that an entry takes.
    static let entrySizeMin = 10
    /// The most bytes of the words of a configuration.
    private static let membersSizeMax = 4 + 3 * 16 * Configuration.membersMax

    /// The message as bytes.
    public var encoded: [UInt8] { encoded(after: nil) }

    /// The bytes of the message behind another one of the same ``NodeMessage``.
    func encoded(after previous: PeerMessage?) -> [UInt8] {
        var hasSameEnds = false
        var hasSameTopic = false
        if let previous {
            hasSameEnds =
                previous.message.from == message.from && previous.message.to == message.to
            hasSameTopic =
                previous.group.high == group.high && previous.group.low == group.low
        }
        var writer = MessageWriter()
        writer.add(byte: Self.versionValue)
        writer.add(
            byte: kind | (hasSameEnds ? Self.sameEndsFlag : 0)
                | (hasSameTopic ? Self.sameTopicFlag : 0))
        if !hasSameTopic {
            writer.add(word: group.high)
            writer.add(word: group.low)
        }
        writer.add(UInt64(group.partition))
        if !hasSameEnds {
            writer.add(message.from)
            writer.add(message.to)
        }
        writer.add(message.term)
        write(message.body, to: &writer)
        return writer.bytes
    }

    /// The message that some bytes are; payloads share their memory.
    ///
    /// - Throws: That they are none; for any bytes that are none.
    public init(decoding bytes: EntryBytes) throws(PeerMessageError) {
        var reader = MessageReader(bytes)
        try self.init(reading: &reader)
    }

    /// Reads the message behind another one of the same ``NodeMessage``.
    init(
        reading reader: inout MessageReader, after previous: PeerMessage? = nil
    ) throws(PeerMessageError) {
        let version = try reader.byte("the version")
        guard version == Self.versionValue else { throw .unsupported(version: Int(version)) }
        let flagged = try reader.byte("the kind")
        let kind = flagged & ~(Self.sameEndsFlag | Self.sameTopicFlag)
        guard flagged == kind || previous != nil else { throw .malformed("the kind") }
        var group = GroupID(high: 0, low: 0, partition: 0)
        if flagged & Self.sameTopicFlag != 0, let previous {
            group = previous.group
        } else {
            group.high = try reader.word("the group")
            group.low = try reader.word("the group")
        }
        group.partition = UInt32(try reader.count("the partition", max: Int(UInt32.max)))
        let from: ReplicaID
        let to: ReplicaID
        if flagged & Self.sameEndsFlag != 0, let previous {
            from = previous.message.from
            to = previous.message.to
        } else {
            from = try reader.id("the sender")
            to = try reader.id("the receiver")
        }
        let term = try reader.term("the term")
        self.init(
            group: group,
            message: Message(from: from, to: to, term: term, body: .timeoutNow))
        message.body = try readBody(kind, from: &reader)
        try reader.finish()
        try checkSense()
    }

    private var kind: UInt8 {
        switch message.body {
        case .voteRequest: 1
        case .voteReply: 2
        case .append: 3
        case .appendReply(.accepted): 4
        case .appendReply(.rejected): 5
        case .heartbeat: 6
        case .heartbeatReply: 7
        case .snapshot: 8
        case .timeoutNow: 9
        case .notMember: 10
        case .repairRequest: 11
        case .repair: 12
        }
    }

    private func write(_ body: Message.Body, to writer: inout MessageWriter) {
        switch body {
        case .voteRequest(let request):
            writer.add(request.isPreVote, request.isTransfer)
            writer.add(request.lastIndex)
            writer.add(request.lastTerm)
        case .voteReply(let reply): writer.add(reply.isPreVote, reply.isGranted)
        case .append(let append):
            writer.add(append.previousIndex)
            writer.add(append.previousTerm)
            writer.add(append.commit)
            writer.add(entries)
        case .appendReply(.accepted(let match)): writer.add(match)
        case .appendReply(.rejected(let previous, let hintIndex, let hintTerm)):
            writer.add(previous)
            writer.add(hintIndex)
            writer.add(hintTerm)
        case .heartbeat(let heartbeat):
            writer.add(heartbeat.commit)
            writer.add(heartbeat.round)
            writer.add(heartbeat.quietIndex)
        case .heartbeatReply(let reply): writer.add(reply.round)
        case .snapshot(let snapshot):
            writer.add(snapshot.lastIndex)
            writer.add(snapshot.lastTerm)
            writer.add(signed: offset.rawValue)
            writer.add(block: snapshot.configuration.encoded)
        case .timeoutNow, .notMember: break
        case .repairRequest(let request):
            writer.add(request.first)
            writer.add(request.last)
        case .repair(let repair):
            writer.add(repair.first)
            writer.add(entries)
        }
    }

    private mutating func readBody(
        _ kind: UInt8, from reader: inout MessageReader
    ) throws(PeerMessageError) -> Message.Body {
        switch kind {
        case 1:
            let flags = try reader.flags(2)
            return .voteRequest(
                VoteRequest(
                    isPreVote: flags[0], isTransfer: flags[1],
                    lastIndex: try reader.index("the last index"),
                    lastTerm: try reader.term("the last term")))
        case 2:
            let flags = try reader.flags(2)
            return .voteReply(VoteReply(isPreVote: flags[0], isGranted: flags[1]))
        case 3:
            var append = Append(
                previousIndex: try reader.index("the previous index"),
                previousTerm: try reader.term("the previous term"), entries: [],
                commit: try reader.index("the commit index"))
            append.entries = try readEntries(from: &reader)
            return .append(append)
        case 4: return .appendReply(.accepted(match: try reader.index("the match")))
        case 5:
            return .appendReply(
                .rejected(
                    previousIndex: try reader.index("the previous index"),
                    hintIndex: try reader.index("the hint"),
                    hintTerm: try reader.term("the hint's term")))
        case 6:
            return .heartbeat(
                Heartbeat(
                    commit: try reader.index("the commit index"),
                    round: try reader.number("the round"),
                    quietIndex: try reader.index("the quiet index")))
        case 7: return .heartbeatReply(HeartbeatReply(round: try reader.number("the round")))
        case 8: return try readSnapshot(from: &reader)
        case 9: return .timeoutNow
        case 10: return .notMember
        case 11:
            return .repairRequest(
                RepairRequest(
                    first: try reader.index("the first index"),
                    last: try reader.index("the last index")))
        case 12:
            var repair = Repair(first: try reader.index("the first index"), entries: [])
            repair.entries = try readEntries(from: &reader)
            return .repair(repair)
        default: throw .malformed("the kind \(kind)")
        }
    }

    private mutating func readSnapshot(
        from reader: inout MessageReader
    ) throws(PeerMessageError) -> Message.Body {
        let index = try reader.index("the last index")
        let term = try reader.term("the last term")
        offset = try reader.offset("the offset")
        let words = try reader.block("the members", max: Self.membersSizeMax)
        guard let members = Configuration(encoded: words[...]) else {
            throw .malformed("the members")
        }
        return .snapshot(Snapshot(lastIndex: index, lastTerm: term, configuration: members))
    }

    private mutating func readEntries(
        from reader: inout MessageReader
    ) throws(PeerMessageError) -> [EntryInfo] {
        entries = try reader.entries()
        var infos: [EntryInfo] = []
        infos.reserveCapacity(entries.count)
        for entry in entries { infos.append(try entry.info()) }
        return infos
    }

    // MARK: Sense

    /// Throws unless the fields can belong to one message: the core takes that for granted.
    func checkSense() throws(PeerMessageError) {
        guard message.term <= .max else { throw .malformed("the term") }
        switch message.body {
        case .append(let append):
            guard append.previousIndex.rawValue <= Self.indexMax,
                append.previousIndex != .zero || append.previousTerm == .zero
            else { throw .malformed("the previous entry") }
            try checkTerms(append.entries, from: append.previousTerm)
        case .repair(let repair):
            guard repair.first > .zero, repair.first.rawValue <= Self.indexMax else {
                throw .malformed("the first index")
            }
            try checkTerms(repair.entries, from: .zero)
        case .snapshot(let snapshot):
            guard snapshot.lastIndex > .zero, snapshot.lastTerm > .zero,
                snapshot.lastTerm <= message.term, offset >= .zero,
                snapshot.configuration.members.count <= Configuration.membersMax
            else { throw .malformed("a snapshot") }
        case .repairRequest(let request):
            guard request.first > .zero, request.first <= request.last else {
                throw .malformed("what to repair")
            }
        default: break
        }
    }

    /// Throws unless terms do not fall, offsets follow each other, and no term is above the sender's.
    private func checkTerms(
        _ infos: [EntryInfo], from previous: Term
    ) throws(PeerMessageError) {
        var term = max(previous, Term(1))
        for info in infos {
            guard info.term >= term else { throw .malformed("terms that fall") }
            term = info.term
        }
        guard infos.isEmpty || term <= message.term else {
            throw .malformed("an entry of a later term")
        }
        guard var offset = entries.first?.baseOffset else { return }
        for entry in entries {
            guard entry.baseOffset == offset, entry.recordCount >= 0,
                offset.rawValue <= Int64(Self.indexMax), entry.recordCount <= Int(Int32.max)
            else { throw .malformed("offsets that do not follow") }
            offset = entry.endOffset
        }
    }
}
