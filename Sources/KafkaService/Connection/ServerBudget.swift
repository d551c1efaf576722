// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Counts the bytes that are under way for all connections, and holds back those who would add more.
///
/// What is under way is never refused for it: a connection over the limit is just not read from.
final class ServerBudget: Sendable {
    private struct State {
        var bytes = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// How many bytes more may be under way.
    var bytesLeft: Int { state.withLock { max(0, bytesMax - $0.bytes) } }

    func take(_ bytes: Int) { state.withLock { $0.bytes += bytes } }

    /// Takes as many bytes as there is room for, but never less than `least`, and no more than `most`.
    func take(upTo most: Int, atLeast least: Int) -> Int {
        state.withLock { state in
            let taken = min(most, max(least, bytesMax - state.bytes))
            state.bytes += taken
            return taken
        }
    }

    /// Gives bytes back, and lets those go on who were held, once half is free again.
    func giveBack(_ bytes: Int) {
        let woken = state.withLock { state -> [@Sendable () -> Void] in
            state.bytes -= bytes
            precondition(state.bytes >= 0, "gave back more than was taken")
            guard state.bytes <= bytesMax / 2, !state.waiting.isEmpty else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for callback in woken { callback() }
    }

    /// Takes bytes for what is about to come, if there is room; if not, calls back once there may be.
    ///
    /// While half is free there is room for anything, or what is larger would wait for ever.
    func take(foreseen bytes: Int, orCallBack callback: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard state.bytes > bytesMax / 2, state.bytes + bytes > bytesMax else {
                state.bytes += bytes
                return true
            }
            state.waiting.append(callback)
            return false
        }
    }
}
