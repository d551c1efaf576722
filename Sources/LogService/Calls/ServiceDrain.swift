// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The switch that ends a node's streams before its gRPC server stops.
///
/// Once on: consumers end with UNAVAILABLE at once, producers after the answers to what the server
/// has read from them, health says NOT_SERVING, and new streams are refused.
public final class ServiceDrain: Sendable {
    private struct State {
        var hasBegun = false
        var nextID: UInt64 = 0
        var handlers: [UInt64: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    init() {}

    /// Whether the server is stopping.
    public var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// How many streams would be ended.
    var handlerCount: Int { state.withLock { $0.handlers.count } }

    /// Ends the streams.
    ///
    /// Returns at once; more calls do nothing.
    public func begin() {
        let handlers = state.withLock { state in
            state.hasBegun = true
            defer { state.handlers = [:] }
            return state.handlers
        }
        // Each ends a stream of its own, so their order does not matter.
        for handler in handlers.values { handler() }
    }

    /// Calls a handler once when the drain begins, or at once if it has.
    ///
    /// - Returns: What ``remove(_:)`` takes.
    func add(_ handler: @escaping @Sendable () -> Void) -> UInt64? {
        let id: UInt64? = state.withLock { state in
            guard !state.hasBegun else { return nil }
            state.nextID += 1
            state.handlers[state.nextID] = handler
            return state.nextID
        }
        if id == nil { handler() }
        return id
    }

    /// Forgets a handler.
    func remove(_ id: UInt64?) {
        guard let id else { return }
        state.withLock { _ = $0.handlers.removeValue(forKey: id) }
    }
}
