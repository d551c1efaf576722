// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import CommitLog
public import Faults
public import Records
internal import Replication
internal import Synchronization

/// One partition of a topic on this node: where records go in, and where they come out.
///
/// Any thread may call. Appends wait in the ``Inbox`` until the log thread, which owns the log,
/// takes them all at once; reads go to the last published ``CommitLog/LogSnapshot``, past the log.
public final class Partition: Sendable {
    /// The topic's name.
    public let topic: String
    /// The partition's number, from 0.
    public let number: Int

    /// The group of replicas that the partition is.
    let group: GroupID
    let inbox: Mutex<Inbox>
    let published: Mutex<Published>
    private let limits: Mutex<Limits>
    let host: PartitionHost

    struct Published {
        var snapshot: LogSnapshot?
        var term = Term.zero
        var leads = false
        var waiters: [(offset: Offset, waiter: any RecordsWaiter)] = []
        /// Why there is nothing to read.
        var refusal: Fault?
        var state = PartitionState.online
        /// Damage that was found since the log was opened.
        var found: [Damage] = []
    }

    private struct Limits {
        var batchSizeMax: Int
    }

    /// Damaged indexes are asked to be rebuilt here.
    let onDamagedIndex: @Sendable (Partition, Offset) -> Void

    init(
        topic: String, number: Int, group: GroupID, host: PartitionHost, batchSizeMax: Int,
        onDamagedIndex: @escaping @Sendable (Partition, Offset) -> Void
    ) {
        self.topic = topic
        self.number = number
        self.group = group
        self.host = host
        self.onDamagedIndex = onDamagedIndex
        inbox = Mutex(Inbox())
        published = Mutex(Published())
        limits = Mutex(Limits(batchSizeMax: batchSizeMax))
    }

    /// `topic-number`, for messages.
    public var name: String { "\(topic)-\(number)" }

    /// The most bytes that a batch may have.
    public var batchSizeMax: Int { limits.withLock { $0.batchSizeMax } }

    func setBatchSizeMax(_ size: Int) { limits.withLock { $0.batchSizeMax = size } }

    /// The first offset that is still there.
    public var logStartOffset: Offset {
        published.withLock { $0.snapshot?.logStartOffset ?? .zero }
    }

    /// The term under which records are appended: the leader epoch of Kafka's clients.
    public var term: Term { published.withLock { $0.term } }

    func setTerm(_ term: Term) { published.withLock { $0.term = term } }

    /// Whether this node leads the partition and takes its records.
    public var isLeading: Bool { published.withLock { $0.leads } }

    func setLeading(_ leads: Bool) { published.withLock { $0.leads = leads } }

    /// The offset behind the last committed record: what readers may see.
    public var highWatermark: Offset {
        published.withLock { $0.snapshot?.highWatermark ?? .zero }
    }

    // MARK: Appending

    /// Checks a batch on the calling thread and queues it.
    ///
    /// The completion runs once the batch is as durable as the topic says, on a storage thread, or
    /// at once with a fault. Batches of one caller keep their order. The caller does not touch the
    /// buffer again.
    public func append(
        _ batch: BatchBuffer,
        completion: @escaping @Sendable (Result<Appended, Fault>) -> Void
    ) {
        let header: BatchHeader
        do throws(BatchError) {
            header = try check(batch)
        } catch {
            completion(.failure(Fault(error)))
            return
        }
        let pending = PendingBatch(completion)
        let refusal = inbox.withLock { inbox -> Fault? in
            if let refusal = self.refusal(inbox, size: batch.count) { return refusal }
            inbox.add(batch, recordCount: Int(header.recordCount), pending)
            announce(&inbox)
            return nil
        }
        if let refusal { pending.complete(.failure(refusal)) }
    }

    private func check(_ batch: BatchBuffer) throws(BatchError) -> BatchHeader {
        let sizeMax = batchSizeMax
        // What the server itself has just encoded is what it says.
        if batch.isBuilt, batch.count <= sizeMax { return BatchHeader(reading: batch.bytes) }
        return try BatchContent.check(batch.bytes, sizeMax: sizeMax)
    }

    /// Appends a batch and waits until it is as durable as the topic says.
    public func append(_ batch: BatchBuffer) async throws(Fault) -> Appended {
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<Appended, Fault>, Never>) in
            append(batch) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Queues a record; records of all callers share batches, writes and syncs.
    ///
    /// Never blocks.
    ///
    /// A record without a timestamp gets the server's.
    ///
    /// - Throws: ``Faults/ErrorCode/overloaded`` when the queue is full; ``waitForRoom()`` then
    ///   waits. ``Faults/ErrorCode/batchTooLarge`` for a record over the limit.
    public func append(_ record: Record) throws(Fault) -> PendingRecord {
        var record = record
        if record.timestamp == .none { record.timestamp = host.clock.now }
        let size = record.encodedSizeMax
        let batchSizeMax = batchSizeMax
        guard size + BatchHeader.size <= batchSizeMax else {
            throw Fault(
                .batchTooLarge,
                "the record takes \(size + BatchHeader.size) bytes, the limit is \(batchSizeMax)")
        }
        let result = inbox.withLock { inbox -> Result<PendingRecord, Fault> in
            if let refusal = self.refusal(inbox, size: size) { return .failure(refusal) }
            let pending = inbox.add(record, size: size, batchSizeMax: batchSizeMax)
            announce(&inbox)
            return .success(pending)
        }
        return try result.get()
    }

    /// Waits until there is room in the partition's queue again.
    ///
    /// - Parameter bytes: What is to be appended next; others may take the room first.
    public func waitForRoom(for bytes: Int = 0) async throws(Fault) {
        let waiter = Waiter()
        let mustWait = inbox.withLock { inbox -> Bool in
            let isFull =
                inbox.byteCount > host.queueBytesMax / 2
                || inbox.byteCount + bytes > host.queueBytesMax
            // What waits for an empty queue always fits it.
            guard inbox.refusal == nil, inbox.byteCount > 0, isFull else { return false }
            inbox.roomWaiters.append { waiter.wake(.success(())) }
            return true
        }
        if mustWait { try await waiter.wait() }
    }

    private func refusal(_ inbox: borrowing Inbox, size: Int) -> Fault? {
        if let refusal = inbox.refusal { return refusal }
        if let refusal = host.refusal { return refusal }
        // A single batch always fits an empty queue.
        guard inbox.byteCount == 0 || inbox.byteCount + size <= host.queueBytesMax else {
            return Fault(
                .overloaded,
                "the queue of \(name) is full: \(inbox.byteCount) bytes wait for the disk")
        }
        return nil
    }

    private func announce(_ inbox: inout Inbox) {
        guard !inbox.isAnnounced else { return }
        inbox.isAnnounced = true
        host.announce(self)
    }

    // MARK: Reading

    /// The most that is read on the caller's own thread: some tens of microseconds of copying.
    static let cachedReadMax = 256 << 10

    /// Reads whole batches from the one that holds `offset` on, up to the high watermark.
    ///
    /// - Parameters:
    ///   - bytesMax: About how much; the first batch comes whole even if it is larger.
    /// - Returns: No batches if `offset` is the high watermark.
    /// - Throws: ``Faults/ErrorCode/offsetOutOfRange`` outside of the log,
    ///   ``Faults/ErrorCode/dataLoss`` for damaged records.
    public func read(from offset: Offset, bytesMax: Int) async throws(Fault) -> FetchedBatches {
        let snapshot = try snapshot()
        let verifying = host.verifiesReads
        let name = name
        do throws(LogError) {
            // A reader near the tail finds its bytes in memory, and is spared two changes of thread.
            let cached = try snapshot.readCached(
                from: offset, bytesMax: min(bytesMax, Self.cachedReadMax), verifying: verifying)
            if let cached { return cached }
        } catch {
            throw Fault(error, of: name)
        }
        let result = try await host.readers.run { () throws(Fault) in
            do throws(LogError) {
                return try snapshot.read(
                    from: offset, bytesMax: bytesMax, verifying: verifying)
            } catch {
                throw Fault(error, of: name)
            }
        }
        if let damaged = result.damagedIndex { onDamagedIndex(self, damaged) }
        return result.batches
    }

    /// Returns once the high watermark is beyond `offset`; without polling.
    ///
    /// - Throws: ``Faults/ErrorCode/cancelled`` when the task is cancelled;
    ///   ``Faults/ErrorCode/shuttingDown`` or ``Faults/ErrorCode/topicNotFound`` when the partition
    ///   goes away.
    public func waitForRecords(beyond offset: Offset) async throws(Fault) {
        let waiter = Waiter()
        if try register(waiter, beyond: offset) { try await waiter.wait() }
    }

    /// Has a waiter woken once the high watermark is beyond `offset`.
    ///
    /// - Returns: Whether it has to wait; if not it is beyond already, and the waiter is not kept.
    func register(_ waiter: any RecordsWaiter, beyond offset: Offset) throws(Fault) -> Bool {
        let result = published.withLock { published -> Result<Bool, Fault> in
            if let refusal = published.refusal { return .failure(refusal) }
            guard let snapshot = published.snapshot, snapshot.highWatermark <= offset else {
                return .success(false)
            }
            // Those who were cancelled meanwhile make room for those who come.
            if published.waiters.count >= 64, published.waiters.count.nonzeroBitCount == 1 {
                published.waiters.removeAll { $0.waiter.isDone }
            }
            published.waiters.append((offset, waiter))
            return .success(true)
        }
        return try result.get()
    }

    /// Finds an offset.
    public func find(_ query: OffsetQuery) async throws(Fault) -> FoundOffset {
        let snapshot = try snapshot()
        var found = FoundOffset(
            offset: snapshot.highWatermark, timestamp: nil,
            logStartOffset: snapshot.logStartOffset, highWatermark: snapshot.highWatermark)
        switch query {
        case .earliest: found.offset = snapshot.logStartOffset
        case .latest: break
        case .offset(let offset):
            guard offset >= snapshot.logStartOffset, offset <= snapshot.highWatermark else {
                throw Fault(
                    LogError.offsetOutOfRange(
                        offset,
                        valid: snapshot.logStartOffset.rawValue..<snapshot.highWatermark.rawValue),
                    of: name)
            }
            found.offset = offset
        case .last(let count):
            let (back, overflow) = snapshot.highWatermark.rawValue
                .subtractingReportingOverflow(max(0, count))
            found.offset = max(snapshot.logStartOffset, overflow ? .zero : Offset(back))
        case .timestamp(let timestamp):
            let name = name
            let limit = batchSizeMax * BatchContent.inflationMax
            let record = try await host.readers.run { () throws(Fault) in
                do throws(LogError) {
                    return try snapshot.firstRecord(
                        atOrAfter: timestamp, inflatedSizeMax: limit
                    ).map { FoundRecord(offset: $0.offset, timestamp: $0.timestamp) }
                } catch {
                    throw Fault(error, of: name)
                }
            }
            if let record {
                found.offset = record.offset
                found.timestamp = record.timestamp
            }
        }
        return found
    }

    private struct FoundRecord: Sendable {
        var offset: Offset
        var timestamp: Timestamp
    }

    /// Moves the log start offset up, so that the records before it are gone.
    ///
    /// - Parameter offset: The new log start offset; `nil` for the high watermark.
    /// - Returns: The log start offset now.
    public func deleteRecords(before offset: Offset?) async throws(Fault) -> Offset {
        try await host.deleteRecords(of: self, before: offset)
    }

    /// Bounds, size and state.
    public func describe() async -> PartitionDescription {
        published.withLock { published in
            PartitionDescription(
                number: number, logStartOffset: published.snapshot?.logStartOffset ?? .zero,
                highWatermark: published.snapshot?.highWatermark ?? .zero,
                sizeBytes: published.snapshot?.size ?? 0,
                segmentCount: published.snapshot?.segmentCount ?? 0,
                state: published.state.rawValue,
                damaged: ((published.snapshot?.damages ?? []) + published.found).map(\.offsets))
        }
    }

    func snapshot() throws(Fault) -> LogSnapshot {
        let result = published.withLock { published -> Result<LogSnapshot, Fault> in
            if let snapshot = published.snapshot { return .success(snapshot) }
            return .failure(
                published.refusal ?? Fault(.internalError, "\(name) has nothing published"))
        }
        return try result.get()
    }
}

// MARK: - What the log thread calls

extension Partition {
    /// Shows readers a new snapshot, and wakes those who waited for what it brings.
    func publish(_ snapshot: LogSnapshot, state: PartitionState) {
        let woken = published.withLock { published -> [any RecordsWaiter] in
            precondition(
                snapshot.highWatermark >= published.snapshot?.highWatermark ?? .zero,
                "the high watermark fell")
            published.snapshot = snapshot
            published.state = state
            guard !published.waiters.isEmpty else { return [] }
            var woken: [any RecordsWaiter] = []
            published.waiters.removeAll { entry in
                guard entry.offset < snapshot.highWatermark else { return false }
                woken.append(entry.waiter)
                return true
            }
            return woken
        }
        for waiter in woken { waiter.wake(.success(())) }
    }

    /// Remembers damage that was found while the log is open, for those who ask.
    func note(_ damage: Damage) {
        published.withLock { published in
            guard !published.found.contains(damage), published.found.count < 1000 else { return }
            published.found.append(damage)
        }
    }

    /// Refuses all appends from now on, and wakes those who wait for room.
    func refuseAppends(_ fault: Fault) {
        let waiters = inbox.withLock { inbox in
            inbox.refusal = inbox.refusal ?? fault
            return inbox.release(0)
        }
        for waiter in waiters { waiter() }
    }

    /// Ends all waiting, and reads too unless the last snapshot is to stay readable.
    func withdraw(_ fault: Fault, state: PartitionState, keepingSnapshot: Bool = false) {
        refuseAppends(fault)
        let woken = published.withLock { published -> [any RecordsWaiter] in
            published.refusal = published.refusal ?? fault
            published.state = state
            if !keepingSnapshot { published.snapshot = nil }
            defer { published.waiters = [] }
            return published.waiters.map(\.waiter)
        }
        for waiter in woken { waiter.wake(.failure(fault)) }
    }
}

/// What a partition can do.
enum PartitionState: String, Sendable {
    case online
    case readOnly = "read-only"
    case failed
}

extension Record {
    /// The most bytes that the record takes in a batch.
    var encodedSizeMax: Int {
        var size = 40 + (key?.count ?? 0) + (value?.count ?? 0)
        for header in headers {
            size += 10 + header.name.utf8.count + (header.value?.count ?? 0)
        }
        return size
    }
}
