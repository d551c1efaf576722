// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CommitLog

/// What one history is set to, all of it drawn from the seed.
struct HistorySettings: Sendable {
    var log = LogSettings()
    /// The most records in a batch, and the most bytes in a record's value.
    var recordsMax: Int
    var valueSizeMax: Int
    var batchesMax: Int
    /// How eager faults are: 0 for a disk without any.
    var faultRate: Int
    /// How eager crashes are, in chances out of a hundred steps.
    var crashRate: Int

    /// The first sequence number of each idempotent producer.
    var firstSequences: [Int32]

    init(_ generator: inout SplitMix64, _ sabotage: Sabotage?) {
        func pick<Value>(_ values: Value...) -> Value {
            values[Int.random(in: 0..<values.count, using: &generator)]
        }
        log.commitRule = pick(.whenSynced, .whenSynced, .whenSynced, .whenWritten)
        log.segmentSizeMax = pick(1 << 10, 2 << 10, 4 << 10, 16 << 10, 256 << 10)
        log.indexInterval = pick(1, 256, 1024, 4096)
        log.checkpointInterval = pick(1, 1 << 10, 8 << 10, 64 << 10, 1 << 30)
        log.segmentAgeMax = pick(500, 5000, 1 << 40)
        log.retentionAge = pick(nil, nil, 2000, 20_000)
        log.retentionSize = pick(nil, nil, 3000, 30_000)
        recordsMax = pick(1, 3, 10)
        valueSizeMax = pick(0, 20, 300, 1500)
        batchesMax = pick(1, 2, 6)
        faultRate = pick(0, 1, 3)
        crashRate = pick(0, 2, 6, 15)
        firstSequences = pick([], [0], [0, .max - 3], [0, 7, .max])
        if sabotage == .remembersFourBatches { log.producerBatchesMax = 4 }
    }
}
