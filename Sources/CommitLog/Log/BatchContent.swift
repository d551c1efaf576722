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
        let limit = sizeMax.multipliedReportingOverflow(by: inflationMax)
        try unsafe withRecords(
            records, of: header, sizeMax: limit.overflow ? Int.max : limit.partialValue
        ) { opened throws(BatchError) in
            try unsafe RecordBatch.checkRecords(opened, of: header)
        }
        return header
    }

    /// Calls a function with the records section of a batch, opened if it is compressed.
    static func withRecords<Value>(
        _ records: UnsafeRawBufferPointer, of header: BatchHeader, sizeMax: Int,
        _ body: (UnsafeRawBufferPointer) throws(BatchError) -> Value
    ) throws(BatchError) -> Value {
        guard header.attributes.codec != CompressionCodec.none else {
            return try unsafe body(records)
        }
        let inflated = try unsafe inflate(records, of: header, sizeMax: sizeMax)
        // The error is carried by hand: `withUnsafeBytes` does not keep its type.
        let result = unsafe inflated.withUnsafeBytes { bytes in
            Result { () throws(BatchError) in try unsafe body(bytes) }
        }
        return try result.get()
    }

    /// Opens the records section of a compressed batch.
    public static func inflate(
        _ records: UnsafeRawBufferPointer, of header: BatchHeader, sizeMax: Int
    ) throws(BatchError) -> [UInt8] {
        let number = UInt8(header.attributes.rawValue & 7)
        guard let codec = Codec(rawValue: number) else { throw .unsupportedCodec(number) }
        do throws(CompressionError) {
            return try unsafe codec.decompress(records, limit: sizeMax)
        } catch {
            switch error {
            case .overLimit: throw .decompression(.overLimit(limit: sizeMax))
            case .unsupported:
                guard let name = header.attributes.codec, let package = codec.debianPackage else {
                    throw .unsupportedCodec(number)
                }
                throw .missingLibrary(of: name, package: package)
            default: throw .decompression(.damaged)
            }
        }
    }
}
