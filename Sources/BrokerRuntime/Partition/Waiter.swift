// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import Synchronization

/// Who waits for records: a task, or a call that is carried on by callbacks.
protocol RecordsWaiter: Sendable {
    /// Whether it need not be woken any more.
    var isDone: Bool { get }
    /// Wakes it; only the first call counts.
    func wake(_ result: Result<Void, Fault>)
}

/// A task that waits for one event, or for its own cancellation.
final class Waiter: RecordsWaiter {
    private enum State {
        case idle
        case waiting(UnsafeContinuation<Result<Void, Fault>, Never>)
        case done(Result<Void, Fault>)
    }

    private let state = Mutex(State.idle)

    /// Wakes the task, now or as soon as it waits.
    ///
    /// Only the first call counts.
    func wake(_ result: Result<Void, Fault>) {
        let continuation = state.withLock {
            state -> UnsafeContinuation<Result<Void, Fault>, Never>? in
            switch state {
            case .idle:
                state = .done(result)
                return nil
            case .waiting(let continuation):
                state = .done(result)
                return continuation
            case .done:
                return nil
            }
        }
        continuation?.resume(returning: result)
    }

    /// Whether the task need not be woken any more.
    var isDone: Bool {
        state.withLock { state in
            if case .done = state { true } else { false }
        }
    }

    /// Waits.
    ///
    /// Called once.
    func wait() async throws(Fault) {
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation {
                (continuation: UnsafeContinuation<Result<Void, Fault>, Never>) in
                let result = state.withLock { state -> Result<Void, Fault>? in
                    guard case .done(let result) = state else {
                        state = .waiting(continuation)
                        return nil
                    }
                    return result
                }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            wake(.failure(Fault(.cancelled, "the call was cancelled")))
        }
        try result.get()
    }
}
