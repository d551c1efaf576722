// SPDX-License-Identifier: Apache-2.0

public import Faults
public import Records
internal import Synchronization

/// What an append did.
public struct Appended: Sendable, Equatable {
    /// The first record's offset.
    public var baseOffset: Offset
    public var recordCount: Int
    /// The term under which the batch was appended.
    public var term: Term
    /// The server's clock at the append.
    public var appendTime: Timestamp
    /// An idempotent producer had sent the batch before, and it was not appended again.
    public var isDuplicate: Bool

    /// A result with these values.
    public init(
        baseOffset: Offset, recordCount: Int, term: Term, appendTime: Timestamp,
        isDuplicate: Bool = false
    ) {
        self.isDuplicate = isDuplicate
        self.baseOffset = baseOffset
        self.recordCount = recordCount
        self.term = term
        self.appendTime = appendTime
    }
}

/// A batch on its way to the disk, and those who wait for it.
///
/// Completed once, by the log thread.
final class PendingBatch: Sendable {
    typealias Outcome = Result<Appended, Fault>
    typealias Completion = @Sendable (Outcome) -> Void

    private enum State {
        case waiting([Completion])
        case done(Outcome)
    }

    private let state: Mutex<State>

    init() {
        state = Mutex(.waiting([]))
    }

    init(_ completion: @escaping Completion) {
        state = Mutex(.waiting([completion]))
    }

    /// The outcome if there is one.
    var outcome: Outcome? {
        state.withLock { state in
            if case .done(let outcome) = state { outcome } else { nil }
        }
    }

    /// Tells the outcome to all who wait, on the calling thread.
    func complete(_ outcome: Outcome) {
        let completions = state.withLock { state -> [Completion] in
            guard case .waiting(let completions) = state else {
                preconditionFailure("a batch is completed once")
            }
            state = .done(outcome)
            return completions
        }
        for completion in completions { completion(outcome) }
    }

    /// Calls back with the outcome: at once if there is one.
    func onCompletion(_ completion: @escaping Completion) {
        let outcome = state.withLock { state -> Outcome? in
            switch state {
            case .done(let outcome): return outcome
            case .waiting(var completions):
                state = .waiting([])
                completions.append(completion)
                state = .waiting(completions)
                return nil
            }
        }
        if let outcome { completion(outcome) }
    }

    /// Waits for the outcome.
    var value: Appended {
        get async throws(Fault) {
            if let outcome { return try outcome.get() }
            let outcome = await withUnsafeContinuation {
                (continuation: UnsafeContinuation<Outcome, Never>) in
                onCompletion { continuation.resume(returning: $0) }
            }
            return try outcome.get()
        }
    }
}

/// A record on its way: its batch is shared with others.
public struct PendingRecord: Sendable {
    let batch: PendingBatch
    /// The record's place in its batch: its offset is the batch's base offset and this.
    public let offsetDelta: Int

    /// Waits for the record's offset, until it is as durable as the topic says.
    public var offset: Offset {
        get async throws(Fault) {
            try await batch.value.baseOffset.advanced(by: offsetDelta)
        }
    }

    /// The batch's outcome if it is known already, without waiting.
    public var completed: Result<Appended, Fault>? { batch.outcome }

    /// Calls back with the batch's outcome: at once if it is known, else on a storage thread.
    public func onCompletion(
        _ completion: @escaping @Sendable (Result<Appended, Fault>) -> Void
    ) {
        batch.onCompletion(completion)
    }
}
