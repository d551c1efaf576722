// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Wakes tasks that wait for something to do.
///
/// A ring while nobody waits is remembered, once. A woken task looks whether there is something to do, and waits again if not: rings may come
/// for nothing.
final class Doorbell: Sendable {
    private enum State {
        case quiet
        case rung
        case waiting([CheckedContinuation<Void, Never>])
    }

    private let state = Mutex(State.quiet)

    /// Wakes all who wait, or lets the next wait return at once.
    func ring() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard case .waiting(let waiters) = state else {
                state = .rung
                return []
            }
            state = .quiet
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for a ring; returns at once when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                if !park(waiter) { waiter.resume() }
            }
        } onCancel: {
            ring()
        }
    }

    /// Keeps a waiter for the next ring, unless there is nothing to wait for.
    private func park(_ waiter: CheckedContinuation<Void, Never>) -> Bool {
        state.withLock { state in
            switch state {
            case .rung:
                state = .quiet
                return false
            case .quiet where !Task.isCancelled:
                state = .waiting([waiter])
                return true
            case .waiting(let others) where !Task.isCancelled:
                state = .waiting(others + [waiter])
                return true
            case .quiet, .waiting:
                return false
            }
        }
    }
}
