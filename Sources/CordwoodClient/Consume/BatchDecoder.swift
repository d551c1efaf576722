// SPDX-License-Identifier: Apache-2.0

internal import Compression
internal import Records

/// Opens stored batches: checks each one's checksum, unpacks it and copies the records wanted.
///
/// A pure function of bytes; nothing in them is trusted.
enum BatchDecoder {
    /// Bytes that one batch may unpack to.
    static let unpackedBytesMax = 256 << 20

    /// A batch that was opened.
    struct Batch: Equatable {
        /// The records wanted, in order; may be none.
        var records: [Record]
        /// The offset behind the batch.
        var endOffset: Offset
        /// The batch's length in bytes.
        var size: Int
    }

    /// Opens batches that stand one behind the other.
    ///
    /// - Parameters:
    ///   - bytes: Whole batches, and nothing else.
    ///   - wanted: The offsets of the records to copy out.
    /// - Throws: ``CordwoodError/Code/corruptBatch`` where a checksum does not match,
    ///   ``CordwoodError/Code/invalidBatch`` and ``CordwoodError/Code/unsupportedCompression``.
    static func batches(
        in bytes: UnsafeRawBufferPointer, wanted: Range<Offset>
    ) throws(CordwoodError) -> [Batch] {
        var batches: [Batch] = []
        var position = 0
        while position < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            let batch = try firstBatch(in: rest, wanted: wanted)
            batches.append(batch)
            position += batch.size
        }
        return batches
    }

    private static func firstBatch(
        in bytes: UnsafeRawBufferPointer, wanted: Range<Offset>
    ) throws(CordwoodError) -> Batch {
        guard bytes.count >= BatchHeader.size else {
            throw invalid("\(bytes.count) bytes are too few for a batch")
        }
        let header = BatchHeader(reading: bytes)
        guard header.magic == BatchHeader.magicValue else {
            throw invalid("format version \(header.magic) is not 2")
        }
        guard header.totalSize >= BatchHeader.size, header.totalSize <= bytes.count else {
            throw invalid("a batch states \(header.totalSize) bytes and \(bytes.count) are there")
        }
        let batch = UnsafeRawBufferPointer(rebasing: bytes[..<header.totalSize])
        let actual = RecordBatch.checksum(of: batch)
        guard actual == header.checksum else {
            throw CordwoodError(
                .corruptBatch, "the batch at offset \(header.baseOffset.rawValue) is damaged")
        }
        // Beyond these bounds offsets could not be counted.
        guard header.baseOffset >= .zero, header.lastOffsetDelta >= 0,
            header.baseOffset.rawValue < Int64.max - Int64(Int32.max) - 1
        else { throw invalid("offset \(header.baseOffset.rawValue) cannot be") }
        var result = Batch(records: [], endOffset: header.endOffset, size: header.totalSize)
        guard !header.attributes.isControl else { return result }
        result.records = try records(
            of: header, in: RecordBatch.records(of: batch), wanted: wanted)
        return result
    }

    private static func records(
        of header: BatchHeader, in section: UnsafeRawBufferPointer, wanted: Range<Offset>
    ) throws(CordwoodError) -> [Record] {
        guard let codec = Codec(rawValue: UInt8(header.attributes.rawValue & 7)) else {
            throw CordwoodError(
                .unsupportedCompression, "the batch names a codec that does not exist")
        }
        guard codec != .none else { return try walk(section, header, wanted) }
        let unpacked: [UInt8]
        do {
            unpacked = try codec.decompress(section, limit: unpackedBytesMax)
        } catch {
            if case .unsupported = error {
                throw CordwoodError(.unsupportedCompression, error.description)
            }
            throw invalid("offset \(header.baseOffset.rawValue): \(error)")
        }
        return try unpacked.withUnsafeBytes { bytes in
            Result { () throws(CordwoodError) in try walk(bytes, header, wanted) }
        }.get()
    }

    private static func walk(
        _ section: UnsafeRawBufferPointer, _ header: BatchHeader, _ wanted: Range<Offset>
    ) throws(CordwoodError) -> [Record] {
        var records: [Record] = []
        var cursor = RecordCursor(section)
        var count: Int32 = 0
        do {
            while let view = try cursor.next() {
                count += 1
                guard count <= header.recordCount, view.offsetDelta >= 0,
                    view.offsetDelta <= header.lastOffsetDelta
                else { throw BatchError.malformedRecord(at: Int(count) - 1, .badLength) }
                guard wanted.contains(header.baseOffset.advanced(by: Int(view.offsetDelta))) else {
                    continue
                }
                records.append(Record(view, in: section, header: header))
            }
        } catch {
            throw invalid("offset \(header.baseOffset.rawValue): \(error)")
        }
        guard count == header.recordCount, cursor.remaining == 0 else {
            throw invalid(
                "the batch at offset \(header.baseOffset.rawValue) states \(header.recordCount) "
                    + "records and holds others")
        }
        return records
    }

    private static func invalid(_ what: String) -> CordwoodError {
        CordwoodError(.invalidBatch, "a batch that was read cannot be understood: \(what)")
    }
}
