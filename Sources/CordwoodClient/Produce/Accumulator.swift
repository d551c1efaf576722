// SPDX-License-Identifier: Apache-2.0

internal import DequeModule
internal import Records

/// Gathers records into batches and keeps account of them until each is answered.
///
/// ```
///   add ──▶ open (one a partition) ──seal──▶ ready ──take──▶ in flight ──answer──▶ gone
///                                              ▲                │
///                                              └── sent again ──┘
/// ```
///
/// A pure state machine: it reads no clock, waits for nothing and sends nothing. ``Producer``'s
/// engine owns it, behind a lock.
struct Accumulator {
    typealias Instant = ContinuousClock.Instant

    private let linger: Duration
    private let batchBytesMax: Int
    private let windowBytesMax: Int
    private let batchesInFlightMax: Int
    private var open: [OpenBatch?]
    /// The batches in the order in which they were opened.
    ///
    /// Those behind the first may have been sealed since; the first is open.
    private var opened: Deque<(partition: Int, number: UInt64)> = []
    private var nextNumber: UInt64 = 0
    /// By number.
    private var ready: Deque<SealedBatch> = []
    private var inFlight: Deque<SealedBatch> = []
    /// Where records without a key go until its batch is sealed (KIP-480).
    private var stickyPartition: Int?
    private var roundRobin = RoundRobin()
    /// Bytes of all records that are not answered yet.
    private(set) var windowBytes = 0

    init(partitionCount: Int, options: ProducerOptions) {
        precondition(partitionCount > 0, "a topic has partitions, not \(partitionCount)")
        linger = options.linger
        batchBytesMax = options.batchBytesMax
        windowBytesMax = options.windowBytesMax
        batchesInFlightMax = options.batchesInFlightMax
        open = Array(repeating: nil, count: partitionCount)
    }

    var partitionCount: Int { open.count }

    /// Whether a record of such a size may come in: it fits the window, or nothing else is there.
    func hasRoom(for bytes: Int) -> Bool {
        windowBytes == 0 || windowBytes + bytes <= windowBytesMax
    }

    /// Whether no record is waiting or unanswered.
    var isEmpty: Bool { windowBytes == 0 }

    // MARK: - Records come in

    /// Adds a record, for which there is room.
    ///
    /// - Parameters:
    ///   - partition: Where it goes; by key, or in turn, when `nil`.
    ///   - isWatched: Whether somebody waits for this record's own outcome.
    mutating func add(
        _ record: Record, to partition: Int?, isWatched: Bool, now: Instant
    ) -> Added {
        let partition = partition ?? choosePartition(for: record)
        let bytes = record.sizeInBatch
        if let batch = open[partition], batch.builder.size + bytes > batchBytesMax {
            seal(partition)
        }
        let opensBatch = open[partition] == nil
        var batch = open[partition].take() ?? openBatch(in: partition, now: now)
        let before = batch.builder.size
        let offsetDelta = batch.builder.append(record)
        batch.bytes += batch.builder.size - before
        windowBytes += batch.builder.size - before
        if !isWatched { batch.hasUnwatchedRecords = true }
        let added = Added(
            partition: partition, outcome: batch.outcome, offsetDelta: offsetDelta,
            opensBatch: opensBatch)
        let isFull = batch.builder.size >= batchBytesMax
        open[partition] = batch
        if isFull { seal(partition) }
        return added
    }

    /// Where a record went.
    struct Added {
        var partition: Int
        var outcome: BatchOutcome
        var offsetDelta: Int
        /// Whether it is the first of its batch.
        var opensBatch: Bool
    }

    private mutating func choosePartition(for record: Record) -> Int {
        if let key = record.key { return Partitioner.partition(forKey: key, count: open.count) }
        if let stickyPartition { return stickyPartition }
        let partition = roundRobin.partition(of: open.count)
        stickyPartition = partition
        return partition
    }

    private mutating func openBatch(in partition: Int, now: Instant) -> OpenBatch {
        let number = nextNumber
        nextNumber += 1
        opened.append((partition, number))
        return OpenBatch(number: number, deadline: now + linger)
    }

    // MARK: - Batches get ready

    /// When the oldest open batch has waited for long enough; `nil` if none is open.
    var nextDeadline: Instant? { opened.first.flatMap { open[$0.partition]?.deadline } }

    /// Whether a batch can be written now.
    func hasWork(at now: Instant) -> Bool {
        inFlight.count < batchesInFlightMax
            && (!ready.isEmpty || nextDeadline.map { $0 <= now } ?? false)
    }

    private mutating func sealDue(at now: Instant) {
        while let oldest = opened.first, let deadline = nextDeadline, deadline <= now {
            seal(oldest.partition)
        }
    }

    /// Seals all open batches, oldest first.
    mutating func sealAll() {
        while let oldest = opened.first { seal(oldest.partition) }
    }

    private mutating func seal(_ partition: Int) {
        guard var batch = open[partition].take() else { return }
        ready.append(
            SealedBatch(
                number: nextNumber, partition: partition, recordCount: batch.builder.recordCount,
                buffer: batch.builder.finish(nextCapacity: 0), bytes: batch.bytes,
                outcome: batch.outcome, hasUnwatchedRecords: batch.hasUnwatchedRecords))
        nextNumber += 1
        if stickyPartition == partition { stickyPartition = nil }
        while let oldest = opened.first, open[oldest.partition]?.number != oldest.number {
            opened.removeFirst()
        }
    }

    // MARK: - Batches go out and are answered

    /// The batches to write now, in order; they are in flight from here on.
    ///
    /// Open batches that are due go along. While the wire is full they stay open and grow.
    mutating func takeReady(at now: Instant) -> [SealedBatch] {
        guard inFlight.count < batchesInFlightMax else { return [] }
        sealDue(at: now)
        let count = min(ready.count, batchesInFlightMax - inFlight.count)
        let taken = Array(ready.prefix(count))
        ready.removeFirst(count)
        inFlight.append(contentsOf: taken)
        return taken
    }

    /// The oldest batch in flight was answered for good, one way or the other.
    mutating func finishOldest() -> SealedBatch? {
        guard let batch = inFlight.popFirst() else { return nil }
        windowBytes -= batch.bytes
        return batch
    }

    /// The oldest batch in flight, whose answer is awaited.
    var oldestInFlight: SealedBatch? { inFlight.first }

    /// The oldest batch in flight was refused for now, and is to go out again: before all that
    /// are younger, though younger ones that are in flight have overtaken it.
    mutating func retryOldest(refusedSince: Instant) {
        guard var batch = inFlight.popFirst() else { return }
        batch.refusedSince = refusedSince
        let place = ready.firstIndex { $0.number > batch.number } ?? ready.endIndex
        ready.insert(batch, at: place)
    }

    /// The connection is lost, and those in flight are to go out again.
    mutating func retryInFlight() {
        ready.append(contentsOf: inFlight)
        ready.sort { $0.number < $1.number }
        inFlight.removeAll()
    }

    /// Gives up those in flight.
    mutating func abandonInFlight() -> [SealedBatch] {
        let abandoned = Array(inFlight)
        inFlight.removeAll()
        windowBytes -= abandoned.reduce(0) { $0 + $1.bytes }
        return abandoned
    }

    /// Gives up everything.
    mutating func abandonAll() -> [SealedBatch] {
        sealAll()
        let abandoned = Array(inFlight) + Array(ready)
        inFlight.removeAll()
        ready.removeAll()
        windowBytes = 0
        return abandoned
    }

    /// The outcomes of all batches that are not answered yet.
    var pendingOutcomes: [BatchOutcome] {
        inFlight.map(\.outcome) + ready.map(\.outcome) + open.compactMap { $0?.outcome }
    }
}

/// A batch that takes records.
private struct OpenBatch {
    let number: UInt64
    let deadline: Accumulator.Instant
    var builder = BatchBuilder(capacity: 4096)
    let outcome = BatchOutcome()
    var bytes = 0
    var hasUnwatchedRecords = false
}

/// A batch that is complete, and stays until it is answered.
struct SealedBatch: Sendable {
    /// Its place among all batches, in the order in which they were sealed.
    let number: UInt64
    let partition: Int
    let recordCount: Int
    /// The batch, uncompressed; only read from here on.
    let buffer: BatchBuffer
    /// What the batch takes of the window.
    let bytes: Int
    let outcome: BatchOutcome
    /// Whether it holds records whose own outcome nobody waits for.
    let hasUnwatchedRecords: Bool
    /// When the server first refused it for a passing reason.
    var refusedSince: Accumulator.Instant?
}

extension Record {
    /// About how many bytes the record takes in a batch; never less.
    var sizeInBatch: Int {
        let overhead = 36
        var size = overhead + (key?.count ?? 0) + (value?.count ?? 0)
        for header in headers { size += 10 + header.name.utf8.count + (header.value?.count ?? 0) }
        return size
    }
}
