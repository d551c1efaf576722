// SPDX-License-Identifier: Apache-2.0

internal import Faults

/// A few threads that run blocking jobs: reads, syncs, removals.
final class JobPool: Sendable {
    private let queue = BlockingQueue<@Sendable () -> Void>()
    private let threads: [DedicatedThread]

    init(threadCount: Int) {
        let queue = queue
        threads = (0..<threadCount).map { _ in
            DedicatedThread {
                while let job = queue.takeOne() { job() }
            }
        }
    }

    /// Runs a job on some thread of the pool; whether the pool still takes jobs.
    @discardableResult
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        queue.push(job)
    }

    /// Runs a job on some thread of the pool and waits for its result.
    func run<Value: Sendable>(
        _ job: @escaping @Sendable () throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<Value, Fault>, Never>) in
            let isTaken = submit {
                do throws(Fault) {
                    continuation.resume(returning: .success(try job()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !isTaken {
                continuation.resume(
                    returning: .failure(Fault(.shuttingDown, "the server is stopping")))
            }
        }
        return try result.get()
    }

    /// Finishes the jobs that are queued and ends the threads.
    func close() {
        queue.close()
        for thread in threads { thread.join() }
    }
}
