// SPDX-License-Identifier: Apache-2.0

import Faults
import GRPCCore
import Testing

@testable import LogService

@Suite("Scopes of calls")
struct CallScopeTests {
    private let drain = ServiceDrain()

    /// Waits until its task is cancelled, as a consumer at the tail does.
    @Sendable private static func waitForEver() async throws {
        let (endless, source) = AsyncStream<Never>.makeStream()
        for await _ in endless {}
        source.finish()
        throw CancellationError()
    }

    private func ending(
        _ scope: CallScope, _ part: @escaping @Sendable () async throws -> Void
    ) async -> ErrorCode? {
        do {
            try await scope.run(part)
            return nil
        } catch {
            return (error as? Fault)?.code
        }
    }

    @Test("a part that ends gives its value, and leaves no handler behind")
    func finishes() async throws {
        let scope = CallScope(drain: drain, metadata: [:])
        #expect(try await scope.run { 7 } == 7)
        #expect(drain.handlerCount == 0)
    }

    @Test("a waiting part ends with CANCELLED when the caller cancels")
    func cancels() async {
        let scope = CallScope(drain: drain, metadata: [:])
        let code = await withServerContextRPCCancellationHandle { handle async -> ErrorCode? in
            await ending(scope) {
                handle.cancel()
                try await Self.waitForEver()
            }
        }
        #expect(code == .cancelled)
    }

    @Test("a part ends at once when the call was cancelled before it began")
    func cancelledBefore() async {
        let scope = CallScope(drain: drain, metadata: [:])
        let code = await withServerContextRPCCancellationHandle { handle async -> ErrorCode? in
            handle.cancel()
            return await ending(scope) { try await Self.waitForEver() }
        }
        #expect(code == .cancelled)
    }

    @Test("a waiting part ends with UNAVAILABLE when the server drains")
    func drains() async {
        let scope = CallScope(drain: drain, metadata: [:])
        let code = await ending(scope) {
            drain.begin()
            try await Self.waitForEver()
        }
        #expect(code == .shuttingDown)
        #expect(drain.hasBegun)
        #expect(await ending(scope) { try await Self.waitForEver() } == .shuttingDown)
    }

    @Test("a cancellation behind the deadline is DEADLINE_EXCEEDED")
    func deadline() async {
        let scope = CallScope(drain: drain, metadata: ["grpc-timeout": "0m"])
        let code = await withServerContextRPCCancellationHandle { handle async -> ErrorCode? in
            handle.cancel()
            return await ending(scope) { try await Self.waitForEver() }
        }
        #expect(code == .deadlineExceeded)
    }

    @Test("the failure of a part is the failure of the call")
    func fails() async {
        let scope = CallScope(drain: drain, metadata: [:])
        #expect(await ending(scope) { throw Fault(.dataLoss, "x") } == .dataLoss)
    }

    @Test("a part ends when the task around it is cancelled")
    func taskCancelled() async {
        let scope = CallScope(drain: drain, metadata: [:])
        let task = Task { await ending(scope) { try await Self.waitForEver() } }
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    @Test(
        "timeouts are read as gRPC writes them",
        arguments: [
            ("1H", .seconds(3600)), ("2M", .seconds(120)), ("3S", .seconds(3)),
            ("4m", .milliseconds(4)), ("5u", .microseconds(5)),
            ("99999999n", .nanoseconds(99_999_999)),
            ("", nil), ("m", nil), ("-1m", nil), ("1x", nil), ("123456789H", nil),
        ] as [(String, Duration?)])
    func timeouts(text: String, timeout: Duration?) {
        #expect(Metadata([("grpc-timeout", .string(text))]).timeout == timeout)
    }
}
