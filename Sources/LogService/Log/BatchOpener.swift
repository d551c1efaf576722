// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Compression
internal import Faults
internal import Records

/// Walks the records of batches that were read, opening compressed ones.
struct BatchOpener: Sendable {
    private let decompressedBytesMax: Int

    init(_ settings: LogServiceSettings) {
        decompressedBytesMax = settings.decompressedBytesMax
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
            guard !header.attributes.isControl, header.endOffset > start else { return }
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
        let stored = header.attributes.codec.flatMap { Codec(rawValue: $0.rawValue) }
        guard let codec = stored, codec != .none else { return try body(records) }
        let opened: [UInt8]
        do {
            opened = try codec.decompress(records, limit: decompressedBytesMax)
        } catch {
            throw fault(error, header)
        }
        // Rethrows by hand: `withUnsafeBytes` does not carry the type of an error.
        let result = opened.withUnsafeBytes { bytes in
            Result { () throws(Fault) in try body(bytes) }
        }
        try result.get()
    }

    private func fault(_ error: CompressionError, _ header: BatchHeader) -> Fault {
        let subject = "the batch at offset \(header.baseOffset.rawValue)"
        switch error {
        case .damaged:
            return Fault(.dataLoss, "\(subject) cannot be opened: \(error)")
        case .outOfMemory:
            return Fault(.overloaded, "\(subject) cannot be opened: \(error)")
        case .unsupported, .overLimit:
            return Fault(
                .unsupportedCompression, "\(subject) cannot be opened: \(error)",
                hint: "Read it with `encoded` and open it in the client.")
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
