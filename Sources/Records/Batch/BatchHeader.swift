// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The header of a batch.
///
/// The first 61 bytes of a Kafka RecordBatch v2 (KIP-98), big-endian:
///
/// ```
///  at size field                  at size field
///   0   8  base offset            27   8  base timestamp (ms)
///   8   4  batch length           35   8  max timestamp (ms)
///  12   4  leader epoch           43   8  producer id
///  16   1  magic = 2              51   2  producer epoch
///  17   4  CRC32C of 21...        53   4  base sequence
///  21   2  attributes             57   4  record count
///  23   4  last offset delta      61   …  records
/// ```
///
/// Base offset, length and leader epoch lie outside the checksum, so a server stamps them without
/// touching the rest.
public struct BatchHeader: Sendable, Equatable {
    /// The header's length in bytes.
    public static let size = 61
    /// Where the checksum's scope begins.
    public static let checksumStart = 21
    /// What ``batchLength`` does not count: the base offset and itself.
    public static let lengthOverhead = 12
    /// The only format version.
    public static let magicValue: Int8 = 2

    public var baseOffset: Offset
    /// Bytes behind this field.
    public var batchLength: Int32
    public var leaderEpoch: Int32
    public var magic: Int8
    public var checksum: UInt32
    public var attributes: BatchAttributes
    /// The last record's offset less the base offset.
    public var lastOffsetDelta: Int32
    public var baseTimestamp: Timestamp
    public var maxTimestamp: Timestamp
    /// -1 unless the producer is idempotent.
    public var producerID: Int64
    public var producerEpoch: Int16
    public var baseSequence: Int32
    public var recordCount: Int32

    /// Reads a header without judging it.
    ///
    /// The buffer holds at least ``size`` bytes.
    public init(reading bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count >= Self.size, "a batch header has 61 bytes, not \(bytes.count)")
        baseOffset = unsafe Offset(bytes.bigEndian(at: 0, as: Int64.self))
        batchLength = unsafe bytes.bigEndian(at: 8)
        leaderEpoch = unsafe bytes.bigEndian(at: 12)
        magic = unsafe bytes.bigEndian(at: 16)
        checksum = unsafe bytes.bigEndian(at: 17)
        attributes = unsafe BatchAttributes(rawValue: bytes.bigEndian(at: 21))
        lastOffsetDelta = unsafe bytes.bigEndian(at: 23)
        baseTimestamp = unsafe Timestamp(rawValue: bytes.bigEndian(at: 27))
        maxTimestamp = unsafe Timestamp(rawValue: bytes.bigEndian(at: 35))
        producerID = unsafe bytes.bigEndian(at: 43)
        producerEpoch = unsafe bytes.bigEndian(at: 51)
        baseSequence = unsafe bytes.bigEndian(at: 53)
        recordCount = unsafe bytes.bigEndian(at: 57)
    }

    /// The whole batch's length in bytes, as the header claims it; may be anything before checking.
    public var totalSize: Int { Int(batchLength) + Self.lengthOverhead }

    /// The offset behind the last record.
    public var endOffset: Offset { baseOffset.advanced(by: Int(lastOffsetDelta) + 1) }

    /// Writes the two fields that a server owns, in place, outside the checksum.
    public static func stamp(
        _ bytes: UnsafeMutableRawBufferPointer, baseOffset: Offset, leaderEpoch: Int32
    ) {
        unsafe bytes.storeBigEndian(baseOffset.rawValue, at: 0)
        unsafe bytes.storeBigEndian(leaderEpoch, at: 12)
    }
}

/// The 16 attribute bits of a batch.
public struct BatchAttributes: RawRepresentable, Sendable, Equatable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// How the records are compressed, or `nil` for a codec number that no version defines.
    public var codec: CompressionCodec? { CompressionCodec(rawValue: UInt8(rawValue & 0x7)) }
    /// The timestamps are the server's, not the producer's.
    public var isLogAppendTime: Bool { rawValue & 0x08 != 0 }
    /// The batch belongs to a transaction.
    public var isTransactional: Bool { rawValue & 0x10 != 0 }
    /// The batch holds a marker, not records.
    public var isControl: Bool { rawValue & 0x20 != 0 }
    /// The bits that no client may set.
    public var hasReservedBits: Bool { rawValue & 0xffc0 != 0 }
}

/// The codecs of a batch, with Kafka's numbers.
public enum CompressionCodec: UInt8, Sendable, CaseIterable {
    case none = 0
    case gzip = 1
    case snappy = 2
    case lz4 = 3
    case zstd = 4
}
