// SPDX-License-Identifier: Apache-2.0

internal import Compression
internal import Records

extension BatchBuffer {
    /// The same batch with its records packed, or this very one if they do not shrink.
    func gzipped() -> BatchBuffer {
        let header = BatchHeader(reading: bytes)
        // Packing fails only without memory; the batch then goes as it is.
        guard let packed = try? Codec.gzip.compress(RecordBatch.records(of: bytes)),
            BatchHeader.size + packed.count < count
        else { return self }
        let smaller = BatchBuffer(capacity: BatchHeader.size + packed.count)
        smaller.setCount(BatchHeader.size + packed.count)
        packed.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: smaller.mutableBytes[BatchHeader.size...])
                .copyMemory(from: $0)
        }
        BatchHeader.write(
            to: smaller.mutableBytes, codec: .gzip, recordCount: header.recordCount,
            baseTimestamp: header.baseTimestamp, maxTimestamp: header.maxTimestamp)
        return smaller
    }
}
