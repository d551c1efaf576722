// SPDX-License-Identifier: Apache-2.0

public import Foundation
public import Records

/// Why a request carries no batch.
public enum PayloadError: Error, Sendable, Equatable {
    /// Neither records nor an encoded batch.
    case empty
    /// Records and an encoded batch.
    case both
    /// More bytes than a batch may have.
    case tooLarge(size: Int, limit: Int)
}

extension BatchBuffer {
    /// The batch that a request carries: its records, to be encoded, or the batch as it is.
    ///
    /// An encoded batch is copied and not looked into.
    ///
    /// - Parameters:
    ///   - sizeMax: The most bytes that the batch may have; encoding stops there.
    ///   - defaultTimestamp: The timestamp of records that have none.
    public static func carried(
        by records: [Cordwood_V1_Record], or encoded: Data, sizeMax: Int,
        defaultTimestamp: Timestamp
    ) throws(PayloadError) -> BatchBuffer {
        guard !records.isEmpty else {
            guard !encoded.isEmpty else { throw .empty }
            guard encoded.count <= sizeMax else {
                throw .tooLarge(size: encoded.count, limit: sizeMax)
            }
            return BatchBuffer(copying: encoded)
        }
        guard encoded.isEmpty else { throw .both }
        let estimate = records.reduce(BatchHeader.size) { $0 + $1.sizeEstimate }
        var builder = BatchBuilder(capacity: min(estimate, sizeMax))
        for record in records {
            builder.append(record, defaultTimestamp: defaultTimestamp)
            guard builder.size <= sizeMax else {
                throw .tooLarge(size: builder.size, limit: sizeMax)
            }
        }
        return builder.finish(nextCapacity: 0)
    }
}
