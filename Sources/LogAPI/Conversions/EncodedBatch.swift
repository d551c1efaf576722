// SPDX-License-Identifier: Apache-2.0

import Foundation
public import Records

extension Cordwood_V1_ProduceRequest {
    /// A request to append an encoded batch, which it shares: nobody may change it any more.
    public init(_ batch: BatchBuffer, topic: String, partition: Int) {
        self.init()
        self.partition.topic = topic
        self.partition.partition = Int32(partition)
        encodedBatch = Data(sharing: batch)
    }
}

extension Cordwood_V1_ProduceStreamRequest {
    /// A request to append an encoded batch, which it shares: nobody may change it any more.
    public init(_ batch: BatchBuffer, topic: String, partition: Int) {
        self.init()
        self.partition.topic = topic
        self.partition.partition = Int32(partition)
        encodedBatch = Data(sharing: batch)
    }
}

extension Cordwood_V1_ConsumeResponse {
    /// Calls `body` with the batches that came, one behind the other.
    public func withEncodedBatches<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try encodedBatches.withUnsafeBytes(body)
    }
}

extension Data {
    /// The bytes of a batch, without a copy; they keep the batch alive.
    fileprivate init(sharing batch: BatchBuffer) {
        let bytes = UnsafeMutableRawPointer(mutating: batch.bytes.baseAddress)
        guard let bytes, batch.count > 0 else {
            self.init()
            return
        }
        self.init(
            bytesNoCopy: bytes, count: batch.count,
            deallocator: .custom { _, _ in withExtendedLifetime(batch) {} })
    }
}
