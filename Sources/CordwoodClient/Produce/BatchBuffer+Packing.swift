// SPDX-License-Identifier: Apache-2.0

internal import Compression
internal import Records

extension BatchBuffer {
    /// The same batch with its records packed, or this very one if they do not shrink.
    func packed(_ compression: ProducerOptions.Compression) -> BatchBuffer {
        guard compression != .none else { return self }
        let header = BatchHeader(reading: bytes)
        // Packing fails only without memory; the batch then goes as it is.
        guard let packed = try? compression.codec.compress(RecordBatch.records(of: bytes)),
            BatchHeader.size + packed.count < count
        else { return self }
        let smaller = BatchBuffer(capacity: BatchHeader.size + packed.count)
        smaller.setCount(BatchHeader.size + packed.count)
        packed.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: smaller.mutableBytes[BatchHeader.size...])
                .copyMemory(from: $0)
        }
        BatchHeader.write(
            to: smaller.mutableBytes, codec: compression.name, recordCount: header.recordCount,
            baseTimestamp: header.baseTimestamp, maxTimestamp: header.maxTimestamp)
        return smaller
    }
}

extension ProducerOptions.Compression {
    fileprivate var name: CompressionCodec {
        switch self {
        case .none: .none
        case .gzip: .gzip
        case .snappy: .snappy
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }

    fileprivate var codec: Codec {
        switch self {
        case .none: .none
        case .gzip: .gzip
        case .snappy: .snappy
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }

    /// Sees to it that the codec's library is there, before there is anything to pack.
    func check() throws(CordwoodError) {
        guard codec.isSupported else {
            throw CordwoodError(
                .unsupportedCompression, CompressionError.unsupported(codec).description)
        }
    }
}
