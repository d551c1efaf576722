// SPDX-License-Identifier: Apache-2.0

internal import Records
internal import Synchronization

/// What moves a producer's batches: one lock around an ``Accumulator``, and three tasks.
///
/// - The *callers* add records, and park when the window is full.
/// - The *ticker* seals batches that have lingered for long enough.
/// - The *stream* writes what is ready and takes the answers, over one connection after another.
///
/// The lock is held for some hundred nanoseconds and never over an await.
final class ProducerEngine: Sendable {
    let topic: String
    let options: ProducerOptions
    let client: CordwoodClient
    let state: Mutex<State>
    /// Rung when a batch may be ready.
    let writerBell = Doorbell()
    /// Rung when the first batch was opened.
    let tickerBell = Doorbell()

    struct State {
        var accumulator: Accumulator
        /// The first failure of a record that nobody watches.
        var failure: CordwoodError?
        /// Why no more records are taken.
        var closed: CordwoodError?
        /// Callers that wait for room, by ticket.
        var parked: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextTicket: UInt64 = 0
        /// When the server last did something for us.
        var lastProgress = ContinuousClock.now
    }

    init(topic: String, partitionCount: Int, options: ProducerOptions, client: CordwoodClient) {
        self.topic = topic
        self.options = options
        self.client = client
        state = Mutex(
            State(accumulator: Accumulator(partitionCount: partitionCount, options: options)))
    }

    // MARK: - Callers

    /// Adds a record, once there is room for it.
    func add(
        _ record: Record, to partition: Int?, isWatched: Bool
    ) async throws(CordwoodError) -> Accumulator.Added {
        var record = record
        if record.timestamp == .none { record.timestamp = .now() }
        let size = record.sizeInBatch
        while true {
            if let added = try addNow(record, size: size, to: partition, isWatched: isWatched) {
                return added
            }
            await waitForRoom(size)
            if Task.isCancelled { throw CordwoodError(.cancelled, "sending was cancelled") }
        }
    }

    /// Adds a record if there is room.
    private func addNow(
        _ record: Record, size: Int, to partition: Int?, isWatched: Bool
    ) throws(CordwoodError) -> Accumulator.Added? {
        let now = ContinuousClock.now
        let result = state.withLock { state -> Result<Accumulator.Added?, CordwoodError> in
            if let closed = state.closed { return .failure(closed) }
            if !isWatched, let failure = state.failure { return .failure(failure) }
            if let partition, !(0..<state.accumulator.partitionCount).contains(partition) {
                return .failure(noPartition(partition, count: state.accumulator.partitionCount))
            }
            guard state.accumulator.hasRoom(for: size) else { return .success(nil) }
            if state.accumulator.isEmpty { state.lastProgress = now }
            return .success(
                state.accumulator.add(record, to: partition, isWatched: isWatched, now: now))
        }
        guard let added = try result.get() else { return nil }
        if added.opensBatch {
            // The batch before may be full now, and this one has a deadline.
            writerBell.ring()
            tickerBell.ring()
        }
        return added
    }

    private func noPartition(_ partition: Int, count: Int) -> CordwoodError {
        CordwoodError(
            .partitionNotFound, "topic \"\(topic)\" has no partition \(partition), it has \(count)")
    }

    /// Waits until there may be room, or the task is cancelled.
    private func waitForRoom(_ size: Int) async {
        let ticket = state.withLock { state -> UInt64 in
            defer { state.nextTicket += 1 }
            return state.nextTicket
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isFree = state.withLock { state -> Bool in
                    if Task.isCancelled || state.closed != nil { return true }
                    if state.accumulator.hasRoom(for: size) { return true }
                    state.parked[ticket] = waiter
                    return false
                }
                if isFree { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.parked.removeValue(forKey: ticket) }?.resume()
        }
    }

    /// Sends what waits, and returns once everything added so far was answered.
    func flush() async throws(CordwoodError) {
        let outcomes = state.withLock { state in
            state.accumulator.sealAll()
            return state.accumulator.pendingOutcomes
        }
        writerBell.ring()
        for outcome in outcomes where outcome.resolution == nil {
            do {
                _ = try await outcome.baseOffset()
            } catch {
                // Failures of unwatched records are kept in `failure`; those of watched ones are
                // their watchers' business. Only our own cancellation ends the wait.
                if Task.isCancelled { throw error }
            }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
