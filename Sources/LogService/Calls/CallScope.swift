// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import GRPCCore
internal import Synchronization

/// Runs the waiting parts of a call so that they end when the call does.
///
/// gRPC tells a handler of a cancelled call by a handle, and does not cancel the handler's task;
/// a wait in the broker ends when its task is cancelled. This joins the two, and the drain.
struct CallScope: Sendable {
    private let drain: ServiceDrain
    /// When the caller stops waiting.
    private let deadline: ContinuousClock.Instant?

    /// The scope of a call.
    init(drain: ServiceDrain, metadata: Metadata) {
        self.drain = drain
        deadline = metadata.timeout.map { ContinuousClock.now + $0 }
    }

    /// Runs a part of the call in a task of its own, and cancels that when the call ends early.
    ///
    /// - Throws: What the part throws; ``ErrorCode/shuttingDown``, ``ErrorCode/deadlineExceeded`` or
    ///   ``ErrorCode/cancelled`` when the call ended early.
    func run<Value: Sendable>(
        _ part: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let end = CallEnd()
        let registration = drain.add { end.signal(.draining) }
        defer { drain.remove(registration) }
        return try await withRPCCancellationHandler {
            try await withThrowingTaskGroup(of: Outcome<Value>.self) { group in
                group.addTask { .finished(try await part()) }
                group.addTask { .ended(await end.wait()) }
                defer { group.cancelAll() }
                do {
                    switch try await group.next() {
                    case .finished(let value): return value
                    case .ended(let reason): throw fault(for: reason ?? .cancelled)
                    case nil: throw Fault(.internalError, "a call ended without an outcome")
                    }
                } catch  where error is CancellationError || (error as? Fault)?.code == .cancelled {
                    throw fault(for: end.reason ?? .cancelled)
                }
            }
        } onCancelRPC: {
            end.signal(.cancelled)
        }
    }

    private func fault(for reason: CallEnd.Reason) -> Fault {
        if reason == .draining || drain.hasBegun { return .draining }
        // The timer that cancels the call started a moment before the deadline was noted here.
        if let deadline, deadline - .now < .milliseconds(5) {
            return Fault(.deadlineExceeded, "the call's deadline has passed")
        }
        return Fault(.cancelled, "the caller cancelled the call")
    }

    private enum Outcome<Value: Sendable>: Sendable {
        case finished(Value)
        case ended(CallEnd.Reason?)
    }
}

extension Fault {
    /// What a call gets while the server stops.
    static var draining: Fault { Fault(.shuttingDown, "the server is stopping") }
}

/// A signal that is given once, from any thread, and that one task waits for.
final class CallEnd: Sendable {
    enum Reason: Sendable, Equatable {
        case cancelled
        case draining
    }

    private struct State {
        var reason: Reason?
        var isAbandoned = false
        var waiter: CheckedContinuation<Reason?, Never>?
    }

    private let state = Mutex(State())

    /// Why the call ended, once it has.
    var reason: Reason? { state.withLock { $0.reason } }

    /// Gives the signal; the first one counts.
    func signal(_ reason: Reason) {
        let waiter = state.withLock { state in
            guard state.reason == nil else { return CheckedContinuation<Reason?, Never>?.none }
            state.reason = reason
            return state.waiter.take()
        }
        waiter?.resume(returning: reason)
    }

    /// Waits for the signal; `nil` when the task is cancelled first.
    func wait() async -> Reason? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let immediate: Reason?? = state.withLock { state in
                    if let reason = state.reason { return .some(reason) }
                    if state.isAbandoned { return .some(nil) }
                    state.waiter = continuation
                    return nil
                }
                if let immediate { continuation.resume(returning: immediate) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.isAbandoned = true
                return state.waiter.take()
            }
            waiter?.resume(returning: nil)
        }
    }
}

extension Metadata {
    /// The caller's `grpc-timeout`: up to eight digits and a unit.
    var timeout: Duration? {
        guard let text = self[stringValues: "grpc-timeout"].first(where: { _ in true }),
            text.utf8.count <= 9, let unit = text.last, let count = Int64(text.dropLast()),
            count >= 0
        else { return nil }
        switch unit {
        case "H": return .seconds(count * 3600)
        case "M": return .seconds(count * 60)
        case "S": return .seconds(count)
        case "m": return .milliseconds(count)
        case "u": return .microseconds(count)
        case "n": return .nanoseconds(count)
        default: return nil
        }
    }
}
