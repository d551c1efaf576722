// SPDX-License-Identifier: Apache-2.0

import Bytes
import CommitLog
import Records

/// Checks bytes as a producer's batch, and looks for a time in one that is sound.
///
/// With the first byte even, length, magic and checksum are set right before, so that what is behind
/// them is reached.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRecordBatches(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 1 else { return 0 }
    var batch = [UInt8](UnsafeRawBufferPointer(start: start + 1, count: count - 1))
    batch.withUnsafeMutableBytes { bytes in
        if start[0] & 1 == 0, bytes.count >= BatchHeader.size {
            bytes.storeBigEndian(Int64(0), at: 0)
            bytes.storeBigEndian(Int32(bytes.count - 12), at: 8)
            bytes[16] = 2
            let checksum = RecordBatch.checksum(of: UnsafeRawBufferPointer(bytes))
            bytes.storeBigEndian(checksum, at: BatchHeader.checksumStart - 4)
        }
        check(UnsafeRawBufferPointer(bytes))
    }
    return 0
}

private func check(_ bytes: UnsafeRawBufferPointer) {
    do throws(BatchError) {
        let header = try BatchContent.check(bytes, sizeMax: 1 << 20)
        precondition(header.totalSize == bytes.count)
        if header.attributes.codec == CompressionCodec.none {
            let found = try RecordBatch.firstRecord(
                atOrAfter: header.maxTimestamp, in: RecordBatch.records(of: bytes), of: header)
            precondition(found?.timestamp == header.maxTimestamp)
        }
    } catch {
        precondition(!"\(error)".isEmpty)
    }
}
