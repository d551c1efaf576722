// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not an acceptable batch.
public enum BatchError: Error, Sendable, Equatable {
    /// Fewer bytes than the smallest batch has.
    case tooShort(size: Int)
    /// More bytes than the log accepts in one batch.
    case tooLarge(size: Int, limit: Int)
    /// The stated length does not agree with the bytes that came.
    case lengthMismatch(stated: Int, actual: Int)
    /// Not format version 2.
    case unsupportedMagic(Int8)
    /// The checksum of the content is not the stated one: damaged on the way.
    case checksumMismatch(stated: UInt32, actual: UInt32)
    /// A producer's batch starts at offset 0; only a server assigns offsets.
    case nonZeroBaseOffset(Int64)
    /// No records, or a number that disagrees with the last offset delta.
    case recordCountMismatch(count: Int32, lastOffsetDelta: Int32)
    /// A marker or a reserved bit, which producers may not send.
    case forbiddenAttributes(UInt16)
    /// A compression codec that does not exist.
    case unsupportedCodec(UInt8)
    /// A compression codec whose library is not installed here.
    case missingLibrary(of: CompressionCodec, package: String)
    /// The compressed content cannot be opened, or grows over the limit.
    case decompression(CompressionFailure)
    /// A producer id without an epoch or a sequence number.
    case incompleteProducerState
    /// A record inside does not follow the format.
    case malformedRecord(at: Int, RecordFlaw)
    /// Bytes behind the last record.
    case trailingBytes(Int)
    /// The stated max timestamp is not that of the records.
    case maxTimestampMismatch(stated: Int64, actual: Int64)

    /// What can be wrong with compressed content.
    public enum CompressionFailure: Sendable, Equatable {
        case damaged
        case overLimit(limit: Int)
    }

    /// What can be wrong with one record.
    public enum RecordFlaw: Sendable, Equatable {
        case cutShort
        case badLength
        case badAttributes
        case offsetDelta(expected: Int32, actual: Int32)
        case badKeyLength
        case badValueLength
        case badHeaders
        case lengthMismatch
    }
}

extension BatchError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooShort(let size):
            "a batch has at least 61 bytes, this one has \(size)"
        case .tooLarge(let size, let limit):
            "the batch has \(size) bytes, the limit is \(limit)"
        case .lengthMismatch(let stated, let actual):
            "the batch states \(stated) bytes and has \(actual)"
        case .unsupportedMagic(let magic):
            "format version \(magic) is not supported, only 2 is"
        case .checksumMismatch(let stated, let actual):
            "checksum mismatch: stated \(hex(stated)), computed \(hex(actual))"
        case .nonZeroBaseOffset(let offset):
            "a producer's batch must have base offset 0, not \(offset)"
        case .recordCountMismatch(let count, let delta):
            "the record count \(count) disagrees with the last offset delta \(delta)"
        case .forbiddenAttributes(let bits):
            "the attributes \(hex(UInt32(bits))) hold bits that producers may not set"
        case .unsupportedCodec(let codec):
            "compression codec \(codec) does not exist"
        case .missingLibrary(let codec, let package):
            "compression codec \(codec) is not served here: "
                + "the Debian package \(package) is not installed"
        case .decompression(.damaged):
            "the compressed records cannot be opened"
        case .decompression(.overLimit(let limit)):
            "the compressed records open to more than \(limit) bytes"
        case .incompleteProducerState:
            "a producer id needs an epoch and a sequence number"
        case .malformedRecord(let index, let flaw):
            "record \(index) is malformed: \(flaw)"
        case .trailingBytes(let count):
            "\(count) bytes follow the last record"
        case .maxTimestampMismatch(let stated, let actual):
            "the max timestamp is stated as \(stated), the records say \(actual)"
        }
    }

    private func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}
