// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import Records

/// What waits to be appended to a partition: batches, and records that become one.
///
/// Lives behind the partition's mutex; a record costs its encoding and nothing else here.
struct Inbox {
    /// Records gather in a batch up to this size before the next one is begun.
    static let recordBatchSize = 64 << 10

    /// A batch that waits.
    struct Entry {
        var buffer: BatchBuffer
        var pending: PendingBatch
        var recordCount: Int
    }

    private var entries: [Entry] = []
    private var builder = BatchBuilder(capacity: 0)
    private var builderPending: PendingBatch?
    private var builderCapacity = 1024
    /// Bytes that wait, those being written included.
    private(set) var byteCount = 0
    /// The log thread knows that there is something.
    var isAnnounced = false
    /// Why nothing is taken any more.
    var refusal: Fault?
    /// Those who wait for room.
    var roomWaiters: [@Sendable () -> Void] = []

    /// Takes a batch that was checked.
    mutating func add(_ buffer: BatchBuffer, recordCount: Int, _ pending: PendingBatch) {
        sealBuilder()
        byteCount += buffer.count
        entries.append(Entry(buffer: buffer, pending: pending, recordCount: recordCount))
    }

    /// Takes a record.
    mutating func add(_ record: Record, size: Int, batchSizeMax: Int) -> PendingRecord {
        if !builder.isEmpty, builder.size + size > min(Self.recordBatchSize, batchSizeMax) {
            sealBuilder()
        }
        let pending: PendingBatch
        if let builderPending {
            pending = builderPending
        } else {
            pending = PendingBatch()
            builderPending = pending
        }
        let before = builder.size
        let delta = builder.append(record)
        byteCount += builder.size - before
        return PendingRecord(batch: pending, offsetDelta: delta)
    }

    /// Makes the records so far a batch.
    private mutating func sealBuilder() {
        guard let pending = builderPending else { return }
        let count = builder.recordCount
        // The next batch is likely to be as large as this one.
        builderCapacity = min(Self.recordBatchSize, builder.size + 128)
        entries.append(
            Entry(
                buffer: builder.finish(nextCapacity: builderCapacity), pending: pending,
                recordCount: count))
        byteCount += BatchHeader.size
        builderPending = nil
    }

    /// Hands over all that waits.
    mutating func takeAll() -> [Entry] {
        sealBuilder()
        isAnnounced = false
        let taken = entries
        entries = []
        return taken
    }

    /// Takes note that some bytes wait no more; those who waited for room.
    mutating func release(_ bytes: Int) -> [@Sendable () -> Void] {
        byteCount -= bytes
        precondition(byteCount >= 0, "released more than was taken")
        let waiters = roomWaiters
        roomWaiters = []
        return waiters
    }
}
