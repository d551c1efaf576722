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

    /// Whether there is room; if not, calls back once there is.
    func hasRoom(orCallBack callback: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard state.bytes > bytesMax else { return true }
            state.waiting.append(callback)
            return false
        }
    }
}
