// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Records

/// What stands in front of each batch in a store: the envelope that says which entry of which log
/// this is. 80 bytes, big-endian:
///
/// ```
///  at size field                            at size field
///   0   4  magic "CWF1"                     40   8  term
///   4   1  version = 1                      48   8  base offset
///   5   1  kind                             56   8  max timestamp (ms)
///   6   2  flags = 0                        64   8  durable index
///   8   4  payload length                   72   4  payload CRC32C
///  12   4  record count                     76   4  header CRC32C of 0..<76
///  16   8  group hash                       80   …  payload
///  24   8  segment salt
///  32   8  index
/// ```
///
/// The payload checksum of a batch is the batch's own: it covers the payload from byte 21 on. The
/// 21 bytes before (base offset, length, leader epoch, magic, checksum) all follow from the
/// envelope and are compared with it. So every byte is covered, and none is summed twice. The
/// payload checksum of any other kind covers its whole payload.
///
/// The salt differs from segment to segment, so bytes of an older file are never taken for this
/// one's. The group hash names the log, so a write that went to the wrong file is noticed. The
/// durable index is the highest index known to be synced when the frame was written: it tells
/// recovery a torn tail from damage.
public struct FrameHeader: Sendable, Equatable {
    /// The length of the envelope in bytes.
    public static let size = 80
    static let magicValue: UInt32 = 0x4357_4631
    static let versionValue: UInt8 = 1

    /// What a frame holds.
    public enum Kind: UInt8, Sendable {
        /// A batch of records.
        case batch = 1
        /// Nothing but a durable index, written when a log goes idle. Takes no index and no offset.
        case mark = 2
        /// What `repair` puts in place of damage: the offsets it covers are lost.
        case gap = 3
        /// What a leader begins its term with. Takes an index and no offset.
        case noOp = 4
        /// The members of the group, in the words of the group. Takes an index and no offset.
        case configuration = 5
        /// The first frame of a segment: the ``Lineage`` of all before it. Takes neither.
        case head = 6

        /// Whether a frame of this kind is an entry: it takes an index.
        public var isEntry: Bool {
            switch self {
            case .batch, .gap, .noOp, .configuration: true
            case .mark, .head: false
            }
        }
    }

    public var kind: Kind
    public var payloadLength: Int
    public var recordCount: Int
    public var group: UInt64
    public var salt: UInt64
    public var index: LogIndex
    public var term: Term
    public var baseOffset: Offset
    public var maxTimestamp: Timestamp
    public var durableIndex: LogIndex
    public var payloadChecksum: UInt32

    /// The frame's length with its payload.
    public var frameLength: Int { Self.size + payloadLength }
    /// The offset behind the last record.
    public var endOffset: Offset { baseOffset.advanced(by: recordCount) }

    /// The index of the first entry that stands here: its own, or that of the entry behind it.
    var firstIndex: LogIndex { kind.isEntry ? index : index.next }

    init(
        kind: Kind, payloadLength: Int, recordCount: Int, group: UInt64, salt: UInt64,
        index: LogIndex, term: Term, baseOffset: Offset, maxTimestamp: Timestamp,
        durableIndex: LogIndex, payloadChecksum: UInt32
    ) {
        self.kind = kind
        self.payloadLength = payloadLength
        self.recordCount = recordCount
        self.group = group
        self.salt = salt
        self.index = index
        self.term = term
        self.baseOffset = baseOffset
        self.maxTimestamp = maxTimestamp
        self.durableIndex = durableIndex
        self.payloadChecksum = payloadChecksum
    }

    /// Writes the envelope, its checksum included.
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        unsafe bytes.storeBigEndian(Self.magicValue, at: 0)
        unsafe bytes.storeBigEndian(Self.versionValue, at: 4)
        unsafe bytes.storeBigEndian(kind.rawValue, at: 5)
        unsafe bytes.storeBigEndian(UInt16(0), at: 6)
        unsafe bytes.storeBigEndian(UInt32(payloadLength), at: 8)
        unsafe bytes.storeBigEndian(UInt32(recordCount), at: 12)
        unsafe bytes.storeBigEndian(group, at: 16)
        unsafe bytes.storeBigEndian(salt, at: 24)
        unsafe bytes.storeBigEndian(index.rawValue, at: 32)
        unsafe bytes.storeBigEndian(term.rawValue, at: 40)
        unsafe bytes.storeBigEndian(baseOffset.rawValue, at: 48)
        unsafe bytes.storeBigEndian(maxTimestamp.rawValue, at: 56)
        unsafe bytes.storeBigEndian(durableIndex.rawValue, at: 64)
        unsafe bytes.storeBigEndian(payloadChecksum, at: 72)
        let checksum = unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<76]))
        unsafe bytes.storeBigEndian(checksum, at: 76)
    }

    /// The checksum that the envelope has: it tells this frame from any other.
    var checksum: UInt32 {
        var bytes = [UInt8](repeating: 0, count: Self.size)
        return unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe write(to: buffer)
            return unsafe buffer.bigEndian(at: 76)
        }
    }

    /// What may be wrong with an envelope or its payload.
    public enum Flaw: Error, Sendable, Equatable {
        /// Not even the first bytes are a frame's.
        case notAFrame
        case cutShort
        case headerChecksum
        case unsupportedVersion(UInt8)
        case unknownKind(UInt8)
        /// The frame belongs to another log or to an older file.
        case foreign
        /// A field is outside of what it can be.
        case implausible
        case payloadChecksum
        /// The batch's first bytes disagree with the envelope.
        case batchHeader
        /// A sound frame whose index or offset does not follow its predecessor's.
        case outOfSequence
    }

    /// Reads and checks an envelope.
    ///
    /// The payload is not looked at.
    ///
    /// - Parameters:
    ///   - bytes: From the frame's first byte on; may end before the frame does.
    ///   - group: The log's group hash.
    ///   - salt: The segment's salt; `nil` to accept any.
    public init(
        checking bytes: UnsafeRawBufferPointer, group: UInt64, salt: UInt64?
    ) throws(Flaw) {
        guard bytes.count >= Self.size else { throw .cutShort }
        guard unsafe bytes.bigEndian(at: 0, as: UInt32.self) == Self.magicValue else {
            throw .notAFrame
        }
        let stated: UInt32 = unsafe bytes.bigEndian(at: 76)
        guard unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<76])) == stated
        else { throw .headerChecksum }
        let version: UInt8 = unsafe bytes.bigEndian(at: 4)
        guard version == Self.versionValue else { throw .unsupportedVersion(version) }
        let kindValue: UInt8 = unsafe bytes.bigEndian(at: 5)
        guard let kind = Kind(rawValue: kindValue) else { throw .unknownKind(kindValue) }
        self.kind = kind
        payloadLength = unsafe Int(bytes.bigEndian(at: 8, as: UInt32.self))
        recordCount = unsafe Int(bytes.bigEndian(at: 12, as: UInt32.self))
        self.group = unsafe bytes.bigEndian(at: 16)
        self.salt = unsafe bytes.bigEndian(at: 24)
        index = unsafe LogIndex(bytes.bigEndian(at: 32, as: UInt64.self))
        term = unsafe Term(bytes.bigEndian(at: 40, as: UInt64.self))
        baseOffset = unsafe Offset(bytes.bigEndian(at: 48, as: Int64.self))
        maxTimestamp = unsafe Timestamp(rawValue: bytes.bigEndian(at: 56))
        durableIndex = unsafe LogIndex(bytes.bigEndian(at: 64, as: UInt64.self))
        payloadChecksum = unsafe bytes.bigEndian(at: 72)
        guard self.group == group, salt == nil || self.salt == salt else { throw .foreign }
        guard isPlausible else { throw .implausible }
    }

    /// The least and most that each field can be, kind by kind.
    var isPlausible: Bool {
        guard baseOffset.rawValue >= 0, baseOffset.rawValue <= Int64.max - Int64(UInt32.max),
            term <= .max
        else { return false }
        return switch kind {
        case .batch:
            payloadLength >= BatchHeader.size && recordCount > 0 && durableIndex < index
        case .mark: payloadLength == 0 && recordCount == 0 && durableIndex <= index
        case .gap: payloadLength >= GapPayload.size
        case .noOp, .configuration:
            payloadLength <= Lineage.payloadSizeMax && recordCount == 0 && durableIndex < index
        case .head:
            payloadLength <= Lineage.sizeMax && recordCount == 0 && durableIndex <= index
        }
    }

    /// Checks a payload against its envelope.
    ///
    /// - Parameter payload: Exactly ``payloadLength`` bytes.
    public func check(payload: UnsafeRawBufferPointer) throws(Flaw) {
        precondition(payload.count == payloadLength, "payload of \(payload.count) bytes")
        guard kind == .batch else {
            guard unsafe CRC32C.checksum(payload) == payloadChecksum else { throw .payloadChecksum }
            return
        }
        let header = unsafe BatchHeader(reading: payload)
        guard header.baseOffset == baseOffset, header.totalSize == payloadLength,
            header.leaderEpoch == Int32(truncatingIfNeeded: term.rawValue),
            header.magic == BatchHeader.magicValue, header.checksum == payloadChecksum
        else { throw .batchHeader }
        guard unsafe RecordBatch.checksum(of: payload) == payloadChecksum else {
            throw .payloadChecksum
        }
    }
}

/// The first bytes of a gap's payload; the damaged bytes that it replaces follow.
///
/// ```
///  0  8  index of the next frame
///  8  8  offset of the next record
/// ```
struct GapPayload {
    static let size = 16
    var nextIndex: LogIndex
    var nextOffset: Offset

    init(nextIndex: LogIndex, nextOffset: Offset) {
        self.nextIndex = nextIndex
        self.nextOffset = nextOffset
    }

    init(reading payload: UnsafeRawBufferPointer) {
        nextIndex = unsafe LogIndex(payload.bigEndian(at: 0, as: UInt64.self))
        nextOffset = unsafe Offset(payload.bigEndian(at: 8, as: Int64.self))
    }
}
