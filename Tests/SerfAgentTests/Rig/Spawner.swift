// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Starts the processes of tests, so that none outlives them.
///
/// `setpriv --pdeathsig` ends a process when the *thread* that started it ends. Threads of a pool come
/// and go, so all processes are started by one thread that lives as long as the test process.
final class Spawner: Sendable {
    static let shared = Spawner()

    private typealias Job = @Sendable () -> Void

    private let jobs = Mutex<[Job]>([])
    private let wake = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [self] in
            while true {
                wake.wait()
                let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                job?()
            }
        }
        thread.name = "spawner"
        thread.start()
    }

    /// Starts a program whose output and errors go to the log.
    ///
    /// - Parameter ended: Called once with its exit status, or 128 and the signal that ended it.
    /// - Returns: Its process id.
    func start(
        _ path: String, _ arguments: [String], log: ProcessLog,
        ended: @escaping @Sendable (Int32) -> Void
    ) async throws -> Int32 {
        let command = ["/usr/bin/setpriv", "--pdeathsig", "KILL", path] + arguments
        return try await withCheckedThrowingContinuation { continuation in
            let job: Job = {
                continuation.resume(
                    with: Result {
                        let (pid, output) = try Self.spawn(command)
                        Self.follow(pid, output: output, log: log, ended: ended)
                        return pid
                    })
            }
            jobs.withLock { $0.append(job) }
            wake.signal()
        }
    }

    private static func spawn(_ command: [String]) throws -> (pid: Int32, output: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw Unexpected(description: "no pipe: errno \(errno)")
        }
        // Closed in every child but for the copies that this one gets as its output. Nobody else
        // starts processes, so none comes between.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: Int32 = 0
        let error = posix_spawn(&pid, command[0], &actions, nil, &arguments, environ)
        guard error == 0 else {
            close(ends[0])
            throw Unexpected(description: "\(command[0]) does not start: errno \(error)")
        }
        return (pid, ends[0])
    }

    /// Reads until the program has closed its output, and then waits for its end.
    private static func follow(
        _ pid: Int32, output: Int32, log: ProcessLog, ended: @escaping @Sendable (Int32) -> Void
    ) {
        let thread = Thread {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(output, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                log.received(buffer[..<count])
            }
            close(output)
            log.end()
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7f
            ended(signal == 0 ? status >> 8 & 0xff : 128 + signal)
        }
        thread.name = "process \(pid)"
        thread.start()
    }
}

/// What a program that ran to its end had to say.
struct Finished: Sendable {
    var status: Int32
    var output: String

    private final class Status: Sendable {
        let value = Mutex<Int32?>(nil)
    }

    /// Runs a program, at most for a time.
    static func run(
        _ path: String, _ arguments: [String], within time: Duration = .seconds(30)
    ) async throws -> Finished {
        let log = ProcessLog()
        let status = Status()
        let process = try await Spawner.shared.start(path, arguments, log: log) { code in
            status.value.withLock { $0 = code }
        }
        do {
            try await eventually("\(arguments) ends", within: time) {
                status.value.withLock { $0 != nil }
            }
        } catch {
            // It has not ended, so the id is still its own.
            kill(process, SIGKILL)
            throw error
        }
        return Finished(status: status.value.withLock { $0 ?? -1 }, output: log.text)
    }
}
