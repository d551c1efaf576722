// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Real threads for tests of calls that block.
enum DetachedThreads {
    private final class Job: Sendable {
        let body: @Sendable (Int) -> Void
        let number: Int

        init(_ number: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.number = number
            self.body = body
        }
    }

    /// Runs a body on some threads at once and waits for all of them.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        var threads: [pthread_t] = []
        for number in 0..<count {
            var thread = pthread_t()
            let job = Unmanaged.passRetained(Job(number, body)).toOpaque()
            let code = pthread_create(
                &thread, nil,
                { pointer in
                    guard let pointer else { return nil }
                    let job = Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue()
                    job.body(job.number)
                    return nil
                }, job)
            precondition(code == 0, "a thread can be started, not error \(code)")
            threads.append(thread)
        }
        for thread in threads { pthread_join(thread, nil) }
    }
}
