// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Glibc
internal import Synchronization

/// Cancels what runs when the user presses Ctrl-C; ends the process at the second time.
enum Interruption {
    /// Runs `body`, and cancels it at the first SIGINT or SIGTERM.
    static func cancelling(
        _ body: @escaping @Sendable () async -> ProgramStatus
    ) async -> ProgramStatus {
        let (signals, continuation) = AsyncStream<Void>.makeStream()
        let sources = [SIGINT, SIGTERM].map { number in
            source(number) { continuation.yield() }
        }
        defer { for source in sources { source.cancel() } }
        return await withTaskGroup(of: ProgramStatus?.self) { group in
            group.addTask { await body() }
            group.addTask {
                for await _ in signals { return nil }
                return nil
            }
            while let status = await group.next() {
                group.cancelAll()
                if let status { return status }
            }
            return .interrupted
        }
    }

    private static func source(
        _ number: Int32, onFirst: @escaping @Sendable () -> Void
    ) -> any DispatchSourceSignal {
        // The default action would end the process before the source hears of it.
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        let count = Mutex(0)
        source.setEventHandler {
            let isFirst = count.withLock { count in
                count += 1
                return count == 1
            }
            // Something does not let itself be cancelled, and the user has no patience for it.
            guard isFirst else { _exit(128 + number) }
            onFirst()
        }
        source.resume()
        return source
    }
}
