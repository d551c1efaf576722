// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import CommitLog
internal import DequeModule
internal import Disk
internal import Faults
internal import Records
internal import Synchronization

/// A log and what the log thread has to remember of it.
///
/// Owned by that thread.
final class PartitionLog {
    let partition: Partition
    let log: Log
    var durability: TopicSettings.Durability
    /// Appended batches that are not committed yet, in order.
    private var uncommitted: Deque<Uncommitted> = []
    /// It is in the list of those that wait for a sync round.
    var isDirty = false
    /// A sync round has a ticket of it.
    var isSyncing = false
    /// When it was last appended to, in milliseconds of the monotonic clock.
    var lastAppend: Int64 = 0
    /// When it was last synced, likewise.
    var lastSync: Int64 = 0
    /// It is in the list of those that get an idle mark.
    var isRecent = false
    private var hasReportedFailure = false

    private struct Uncommitted {
        var pending: PendingBatch
        var appended: Appended
        var endOffset: Offset
    }

    init(partition: Partition, log: Log, durability: TopicSettings.Durability) {
        self.partition = partition
        self.log = log
        self.durability = durability
        partition.setTerm(log.term)
    }

    /// Appends all that waits for the partition, in one write.
    ///
    /// - Parameter beforeRefusing: Told what went wrong before those who wait are.
    /// - Returns: How many bytes waited, and what went wrong, if something did.
    func appendWaiting(
        now: Timestamp, beforeRefusing: (LogError) -> Void = { _ in }
    ) -> (bytes: Int, failure: LogError?) {
        let entries = partition.inbox.withLock { $0.takeAll() }
        guard !entries.isEmpty else { return (0, nil) }
        let bytes = entries.reduce(0) { $0 + $1.buffer.count }
        let result = log.append(entries.map(\.buffer), now: now)
        if let failure = result.failure { beforeRefusing(failure) }
        for (number, entry) in entries.enumerated() {
            guard number < result.outcomes.count else {
                let error = result.failure ?? .closed
                entry.pending.complete(.failure(Fault(error, of: partition.name)))
                continue
            }
            switch result.outcomes[number] {
            case .appended(let offset): keep(entry, at: offset, isDuplicate: false, now: now)
            // Answered once it is as durable as the first time: behind those that came before it.
            case .duplicate(let offset): keep(entry, at: offset, isDuplicate: true, now: now)
            case .refused(let error):
                entry.pending.complete(.failure(Fault(error, of: partition.name)))
            }
        }
        let waiters = partition.inbox.withLock { $0.release(bytes) }
        for waiter in waiters { waiter() }
        publish()
        return (bytes, result.failure)
    }

    private func keep(_ entry: Inbox.Entry, at offset: Offset, isDuplicate: Bool, now: Timestamp) {
        uncommitted.append(
            Uncommitted(
                pending: entry.pending,
                appended: Appended(
                    baseOffset: offset, recordCount: entry.recordCount, term: log.term,
                    appendTime: now, isDuplicate: isDuplicate),
                endOffset: offset.advanced(by: entry.recordCount)))
    }

    /// Shows readers what is committed, and answers those whose batches are.
    func publish() {
        let state: PartitionState =
            log.failure != nil ? .failed : log.isReadOnly ? .readOnly : .online
        // Readers first: who is answered can read what was answered.
        partition.publish(log.snapshot, state: state)
        while let first = uncommitted.first, first.endOffset <= log.highWatermark {
            uncommitted.removeFirst()
            first.pending.complete(.success(first.appended))
        }
        if let failure = log.failure { fail(failure) }
    }

    /// After a failed write or sync: nothing that waits is acknowledged, and no more is taken.
    private func fail(_ error: FileError) {
        let fault = Fault(LogError.failed(error), of: partition.name)
        for waiting in uncommitted { waiting.pending.complete(.failure(fault)) }
        uncommitted = []
        partition.withdraw(fault, state: .failed, keepingSnapshot: true)
    }

    /// Ends the partition: what waits is refused.
    func abandon(_ fault: Fault) {
        partition.withdraw(fault, state: .failed)
        for entry in partition.inbox.withLock({ $0.takeAll() }) {
            entry.pending.complete(.failure(fault))
        }
        for waiting in uncommitted { waiting.pending.complete(.failure(fault)) }
        uncommitted = []
    }

    /// The first failure, once, for the log of the server.
    func takeFailure() -> FileError? {
        guard let failure = log.failure, !hasReportedFailure else { return nil }
        hasReportedFailure = true
        return failure
    }

    /// Whether the durability asks for a sync now.
    func wantsSync(at milliseconds: Int64) -> Bool {
        switch durability {
        case .fsync: log.needsSync
        case .interval(let interval):
            log.needsSync && milliseconds - lastSync >= Int64(interval)
        case .os: log.needsBackgroundSync
        }
    }

    /// Milliseconds until something has to be done without an append, or `nil`.
    func nextDeadline(at milliseconds: Int64) -> Int64? {
        guard case .interval(let interval) = durability, log.needsSync else { return nil }
        return max(1, lastSync + Int64(interval) - milliseconds)
    }
}

extension TopicSettings {
    /// What the log of one partition is set to.
    var logSettings: LogSettings {
        var settings = LogSettings()
        settings.commitRule = durability == .fsync ? .whenSynced : .whenWritten
        settings.segmentSizeMax = segmentBytes
        settings.segmentAgeMax = segmentMilliseconds
        settings.retentionAge = retentionMilliseconds < 0 ? nil : retentionMilliseconds
        settings.retentionSize = retentionBytes < 0 ? nil : UInt64(retentionBytes)
        return settings
    }
}
