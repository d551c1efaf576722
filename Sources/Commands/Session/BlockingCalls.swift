// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// Makes calls that may block, one after the other, on a thread that no task waits on.
final class BlockingCalls: Sendable {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: "cordwood.\(label)") }

    /// Makes a call and hands back what it returns.
    ///
    /// - Throws: What `body` throws; `CancellationError` as soon as the task is cancelled, and then
    ///   the call ends by itself and what it returns is dropped.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let answer = Answer<Value>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                answer.wait(continuation)
                queue.async { answer.resolve(Result { try body() }) }
            }
        } onCancel: {
            answer.resolve(.failure(CancellationError()))
        }
    }

    /// The answer to one call; only the first word counts.
    private final class Answer<Value: Sendable>: Sendable {
        private struct State {
            var continuation: CheckedContinuation<Value, any Error>?
            var result: Result<Value, any Error>?
        }
        private let state = Mutex(State())

        func wait(_ continuation: CheckedContinuation<Value, any Error>) {
            let result = state.withLock { state in
                if state.result == nil { state.continuation = continuation }
                return state.result
            }
            if let result { continuation.resume(with: result) }
        }

        func resolve(_ result: Result<Value, any Error>) {
            let continuation = state.withLock { state in
                defer { state.continuation = nil }
                if state.result == nil { state.result = result }
                return state.continuation
            }
            continuation?.resume(with: result)
        }
    }
}
