// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Cordwood_V1_ConsumeResponse {
    /// Sets the encoded batches.
    ///
    /// - Parameters:
    ///   - capacity: How many bytes there will be.
    ///   - fill: Calls its argument with each piece, in order.
    public mutating func setEncodedBatches(
        capacity: Int, _ fill: ((UnsafeRawBufferPointer) -> Void) -> Void
    ) {
        var bytes = Data(capacity: capacity)
        fill { piece in
            guard let start = piece.bindMemory(to: UInt8.self).baseAddress else { return }
            bytes.append(start, count: piece.count)
        }
        encodedBatches = bytes
    }
}
