// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import CommitLog
internal import DequeModule
internal import Disk
internal import Faults
internal import RaftCore
internal import Records
internal import Replication
internal import Synchronization

/// A replica and what the log thread has to remember of it.
///
/// Owned by that thread.
final class PartitionLog {
    let partition: Partition
    let replica: Replica
    var log: Log { replica.log }
    private(set) var durability: TopicSettings.Durability
    /// Called once the replica leads and knows what is committed, or never will.
    private var whenSettled: (@Sendable () -> Void)?
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

    /// A replica that belongs to a partition.
    ///
    /// - Parameter whenSettled: Called on the log thread once readers see all that is committed.
    init(
        partition: Partition, replica: Replica, durability: TopicSettings.Durability,
        whenSettled: (@Sendable () -> Void)? = nil
    ) {
        self.partition = partition
        self.replica = replica
        self.durability = durability
        self.whenSettled = whenSettled
        replica.isRelaxed = durability != .fsync
        partition.setTerm(replica.log.term)
    }

    /// Whether batches that wait can be appended now, or have to be refused.
    ///
    /// A replica that is alone and does not lead yet soon will.
    private var canTakeBatches: Bool {
        switch replica.raft.proposalRefusal(expecting: nil, bytes: 0) {
        case nil, .storageFailed: true
        case .transferring, .tooMuchUncommitted, .staleTerm: false
        case .notLeader: !replica.isAlone || replica.isDamaged
        }
    }

    /// Appends all that waits for the partition, in one write.
    ///
    /// - Parameter beforeRefusing: Told what went wrong before those who wait are.
    /// - Returns: How many bytes waited, and what went wrong, if something did.
    func appendWaiting(
        now: Timestamp, into outputs: inout [ReplicaOutput],
        beforeRefusing: (LogError) -> Void = { _ in }
    ) -> (bytes: Int, failure: LogError?) {
        guard canTakeBatches else { return (0, nil) }
        let entries = partition.inbox.withLock { $0.takeAll() }
        guard !entries.isEmpty else { return (0, nil) }
        let bytes = entries.reduce(0) { $0 + $1.buffer.count }
        var failure: LogError?
        do throws(ProposalRefusal) {
            let result = try replica.append(
                entries.map(\.buffer), bytes: bytes, now: now, into: &outputs)
            failure = result.failure
            if let failure { beforeRefusing(failure) }
            settle(entries, result, now: now)
        } catch {
            let fault = fault(for: error)
            for entry in entries { entry.pending.complete(.failure(fault)) }
        }
        let waiters = partition.inbox.withLock { $0.release(bytes) }
        for waiter in waiters { waiter() }
        publish()
        return (bytes, failure)
    }

    /// Keeps those who wait for what was appended, and answers the others.
    private func settle(_ entries: [Inbox.Entry], _ result: Log.AppendResult, now: Timestamp) {
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
    }

    private func fault(for refusal: ProposalRefusal) -> Fault {
        switch refusal {
        case .storageFailed:
            if let failure = log.failure { return Fault(.failed(failure), of: partition.name) }
            return Fault(.storageFailed, "\(partition.name): the journal of votes has failed")
        case .notLeader, .staleTerm:
            if replica.isDamaged {
                return Fault(.readOnly(log.recovery.damages), of: partition.name)
            }
            return notLeader
        case .transferring, .tooMuchUncommitted:
            return Fault(.overloaded, "\(partition.name) waits for its followers")
        }
    }

    /// What a producer is told whose batch may or may not come to be committed by another leader.
    private var notLeader: Fault {
        Fault(.notLeader, "\(partition.name) has another leader, or none at the moment")
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
        partition.setLeading(replica.isReady && log.failure == nil)
        guard whenSettled != nil, replica.isReady || replica.isDamaged || log.failure != nil else {
            return
        }
        endSettling()
    }

    /// Lets those go on who wait for the replica to lead.
    private func endSettling() {
        whenSettled?()
        whenSettled = nil
    }

    /// Takes note of who leads.
    ///
    /// Who leads no more cannot say what becomes of what is not committed: those who wait are told so,
    /// and never of success.
    func noteRole(_ report: RoleReport) {
        if report.role == .leader {
            partition.setTerm(report.term)
            return
        }
        guard log.failure == nil, !uncommitted.isEmpty else { return }
        let fault = notLeader
        for waiting in uncommitted { waiting.pending.complete(.failure(fault)) }
        uncommitted = []
    }

    /// Changes how durable a record is before it is acknowledged.
    func setDurability(
        _ durability: TopicSettings.Durability, now: Timestamp, into outputs: inout [ReplicaOutput]
    ) {
        self.durability = durability
        replica.relax(durability != .fsync, now: now, into: &outputs)
    }

    /// Nothing can be saved any more that has to be before a promise is made.
    func failJournal(_ error: FileError) {
        fail(error)
        endSettling()
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
        endSettling()
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
        settings.commitRule = .byCaller
        settings.segmentSizeMax = segmentBytes
        settings.segmentAgeMax = segmentMilliseconds
        settings.retentionAge = retentionMilliseconds < 0 ? nil : retentionMilliseconds
        settings.retentionSize = retentionBytes < 0 ? nil : UInt64(retentionBytes)
        return settings
    }
}
