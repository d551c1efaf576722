// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Records

/// Bytes that never change, shared by all who hold them: a slice of what was read or received.
///
/// `@unchecked Sendable`: nobody writes to the memory once it is wrapped, and its owner, which is
/// held here, keeps it alive.
@safe
public struct EntryBytes: @unchecked Sendable {
    private let owner: AnyObject
    let bytes: UnsafeRawBufferPointer

    /// Bytes that live, and stay as they are, for as long as their owner does.
    public init(_ bytes: UnsafeRawBufferPointer, keptBy owner: AnyObject) {
        unsafe self.bytes = bytes
        self.owner = owner
    }

    /// A copy.
    public init(copying bytes: UnsafeRawBufferPointer) {
        let memory = EntryMemory(count: bytes.count)
        unsafe memory.bytes.copyMemory(from: bytes)
        unsafe self.init(UnsafeRawBufferPointer(memory.bytes), keptBy: memory)
    }

    /// A copy.
    public init(copying bytes: [UInt8]) {
        self = unsafe bytes.withUnsafeBytes { unsafe EntryBytes(copying: $0) }
    }

    /// How many there are.
    public var count: Int { unsafe bytes.count }

    /// Calls `body` with the bytes, which are valid during the call only.
    public func withBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try unsafe body(bytes)
    }

    /// The bytes, copied out.
    public var array: [UInt8] { unsafe [UInt8](bytes) }
}

/// Memory for what is read, freed with the last slice of it.
@safe
final class EntryMemory {
    let bytes: UnsafeMutableRawBufferPointer

    init(count: Int) {
        unsafe bytes = .allocate(byteCount: count, alignment: 8)
    }

    deinit {
        unsafe bytes.deallocate()
    }
}

/// One entry of a log, as replicas send it to each other.
///
/// Its index is not in it: entries come in rows, and the row says where it begins.
public struct LogEntry: Sendable {
    /// The term in which it was first written.
    public var term: Term
    /// What it is: a batch, a no-op or a configuration.
    public var kind: FrameHeader.Kind
    /// The offset of its first record, or of the next record if it has none.
    public var baseOffset: Offset
    /// How many records it has.
    public var recordCount: Int
    /// The highest timestamp of its records.
    public var maxTimestamp: Timestamp
    /// The checksum that its envelope states.
    public var payloadChecksum: UInt32
    /// A batch with base offset and leader epoch stamped; the group's own words otherwise.
    public var payload: EntryBytes

    /// An entry with these values; ``check()`` says whether they can be.
    public init(
        term: Term, kind: FrameHeader.Kind, baseOffset: Offset, recordCount: Int,
        maxTimestamp: Timestamp, payloadChecksum: UInt32, payload: EntryBytes
    ) {
        self.term = term
        self.kind = kind
        self.baseOffset = baseOffset
        self.recordCount = recordCount
        self.maxTimestamp = maxTimestamp
        self.payloadChecksum = payloadChecksum
        self.payload = payload
    }

    /// A no-op or a configuration.
    public init(
        _ kind: FrameHeader.Kind, term: Term, baseOffset: Offset, payload: [UInt8] = []
    ) {
        precondition(kind == .noOp || kind == .configuration, "\(kind) is made by the log alone")
        self.init(
            term: term, kind: kind, baseOffset: baseOffset, recordCount: 0, maxTimestamp: .none,
            payloadChecksum: CRC32C.checksum(payload), payload: EntryBytes(copying: payload))
    }

    /// A batch that a log has appended: it shares the buffer's memory.
    ///
    /// Nobody changes the buffer any more.
    public init(appended batch: BatchBuffer) {
        let header = unsafe BatchHeader(reading: batch.bytes)
        unsafe self.init(
            term: Term(UInt64(UInt32(bitPattern: header.leaderEpoch))), kind: .batch,
            baseOffset: header.baseOffset, recordCount: Int(header.lastOffsetDelta) + 1,
            maxTimestamp: header.maxTimestamp, payloadChecksum: header.checksum,
            payload: EntryBytes(batch.bytes, keptBy: batch))
    }

    init(_ frame: FrameHeader, payload: EntryBytes) {
        self.init(
            term: frame.term, kind: frame.kind, baseOffset: frame.baseOffset,
            recordCount: frame.recordCount, maxTimestamp: frame.maxTimestamp,
            payloadChecksum: frame.payloadChecksum, payload: payload)
    }

    /// The bytes that it takes in a log.
    public var size: Int { FrameHeader.size + payload.count }

    /// The offset behind its last record.
    public var endOffset: Offset { baseOffset.advanced(by: recordCount) }

    /// Checks an entry that came from elsewhere: its fields, and its payload against them.
    ///
    /// The inside of a batch is not looked at: its leader did that.
    public func check() throws(FrameHeader.Flaw) {
        guard kind == .batch || kind == .noOp || kind == .configuration, term > .zero else {
            throw .implausible
        }
        let frame = FrameHeader(
            kind: kind, payloadLength: payload.count, recordCount: recordCount, group: 0, salt: 0,
            index: LogIndex(1), term: term, baseOffset: baseOffset, maxTimestamp: maxTimestamp,
            durableIndex: .zero, payloadChecksum: payloadChecksum)
        guard frame.isPlausible else { throw .implausible }
        try unsafe frame.check(payload: payload.bytes)
        guard kind == .batch else { return }
        let header = unsafe BatchHeader(reading: payload.bytes)
        guard Int(header.lastOffsetDelta) + 1 == recordCount, header.maxTimestamp == maxTimestamp
        else { throw .batchHeader }
    }
}

extension LogEntry: Equatable {
    /// Whether two entries have the same fields and bytes.
    public static func == (left: LogEntry, right: LogEntry) -> Bool {
        guard left.term == right.term, left.kind == right.kind,
            left.baseOffset == right.baseOffset, left.recordCount == right.recordCount,
            left.maxTimestamp == right.maxTimestamp, left.payloadChecksum == right.payloadChecksum
        else { return false }
        return unsafe left.payload.bytes.elementsEqual(right.payload.bytes)
    }
}
