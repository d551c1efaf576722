// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Disk
internal import Replication
internal import Synchronization

/// The syncing of all that was dirty at one moment, in parallel; the last one tells.
final class SyncRound: Sendable {
    /// What is synced.
    enum Entry: Sendable {
        case log(GroupID, SyncTicket)
        /// The votes of all groups.
        case journal(HardStateTicket)

        func run() -> Result<Void, FileError> {
            switch self {
            case .log(_, let ticket): ticket.run()
            case .journal(let ticket): ticket.run()
            }
        }
    }

    private let entries: [Entry]
    private let progress: Mutex<Progress>

    private struct Progress {
        var next = 0
        var remaining: Int
        var results: [Result<Void, FileError>?]
    }

    init(_ entries: [Entry]) {
        self.entries = entries
        progress = Mutex(
            Progress(
                remaining: entries.count, results: Array(repeating: nil, count: entries.count)))
    }

    /// What became of each ticket, once all are run.
    var outcomes: [(Entry, Result<Void, FileError>)] {
        progress.withLock { progress in
            zip(entries, progress.results).map { entry, result in
                guard let result else { preconditionFailure("the round is not over") }
                return (entry, result)
            }
        }
    }

    /// Runs the tickets on as many threads as help.
    ///
    /// Each file is synced by itself in any case: only that tells whether its own pages were lost.
    ///
    /// - Parameter isWide: Whether one call for the whole file system goes ahead.
    func run(
        on pool: JobPool, fileSystem: any FileSystem, directory: String, isWide: Bool,
        thenTelling queue: BlockingQueue<LogThread.Command>
    ) {
        guard isWide else { return runEach(on: pool, telling: queue) }
        pool.submit {
            do throws(FileError) {
                try fileSystem.syncAll(at: directory)
            } catch {
                // The files' own syncs find out whose bytes they were.
            }
            self.runEach(on: pool, telling: queue)
        }
    }

    private func runEach(on pool: JobPool, telling queue: BlockingQueue<LogThread.Command>) {
        for _ in 0..<min(entries.count, PartitionHost.syncerCount) {
            pool.submit { self.work(telling: queue) }
        }
    }

    private func work(telling queue: BlockingQueue<LogThread.Command>) {
        while true {
            let number = progress.withLock { progress -> Int? in
                guard progress.next < entries.count else { return nil }
                defer { progress.next += 1 }
                return progress.next
            }
            guard let number else { return }
            let result = entries[number].run()
            let isLast = progress.withLock { progress in
                progress.results[number] = result
                progress.remaining -= 1
                return progress.remaining == 0
            }
            if isLast { queue.push(.synced(self)) }
        }
    }
}
