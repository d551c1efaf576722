// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dispatch
import Testing

@testable import Commands

@Suite("Calls that block")
struct BlockingCallsTests {
    @Test("a call's result and its error come back")
    func results() async throws {
        let calls = BlockingCalls(label: "test")
        #expect(try await calls.run { 7 } == 7)
        await #expect(throws: Outcome.self) {
            try await calls.run { throw Outcome(status: .failed) }
        }
    }

    @Test("a task that waits for a call is cancelled at once")
    func cancellation() async {
        let calls = BlockingCalls(label: "test")
        let (starts, start) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let task = Task {
            try await calls.run {
                start.yield()
                gate.wait()
            }
        }
        var iterator = starts.makeAsyncIterator()
        await iterator.next()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        gate.signal()
    }

    @Test("a command that is interrupted while its input is silent ends with 130")
    func interruption() async {
        let captured = CapturedSession()
        let (starts, start) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        var session = captured.session
        session.input = Input(name: "silence") { _ in
            start.yield()
            gate.wait()
            return []
        }
        let silent = session
        let task = Task { await Program.run(Waiting.self, in: silent) }
        var iterator = starts.makeAsyncIterator()
        await iterator.next()
        task.cancel()
        #expect(await task.value == .interrupted)
        #expect(captured.talk.isEmpty)
        gate.signal()
    }

    /// A verb that reads its input and does nothing else.
    private struct Waiting: Verb {
        func perform(in session: Session) async throws {
            _ = try await session.input.read(upTo: 1)
        }
    }
}

extension Program {
    /// Performs a verb that takes no arguments.
    fileprivate static func run<Command: Verb>(
        _ command: Command.Type, in session: Session
    ) async -> ProgramStatus {
        await perform(Command(), session)
    }
}
