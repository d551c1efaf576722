// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import LogAPI
internal import Records
internal import Synchronization

/// A batch of ProduceStream on its way: a storage thread completes it, the stream's writer waits.
final class PendingBatch: PendingAnswer {
    private struct State {
        var result: Result<Appended, Fault>?
        var waiter: CheckedContinuation<Result<Appended, Fault>, Never>?
    }

    private let state = Mutex(State())
    let bytes: Int

    /// A batch that takes this much of the window.
    init(bytes: Int) {
        self.bytes = bytes
    }

    /// Why the batch failed, if that is known already.
    var failure: Fault? {
        state.withLock { state in
            guard case .failure(let fault) = state.result else { return nil }
            return fault
        }
    }

    /// Says what became of the batch, once.
    func complete(_ result: Result<Appended, Fault>) {
        let waiter = state.withLock { state in
            state.result = result
            return state.waiter.take()
        }
        waiter?.resume(returning: result)
    }

    func answerNow() -> Cordwood_V1_ProduceStreamResponse? {
        state.withLock { $0.result }.map(Self.answer)
    }

    func answer() async -> Cordwood_V1_ProduceStreamResponse {
        // Not cancellable: storage completes each batch, whatever becomes of the stream.
        let result = await withCheckedContinuation { continuation in
            let result = state.withLock { state in
                if state.result == nil { state.waiter = continuation }
                return state.result
            }
            if let result { continuation.resume(returning: result) }
        }
        return Self.answer(result)
    }

    private static func answer(
        _ result: Result<Appended, Fault>
    ) -> Cordwood_V1_ProduceStreamResponse {
        var response = Cordwood_V1_ProduceStreamResponse()
        switch result {
        case .success(let appended):
            response.baseOffset = appended.baseOffset.rawValue
            response.recordCount = Int32(clamping: appended.recordCount)
        case .failure(let fault):
            response.baseOffset = -1
            response.error = fault.errorMessage
        }
        return response
    }
}
