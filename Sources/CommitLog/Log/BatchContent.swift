// SPDX-License-Identifier: Apache-2.0

internal import Compression
public import Records

/// Batches, opened: what needs a codec.
public enum BatchContent {
    /// The most that a batch may open to, for each byte that it may have closed.
    public static let inflationMax = 16

    /// Checks all of a producer's batch, the inside of its records included.
    ///
    /// - Parameters:
    ///   - batch: Exactly one batch.
    ///   - sizeMax: The most bytes a batch may have; opened it may have ``inflationMax`` times that.
    public static func check(
        _ batch: UnsafeRawBufferPointer, sizeMax: Int
    ) throws(BatchError) -> BatchHeader {
        let header = try unsafe RecordBatch.checkHeader(batch, sizeMax: sizeMax)
        let records = unsafe RecordBatch.records(of: batch)
        guard header.attributes.codec != CompressionCodec.none else {
            try unsafe RecordBatch.checkRecords(records, of: header)
            return header
        }
        let limit = sizeMax.multipliedReportingOverflow(by: inflationMax)
        let inflated = try unsafe inflate(
            records, of: header, sizeMax: limit.overflow ? Int.max : limit.partialValue)
        let result = unsafe inflated.withUnsafeBytes { bytes -> Result<Void, BatchError> in
            do throws(BatchError) {
                try unsafe RecordBatch.checkRecords(bytes, of: header)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return header
    }

    /// Opens the records section of a compressed batch.
    public static func inflate(
        _ records: UnsafeRawBufferPointer, of header: BatchHeader, sizeMax: Int
    ) throws(BatchError) -> [UInt8] {
        let number = UInt8(header.attributes.rawValue & 7)
        guard let codec = Codec(rawValue: number), codec.isSupported else {
            throw .unsupportedCodec(number)
        }
        do throws(CompressionError) {
            return try unsafe codec.decompress(records, limit: sizeMax)
        } catch {
            switch error {
            case .overLimit: throw .decompression(.overLimit(limit: sizeMax))
            case .unsupported: throw .unsupportedCodec(number)
            default: throw .decompression(.damaged)
            }
        }
    }
}
