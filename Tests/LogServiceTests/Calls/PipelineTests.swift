// SPDX-License-Identifier: Apache-2.0

import Faults
import GRPCCore
import Synchronization
import Testing

@testable import LogService

@Suite("Pipelines")
struct PipelineTests {
    private let drain = ServiceDrain()

    /// A request whose answer the test gives.
    private final class Pending: PendingAnswer {
        let number: Int
        let bytes = 10
        private let mailbox = Mailbox<Result<Int, Fault>>()
        private let result = Mutex<Result<Int, Fault>?>(nil)

        init(_ number: Int) {
            self.number = number
        }

        func complete(_ result: Result<Int, Fault>) {
            self.result.withLock { $0 = result }
            mailbox.send(result)
        }

        func answerNow() throws -> Int? { try result.withLock { $0 }?.get() }

        func answer() async throws -> Int { try await mailbox.next()?.first?.get() ?? -1 }
    }

    /// Collects what is written, and can be told to fail.
    private final class Sink: RPCWriterProtocol {
        let writes = Mailbox<[Int]>()
        let isBroken: Bool

        init(isBroken: Bool = false) {
            self.isBroken = isBroken
        }

        func write(_ element: Int) async throws { try await write(contentsOf: [element]) }

        func write(contentsOf elements: some Sequence<Int>) async throws {
            if isBroken { throw RPCError(code: .unavailable, message: "gone") }
            writes.send(Array(elements))
        }
    }

    private func run(
        _ requests: AsyncStream<Int>, to sink: Sink, countMax: Int = 100, bytesMax: Int = 1 << 20,
        begin: @escaping @Sendable (Int) async throws -> Pending
    ) async -> ErrorCode? {
        let pipeline = Pipeline<Pending>(countMax: countMax, bytesMax: bytesMax)
        let sequence = RPCAsyncSequence(
            wrapping: AsyncThrowingStream<Int, any Error> { continuation in
                let task = Task {
                    for await request in requests { continuation.yield(request) }
                    continuation.finish()
                }
                continuation.onTermination = { _ in task.cancel() }
            })
        do {
            try await pipeline.run(
                sequence, to: RPCWriter(wrapping: sink),
                in: CallScope(drain: drain, metadata: [:]), begin: begin)
            return nil
        } catch {
            return (error as? Fault)?.code ?? .internalError
        }
    }

    private static func requests(_ numbers: Range<Int>) -> AsyncStream<Int> {
        AsyncStream { continuation in
            for number in numbers { continuation.yield(number) }
            continuation.finish()
        }
    }

    @Test("later requests are begun before earlier ones are answered, and answers keep their order")
    func pipelines() async {
        let sink = Sink()
        let begun = Mutex<[Pending]>([])
        let code = await run(Self.requests(0..<50), to: sink) { number in
            let pending = Pending(number)
            let all = begun.withLock { begun in
                begun.append(pending)
                return begun.count == 50 ? begun : []
            }
            // Only when the last one is there are any completed, the last one first.
            for pending in all.reversed() { pending.complete(.success(pending.number)) }
            return pending
        }
        #expect(code == nil)
        #expect(sink.writes.takeAll().flatMap { $0 } == Array(0..<50))
    }

    @Test("answers that are there go out together")
    func coalesces() async {
        let sink = Sink()
        let gate = Pending(-1)
        let code = await run(Self.requests(0..<5000), to: sink, countMax: 10_000) { number in
            let pending = number == 0 ? gate : Pending(number)
            if number > 0 { pending.complete(.success(number)) }
            if number == 4999 { gate.complete(.success(0)) }
            return pending
        }
        #expect(code == nil)
        let writes = sink.writes.takeAll()
        #expect(writes.flatMap { $0 } == Array(0..<5000))
        #expect(writes.count < 50)
    }

    @Test("no more requests are read than the window holds", arguments: [true, false])
    func window(limitsCount: Bool) async throws {
        let sink = Sink()
        let begun = Mailbox<Pending>()
        let (requests, source) = AsyncStream<Int>.makeStream()
        for number in 0..<20 { source.yield(number) }
        source.finish()
        async let code = run(
            requests, to: sink, countMax: limitsCount ? 4 : 100,
            bytesMax: limitsCount ? 1 << 20 : 40
        ) { number in
            let pending = Pending(number)
            begun.send(pending)
            return pending
        }
        var unanswered: [Pending] = []
        var answered = 0
        while answered < 20 {
            while unanswered.count < min(4, 20 - answered) {
                unanswered += try #require(await begun.next())
            }
            #expect(unanswered.count <= 4)
            let first = unanswered.removeFirst()
            first.complete(.success(first.number))
            answered += 1
        }
        #expect(await code == nil)
        #expect(sink.writes.takeAll().flatMap { $0 } == Array(0..<20))
    }

    @Test("a request that cannot be begun ends the stream behind the answers before it")
    func beginFails() async {
        let sink = Sink()
        let code = await run(Self.requests(0..<10), to: sink) { number in
            guard number < 3 else { throw Fault(.invalidArgument, "x") }
            let pending = Pending(number)
            pending.complete(.success(number))
            return pending
        }
        #expect(code == .invalidArgument)
        #expect(sink.writes.takeAll().flatMap { $0 } == [0, 1, 2])
    }

    @Test("a request that fails later ends the stream, though more requests may come")
    func answerFails() async {
        let sink = Sink()
        let (requests, source) = AsyncStream<Int>.makeStream()
        source.yield(0)
        source.yield(1)
        let code = await run(requests, to: sink) { number in
            let pending = Pending(number)
            pending.complete(number == 0 ? .success(0) : .failure(Fault(.diskFull, "x")))
            return pending
        }
        #expect(code == .diskFull)
        #expect(sink.writes.takeAll().flatMap { $0 } == [0])
    }

    @Test("a caller that is gone ends the stream")
    func writerFails() async {
        let (requests, source) = AsyncStream<Int>.makeStream()
        source.yield(0)
        let code = await run(requests, to: Sink(isBroken: true)) { number in
            let pending = Pending(number)
            pending.complete(.success(number))
            return pending
        }
        #expect(code == .internalError)
    }

    @Test("when the server drains, what was read is answered and nothing more is read")
    func drains() async {
        let sink = Sink()
        let (requests, source) = AsyncStream<Int>.makeStream()
        for number in 0..<3 { source.yield(number) }
        let code = await run(requests, to: sink) { number in
            let pending = Pending(number)
            if number == 2 { drain.begin() }
            pending.complete(.success(number))
            return pending
        }
        #expect(code == .shuttingDown)
        #expect(sink.writes.takeAll().flatMap { $0 } == [0, 1, 2])
    }
}
