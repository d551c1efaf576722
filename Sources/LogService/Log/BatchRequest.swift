// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import LogAPI
internal import Records

/// The batch that a produce request carries, as records or encoded.
enum BatchRequest {
    /// The batch of a unary request.
    static func batch(
        of request: Cordwood_V1_ProduceRequest, sizeMax: Int, now: Timestamp
    ) throws(Fault) -> BatchBuffer {
        do {
            return try BatchBuffer.carried(
                by: request.records, or: request.encodedBatch, sizeMax: sizeMax,
                defaultTimestamp: now)
        } catch {
            throw fault(error)
        }
    }

    /// The batch of one message of a stream.
    static func batch(
        of request: Cordwood_V1_ProduceStreamRequest, sizeMax: Int, now: Timestamp
    ) throws(Fault) -> BatchBuffer {
        do {
            return try BatchBuffer.carried(
                by: request.records, or: request.encodedBatch, sizeMax: sizeMax,
                defaultTimestamp: now)
        } catch {
            throw fault(error)
        }
    }

    private static func fault(_ error: PayloadError) -> Fault {
        switch error {
        case .empty: Fault(.invalidArgument, "the request has neither records nor a batch")
        case .both: Fault(.invalidArgument, "the request has both records and a batch")
        case .tooLarge(let size, let limit):
            Fault(.batchTooLarge, "the batch has at least \(size) bytes, the limit is \(limit)")
        }
    }
}
