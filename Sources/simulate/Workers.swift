// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Processes of this program that share the seeds of a hunt.
///
/// Processes, because a broken invariant ends the one that finds it: the last seed that it named is
/// the culprit.
enum Workers {
    /// What the processes said, and which one failed first, if one did.
    struct Result {
        var lines: [[String]]
        var failed: Failed?
    }

    /// A process that found something.
    struct Failed {
        var lines: [String]
        /// It did not end by itself.
        var isTrap: Bool
    }

    /// One process and what it has said.
    private struct Worker {
        let process = Process()
        let output: URL

        init(_ arguments: [String]) throws {
            output = FileManager.default.temporaryDirectory
                .appendingPathComponent("simulate-\(UUID().uuidString)")
            _ = FileManager.default.createFile(atPath: output.path, contents: nil)
            let file = try FileHandle(forWritingTo: output)
            process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
            if !CommandLine.arguments[0].contains("/") {
                process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
                    .resolvingSymlinksInPath()
            }
            process.arguments = arguments
            process.standardOutput = file
            process.standardError = file
            try process.run()
        }

        var lines: [String] {
            // A file that cannot be read has nothing to say.
            let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
            return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }

        func remove() {
            // Left behind in the folder for temporary files at worst.
            try? FileManager.default.removeItem(at: output)
        }
    }

    /// Runs all seeds, each by one of the processes, until one of them fails.
    static func run(
        jobs: Int, first: UInt64, runs: UInt64, _ arguments: [String]
    ) throws -> Result {
        var workers: [Worker] = []
        for number in 0..<UInt64(jobs) where number < runs {
            workers.append(
                try Worker(
                    arguments + [
                        "--first", "\(first + number)", "--runs", "\(runs - number)", "--step",
                        "\(jobs)",
                    ]))
        }
        defer { for worker in workers { worker.remove() } }
        var hasFailed = false
        while workers.contains(where: \.process.isRunning) {
            Thread.sleep(forTimeInterval: 0.05)
            hasFailed = workers.contains {
                !$0.process.isRunning && $0.process.terminationStatus != 0
            }
            if hasFailed { break }
        }
        for worker in workers where hasFailed && worker.process.isRunning {
            worker.process.terminate()
        }
        for worker in workers { worker.process.waitUntilExit() }
        let failed = workers.first {
            $0.process.terminationStatus != 0 && $0.process.terminationStatus != SIGTERM
        }
        return Result(
            lines: workers.map(\.lines),
            failed: failed.map {
                Failed(lines: $0.lines, isTrap: $0.process.terminationReason != .exit)
            })
    }

    /// Runs the program once more, and gives what it says.
    static func output(of arguments: [String]) throws -> [String] {
        let worker = try Worker(arguments)
        worker.process.waitUntilExit()
        defer { worker.remove() }
        return worker.lines
    }
}
