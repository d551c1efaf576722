// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import CommitLog
internal import Faults
internal import Records

/// Walks the records of batches that were read, opening compressed ones.
struct BatchOpener: Sendable {
    /// What a batch may open to, however small the topic's limit is now: it may have been larger
    /// when the batch was taken.
    private static let openedBytesMin = 64 << 20

    private let openedBytesMax: Int

    /// An opener for the batches of a partition: what the server took, it opens.
    init(_ partition: Partition) {
        openedBytesMax = max(
            partition.batchSizeMax * BatchContent.inflationMax, Self.openedBytesMin)
    }

    /// Calls a function with each record from an offset on, until it returns `false`.
    ///
    /// - Throws: ``ErrorCode/dataLoss`` for records that are not sound,
    ///   ``ErrorCode/unsupportedCompression`` for a codec that is not served.
    func forEachRecord(
        in fetched: FetchedBatches, from start: Offset,
        _ body: (RecordView, UnsafeRawBufferPointer, BatchHeader) -> Bool
    ) throws(Fault) {
        var goesOn = true
        try fetched.forEachBatch { batch throws(Fault) in
            guard goesOn else { return }
            let header = BatchHeader(reading: batch)
            let last = header.baseOffset.rawValue &+ Int64(header.lastOffsetDelta)
            guard !header.attributes.isControl, last >= start.rawValue else { return }
            try withRecords(of: batch, header) { records throws(Fault) in
                var cursor = RecordCursor(records)
                while goesOn, let view = try next(&cursor, header) {
                    guard header.baseOffset.rawValue &+ Int64(view.offsetDelta) >= start.rawValue
                    else { continue }
                    goesOn = body(view, records, header)
                }
            }
        }
    }

    /// Calls a function with the batch's records section, uncompressed.
    private func withRecords(
        of batch: UnsafeRawBufferPointer, _ header: BatchHeader,
        _ body: (UnsafeRawBufferPointer) throws(Fault) -> Void
    ) throws(Fault) {
        let records = RecordBatch.records(of: batch)
        guard header.attributes.codec != CompressionCodec.none else { return try body(records) }
        let opened: [UInt8]
        do {
            opened = try BatchContent.inflate(records, of: header, sizeMax: openedBytesMax)
        } catch {
            throw fault(error, header)
        }
        // The error is carried by hand: `withUnsafeBytes` does not keep its type.
        let result = opened.withUnsafeBytes { bytes in
            Result { () throws(Fault) in try body(bytes) }
        }
        try result.get()
    }

    private func fault(_ error: BatchError, _ header: BatchHeader) -> Fault {
        let message = "the batch at offset \(header.baseOffset.rawValue) cannot be opened: \(error)"
        switch error {
        case .unsupportedCodec, .missingLibrary, .decompression(.overLimit):
            return Fault(
                .unsupportedCompression, message,
                hint: "read it with `encoded` and open it in the client")
        default:
            return Fault(.dataLoss, message)
        }
    }

    private func next(
        _ cursor: inout RecordCursor, _ header: BatchHeader
    ) throws(Fault) -> RecordView? {
        do {
            return try cursor.next()
        } catch {
            throw Fault(
                .dataLoss,
                "the batch at offset \(header.baseOffset.rawValue) is not sound: \(error)")
        }
    }
}
