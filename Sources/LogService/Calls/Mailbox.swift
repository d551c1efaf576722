// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Takes elements from any thread and hands all of them to one reader, in order.
///
/// The reader waits only when there is nothing, so under load one wake-up serves many elements.
/// It has no limit of its own: whoever sends keeps to one, such as a ``Window``.
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isFinished = false
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Adds an element.
    func send(_ element: Element) {
        let reader = state.withLock { state in
            state.elements.append(element)
            return state.reader.take()
        }
        reader?.resume()
    }

    /// Says that no more elements come.
    func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            return state.reader.take()
        }
        reader?.resume()
    }

    /// What is there, without waiting.
    func takeAll() -> [Element] {
        state.withLock { state in
            let taken = state.elements
            state.elements = []
            return taken
        }
    }

    /// Waits until something is there and takes all of it.
    ///
    /// - Returns: `nil` at the end, or when the task is cancelled while there is nothing.
    func next() async -> [Element]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    guard state.elements.isEmpty, !state.isFinished, !Task.isCancelled else {
                        return true
                    }
                    state.reader = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume()
        }
        let taken = takeAll()
        return taken.isEmpty ? nil : taken
    }
}
