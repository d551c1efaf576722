// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Counts what one stream has asked for and not yet been answered, and holds its reader back when
/// that is too much.
final class Window: Sendable {
    private struct State {
        var count = 0
        var bytes = 0
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let countMax: Int
    private let bytesMax: Int

    /// An empty window.
    init(countMax: Int, bytesMax: Int) {
        self.countMax = countMax
        self.bytesMax = bytesMax
    }

    /// Counts one more request.
    ///
    /// - Returns: Whether there is room for another; if not, ``waitForRoom()``.
    func add(bytes: Int) -> Bool {
        state.withLock { state in
            state.count += 1
            state.bytes += bytes
            return hasRoom(state)
        }
    }

    /// Takes answered requests out.
    func remove(count: Int, bytes: Int) {
        let waiter = state.withLock { state in
            state.count -= count
            state.bytes -= bytes
            return hasRoom(state) ? state.waiter.take() : nil
        }
        waiter?.resume()
    }

    /// Returns once there is room, or when the task is cancelled.
    func waitForRoom() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if hasRoom(state) || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume()
        }
    }

    private func hasRoom(_ state: State) -> Bool {
        state.count < countMax && state.bytes < bytesMax
    }
}
