// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import SerfCore
internal import Synchronization

/// The events that one listener has not read: at most a number of them, the oldest are given up.
///
/// Owner: the lock; the listener is woken outside of it.
final class EventInbox: Sendable {
    private typealias Waiter = CheckedContinuation<SerfNodeEvent?, Never>

    private struct State {
        var events = CircularBuffer<SerfEvent>()
        /// How many were given up that stood before the first of `events`.
        var missed = 0
        var waiter: Waiter?
        var isFinished = false

        mutating func next() -> SerfNodeEvent? {
            if missed > 0 {
                defer { missed = 0 }
                return .missed(missed)
            }
            return events.popFirst().map(SerfNodeEvent.event)
        }
    }

    private let state = Mutex(State())
    private let eventsMax: Int

    init(eventsMax: Int) { self.eventsMax = eventsMax }

    func put(_ event: SerfEvent) {
        let waiter: Waiter? = state.withLock { state in
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            if state.events.count == eventsMax {
                state.events.removeFirst()
                state.missed += 1
            }
            state.events.append(event)
            return nil
        }
        waiter?.resume(returning: .event(event))
    }

    func finish() {
        let waiter: Waiter? = state.withLock { state in
            state.isFinished = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    /// The next event; `nil` when no more come, or the task is cancelled.
    func next() async -> SerfNodeEvent? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: Waiter) in
                let answer: SerfNodeEvent?? = state.withLock { state in
                    precondition(state.waiter == nil, "one task at a time waits for events")
                    if let event = state.next() { return .some(event) }
                    if state.isFinished || Task.isCancelled { return .some(nil) }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter: Waiter? = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: nil)
        }
    }
}
