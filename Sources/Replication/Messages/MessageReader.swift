// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CommitLog
internal import RaftCore
internal import Records

/// Takes the fields of messages out of bytes that anybody may have sent.
///
/// Nothing is allocated for a number that the bytes behind it cannot bear out. Payloads are not
/// copied: they keep the whole of what was received alive.
@safe
struct MessageReader {
    /// What keeps the bytes alive.
    private final class Keeper {
        let bytes: EntryBytes
        init(_ bytes: EntryBytes) { self.bytes = bytes }
    }

    private let keeper: Keeper
    private let buffer: UnsafeRawBufferPointer
    private var position: Int
    private let end: Int

    init(_ bytes: EntryBytes) {
        keeper = Keeper(bytes)
        // Valid for as long as the keeper is.
        unsafe buffer = bytes.withBytes { unsafe $0 }
        position = 0
        end = bytes.count
    }

    private init(_ other: MessageReader, from start: Int, to end: Int) {
        keeper = other.keeper
        unsafe buffer = other.buffer
        position = start
        self.end = end
    }

    /// Bytes that nobody has looked at yet.
    var remaining: Int { end - position }

    mutating func byte(_ name: String) throws(PeerMessageError) -> UInt8 {
        guard remaining >= 1 else { throw .malformed(name) }
        defer { position += 1 }
        return unsafe buffer[position]
    }

    mutating func word(_ name: String) throws(PeerMessageError) -> UInt64 {
        guard remaining >= 8 else { throw .malformed(name) }
        defer { position += 8 }
        return unsafe buffer.bigEndian(at: position)
    }

    mutating func checksum() throws(PeerMessageError) -> UInt32 {
        guard remaining >= 4 else { throw .malformed("a checksum") }
        defer { position += 4 }
        return unsafe buffer.bigEndian(at: position)
    }

    mutating func number(_ name: String) throws(PeerMessageError) -> UInt64 {
        let part = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<end])
        guard let value = unsafe Varint.read(part, at: &position) else { throw .malformed(name) }
        return value
    }

    mutating func signed(_ name: String) throws(PeerMessageError) -> Int64 {
        Varint.unZigZag(try number(name))
    }

    /// A number that is bounded; of things that take `size` bytes each at least.
    mutating func count(
        _ name: String, max limit: Int, size: Int = 0
    ) throws(PeerMessageError) -> Int {
        let value = try number(name)
        guard value <= UInt64(limit), size == 0 || value <= UInt64(remaining / size) else {
            throw .malformed(name)
        }
        return Int(value)
    }

    mutating func index(_ name: String) throws(PeerMessageError) -> LogIndex {
        let value = try number(name)
        guard value <= PeerMessage.indexMax else { throw .malformed(name) }
        return LogIndex(value)
    }

    mutating func term(_ name: String) throws(PeerMessageError) -> Term {
        let term = Term(try number(name))
        guard term <= .max else { throw .malformed(name) }
        return term
    }

    mutating func offset(_ name: String) throws(PeerMessageError) -> Offset {
        let value = try signed(name)
        guard value >= 0, value <= Int64(PeerMessage.indexMax) else { throw .malformed(name) }
        return Offset(value)
    }

    mutating func id(_ name: String) throws(PeerMessageError) -> ReplicaID {
        ReplicaID(node: try number(name), life: try number(name))
    }

    /// Flags, of which only the first ones may be set.
    mutating func flags(_ count: Int) throws(PeerMessageError) -> [Bool] {
        let flags = try byte("flags")
        guard flags >> UInt8(count) == 0 else { throw .malformed("flags") }
        return (0..<count).map { flags & (1 << UInt8($0)) != 0 }
    }

    /// Bytes with their number before them, copied.
    mutating func block(_ name: String, max limit: Int) throws(PeerMessageError) -> [UInt8] {
        let count = try count(name, max: limit, size: 1)
        defer { position += count }
        return unsafe [UInt8](buffer[position..<(position + count)])
    }

    /// What reads a part with its length before it.
    mutating func part(_ name: String) throws(PeerMessageError) -> MessageReader {
        let count = try count(name, max: remaining, size: 1)
        defer { position += count }
        return MessageReader(self, from: position, to: position + count)
    }

    mutating func entries() throws(PeerMessageError) -> [LogEntry] {
        let count = try count(
            "the number of entries", max: PeerMessage.entriesMax, size: PeerMessage.entrySizeMin)
        var entries: [LogEntry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count { entries.append(try entry()) }
        return entries
    }

    private mutating func entry() throws(PeerMessageError) -> LogEntry {
        let term = try term("an entry's term")
        guard let kind = FrameHeader.Kind(rawValue: try byte("an entry's kind")) else {
            throw .malformed("an entry's kind")
        }
        let offset = try offset("an entry's offset")
        let records = try count("an entry's records", max: Int(Int32.max))
        let timestamp = try signed("an entry's time")
        let checksum = try checksum()
        let length = try count("an entry's length", max: remaining, size: 1)
        defer { position += length }
        let payload = unsafe EntryBytes(
            UnsafeRawBufferPointer(rebasing: buffer[position..<(position + length)]),
            keptBy: keeper)
        return LogEntry(
            term: term, kind: kind, baseOffset: offset, recordCount: records,
            maxTimestamp: Timestamp(milliseconds: timestamp), payloadChecksum: checksum,
            payload: payload)
    }

    /// Makes sure that nothing is left.
    func finish() throws(PeerMessageError) {
        guard remaining == 0 else { throw .malformed("\(remaining) bytes too many") }
    }
}
