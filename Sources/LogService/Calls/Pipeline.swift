// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore

/// What a stream's request will be answered with.
protocol PendingAnswer: Sendable {
    associatedtype Answer: Sendable

    /// The request's part of the window.
    var bytes: Int { get }

    /// The answer if it is there, without waiting.
    func answerNow() throws -> Answer?

    /// Waits for the answer.
    func answer() async throws -> Answer
}

/// Reads requests and writes answers side by side: requests are taken as they come, up to the
/// window, and answers go out in the order of the requests, as many at once as are there.
struct Pipeline<Pending: PendingAnswer>: Sendable {
    /// The most answers that go into one write.
    private static var answersPerWrite: Int { 1024 }

    private let window: Window
    private let mailbox = Mailbox<Pending>()

    /// A pipeline with this window.
    init(countMax: Int, bytesMax: Int) {
        window = Window(countMax: countMax, bytesMax: bytesMax)
    }

    /// Runs until the requests end or fail and what was begun is answered.
    ///
    /// - Parameters:
    ///   - begin: Begins a request; runs for one request after the other. When it throws no more
    ///     requests are read, and the call fails once those before are answered.
    func run<Request: Sendable>(
        _ requests: RPCAsyncSequence<Request, any Error>, to writer: RPCWriter<Pending.Answer>,
        in scope: CallScope,
        begin: @escaping @Sendable (Request) async throws -> Pending
    ) async throws {
        let reading = try await withThrowingTaskGroup(
            of: Result<Void, any Error>.self
        ) { group in
            group.addTask {
                try await write(to: writer)
                return .success(())
            }
            group.addTask {
                // The writer goes on until all is answered, however the reading ends.
                defer { mailbox.finish() }
                do {
                    try await scope.run { try await read(requests, begin) }
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            var reading: Result<Void, any Error> = .success(())
            while let result = try await group.next() {
                if case .failure = result { reading = result }
            }
            return reading
        }
        try reading.get()
    }

    private func read<Request: Sendable>(
        _ requests: RPCAsyncSequence<Request, any Error>,
        _ begin: @Sendable (Request) async throws -> Pending
    ) async throws {
        for try await request in requests {
            let pending = try await begin(request)
            let hasRoom = window.add(bytes: pending.bytes)
            mailbox.send(pending)
            if !hasRoom {
                await window.waitForRoom()
                try Task.checkCancellation()
            }
        }
        // A cancelled sequence may end like one that is complete.
        try Task.checkCancellation()
    }

    private func write(to writer: RPCWriter<Pending.Answer>) async throws {
        var answers: [Pending.Answer] = []
        var bytes = 0
        func flush() async throws {
            guard !answers.isEmpty else { return }
            if answers.count == 1 {
                try await writer.write(answers[0])
            } else {
                try await writer.write(contentsOf: answers)
            }
            window.remove(count: answers.count, bytes: bytes)
            answers.removeAll(keepingCapacity: true)
            bytes = 0
        }
        while let pendings = await mailbox.next() {
            for pending in pendings {
                do {
                    if let answer = try pending.answerNow() {
                        answers.append(answer)
                    } else {
                        try await flush()
                        answers.append(try await pending.answer())
                    }
                } catch {
                    // Those before the failure have succeeded and are told so.
                    try await flush()
                    throw error
                }
                bytes += pending.bytes
                if answers.count == Self.answersPerWrite { try await flush() }
            }
            try await flush()
        }
    }
}
