// SPDX-License-Identifier: Apache-2.0

import Bytes
import Disk
import Records
import SimulatedDisk

@testable import CommitLog

/// What tests of idempotent producers share.
enum ProducerHarness {
    static let now = Timestamp(milliseconds: 1_000_000)
    static let week: Int64 = 7 * 86_400_000

    /// A batch as an idempotent producer sends it.
    static func batch(
        _ producer: Int64 = 7, epoch: Int16 = 0, sequence: Int32, count: Int = 1, size: Int = 0
    ) -> BatchBuffer {
        var builder = BatchBuilder()
        for number in 0..<count {
            builder.append(
                key: nil,
                value: Array("\(producer)/\(sequence)+\(number)".utf8)
                    + [UInt8](repeating: 0x2e, count: size),
                timestamp: Timestamp(milliseconds: 5))
        }
        let buffer = builder.finish()
        let bytes = buffer.mutableBytes
        bytes.storeBigEndian(producer, at: 43)
        bytes.storeBigEndian(epoch, at: 51)
        bytes.storeBigEndian(sequence, at: 53)
        bytes.storeBigEndian(RecordBatch.checksum(of: UnsafeRawBufferPointer(bytes)), at: 17)
        return buffer
    }

    static func header(
        _ producer: Int64 = 7, epoch: Int16 = 0, sequence: Int32, count: Int = 1
    ) -> BatchHeader {
        BatchHeader(
            reading: batch(producer, epoch: epoch, sequence: sequence, count: count).bytes)
    }
}

extension LogHarness {
    func appendProduced(
        _ batches: BatchBuffer..., at time: Timestamp = ProducerHarness.now
    ) -> [Log.AppendOutcome] {
        log.append(batches, now: time).outcomes
    }

    mutating func reopen(at time: Timestamp = ProducerHarness.now) throws {
        log = try Log(
            directory: Self.directory, group: Self.group, on: disk, settings: log.settings,
            now: time, seed: 99)
    }
}

extension Log.AppendOutcome {
    static func gap(expected: Int32, received: Int32) -> Self {
        .refused(.outOfOrder(expected: expected, received: received))
    }
}
