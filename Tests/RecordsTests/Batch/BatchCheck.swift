// SPDX-License-Identifier: Apache-2.0

import Records

/// The checks that a server makes on a producer's batch, over an array.
enum BatchCheck {
    static func header(_ bytes: [UInt8], sizeMax: Int = 1 << 20) throws -> BatchHeader {
        try bytes.withUnsafeBytes { try RecordBatch.checkHeader($0, sizeMax: sizeMax) }
    }

    /// The records of an uncompressed batch that passes all checks.
    static func records(_ bytes: [UInt8]) throws -> [Record] {
        try bytes.withUnsafeBytes { batch in
            let header = try RecordBatch.checkHeader(batch, sizeMax: 1 << 20)
            let section = RecordBatch.records(of: batch)
            try RecordBatch.checkRecords(section, of: header)
            var cursor = RecordCursor(section)
            var records: [Record] = []
            while let view = try cursor.next() {
                records.append(Record(view, in: section, header: header))
            }
            return records
        }
    }

    /// The bytes of a builder's batch.
    static func finish(_ builder: inout BatchBuilder) -> [UInt8] {
        let buffer = builder.finish()
        return withExtendedLifetime(buffer) { Array(buffer.bytes) }
    }

    /// The same batch with its checksum made to match, as a liar would send it.
    static func resealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let sum = bytes.withUnsafeBytes { RecordBatch.checksum(of: $0) }
        for place in 0..<4 {
            bytes[17 + place] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * place))
        }
        return bytes
    }
}
