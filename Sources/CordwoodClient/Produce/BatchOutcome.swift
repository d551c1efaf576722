// SPDX-License-Identifier: Apache-2.0

internal import Records
internal import Synchronization

/// A record on its way to the server, and what became of it.
public struct Delivery: Sendable {
    let outcome: BatchOutcome
    let topic: String
    let partition: Int
    /// The record's place in its batch.
    let offsetDelta: Int

    /// Waits until the record is as durable as its topic says.
    ///
    /// - Throws: Why the record was not appended; ``CordwoodError/Code/cancelled`` when the task
    ///   that waits is cancelled, and the record goes its way all the same.
    public var metadata: RecordMetadata {
        get async throws(CordwoodError) {
            let baseOffset = try await outcome.baseOffset()
            return RecordMetadata(
                topic: topic, partition: partition, offset: baseOffset.advanced(by: offsetDelta))
        }
    }
}

/// What became of one batch: shared by the producer, which resolves it once, and the deliveries of
/// its records, which wait for it.
final class BatchOutcome: Sendable {
    typealias Resolution = Result<Offset, CordwoodError>

    private enum State {
        case pending(waiters: [Int: CheckedContinuation<Resolution, Never>], nextID: Int)
        case resolved(Resolution)
    }

    private let state = Mutex(State.pending(waiters: [:], nextID: 0))

    /// Says what became of the batch; only the first word counts.
    func resolve(_ resolution: Resolution) {
        let waiters = state.withLock { state -> [Int: CheckedContinuation<Resolution, Never>] in
            guard case .pending(let waiters, _) = state else { return [:] }
            state = .resolved(resolution)
            return waiters
        }
        for waiter in waiters.values { waiter.resume(returning: resolution) }
    }

    /// Waits for the offset of the batch's first record.
    func baseOffset() async throws(CordwoodError) -> Offset {
        if let resolution = resolution { return try resolution.get() }
        let id = state.withLock { state -> Int in
            guard case .pending(let waiters, let id) = state else { return 0 }
            state = .pending(waiters: waiters, nextID: id + 1)
            return id
        }
        let resolution = await withTaskCancellationHandler {
            await withCheckedContinuation { park($0, id: id) }
        } onCancel: {
            cancelWaiter(id)
        }
        return try resolution.get()
    }

    /// The outcome, if there is one yet.
    var resolution: Resolution? {
        state.withLock { state in
            guard case .resolved(let resolution) = state else { return nil }
            return resolution
        }
    }

    private func park(_ waiter: CheckedContinuation<Resolution, Never>, id: Int) {
        let resolution = state.withLock { state -> Resolution? in
            switch state {
            case .resolved(let resolution):
                return resolution
            case .pending(var waiters, let nextID):
                // The task may have been cancelled before it came here.
                if Task.isCancelled { return .failure(Self.cancelled) }
                waiters[id] = waiter
                state = .pending(waiters: waiters, nextID: nextID)
                return nil
            }
        }
        if let resolution { waiter.resume(returning: resolution) }
    }

    private func cancelWaiter(_ id: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Resolution, Never>? in
            guard case .pending(var waiters, let nextID) = state else { return nil }
            let waiter = waiters.removeValue(forKey: id)
            state = .pending(waiters: waiters, nextID: nextID)
            return waiter
        }
        waiter?.resume(returning: .failure(Self.cancelled))
    }

    private static let cancelled = CordwoodError(
        .cancelled, "the wait for a record was cancelled")
}
