// SPDX-License-Identifier: Apache-2.0

import Foundation
import RaftCore
import Simulation

/// A hunt over many seeds by several processes.
///
/// Processes, because a broken invariant ends the one that finds it: the last seed that it named is
/// the culprit.
struct Hunt {
    private let jobs: Int
    private var digest: UInt64 = 0
    private var events: UInt64 = 0
    private var time: Int64 = 0
    private var committed = 0
    private var marks: UInt64 = 0
    private var coreMarks: UInt64 = 0
    private(set) var seeds = 0
    private var began = Date()
    private var profiles: [String] = []

    init(jobs: Int) { self.jobs = jobs }

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

    /// Runs all seeds; false, having said why, as soon as one fails.
    mutating func run(first: UInt64, runs: UInt64, _ arguments: [String]) throws -> Bool {
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
        for worker in workers { add(worker.lines) }
        guard let failed else { return true }
        tell(failed.lines, arguments, isTrap: failed.process.terminationReason != .exit)
        return false
    }

    /// Counts the seeds that one bug needs, or `nil` if it was not found.
    static func seedsUntilFailure(runs: UInt64, _ arguments: [String]) throws -> (
        seeds: Int, message: String
    )? {
        let worker = try Worker(arguments + ["--first", "1", "--runs", "\(runs)"])
        worker.process.waitUntilExit()
        defer { worker.remove() }
        guard worker.process.terminationStatus != 0 else { return nil }
        let lines = worker.lines
        let message =
            lines.first { $0.contains(" failed at event ") || $0.contains("Fatal error") }
            ?? "a broken precondition"
        return (lines.count { $0.hasPrefix("seed ") && !$0.contains("failed") }, message)
    }

    private func tell(_ lines: [String], _ arguments: [String], isTrap: Bool) {
        for line in lines where !line.hasPrefix("seed ") || line.contains("failed") { print(line) }
        guard isTrap, let last = lines.last(where: { $0.hasPrefix("seed ") }) else { return }
        let words = last.split(separator: " ")
        guard words.count == 3 else { return }
        let rest = arguments.filter { $0 != "--worker" && $0 != "--no-shrink" }
        let again = rest + ["--seed", "\(words[1])", "--profile", "\(words[2])", "--verbose"]
        print("seed \(words[1]) of profile \(words[2]) ended the process; the last events:")
        if let worker = try? Worker(again) {
            // If there is no process for it, the command below tells as much.
            worker.process.waitUntilExit()
            for line in worker.lines.suffix(220) { print(line) }
            worker.remove()
        }
        print("again: simulate " + again.joined(separator: " "))
    }

    // MARK: Lines between processes

    static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    static func line(of report: ClusterReport) -> String {
        var marks: UInt64 = 0
        for mark in ClusterMark.allCases where report.marks.contains(mark) {
            marks |= 1 << UInt64(mark.rawValue)
        }
        var coreMarks: UInt64 = 0
        for mark in Mark.allCases where report.coreMarks.contains(mark) {
            coreMarks |= 1 << UInt64(mark.rawValue)
        }
        return "sum \(report.digest) \(report.events) \(report.time) \(report.committed) \(marks) "
            + "\(coreMarks)"
    }

    private mutating func add(_ lines: [String]) {
        for line in lines {
            let words = line.split(separator: " ")
            if words.count == 3, words[0] == "seed" { seeds += 1 }
            guard words.count == 7, words[0] == "sum" else { continue }
            let numbers = words.dropFirst().compactMap { UInt64($0) }
            guard numbers.count == 6 else { continue }
            digest = (digest ^ numbers[0]) &* 0x9e37_79b9_7f4a_7c15
            events += numbers[1]
            time += Int64(clamping: numbers[2])
            committed += Int(clamping: numbers[3])
            marks |= numbers[4]
            coreMarks |= numbers[5]
        }
    }

    static func seconds(_ time: Int64) -> String { "\(Double(time / 10_000) / 100)" }

    /// What the hunt came to.
    var summary: [String] {
        let took = max(0.001, Date().timeIntervalSince(began))
        let never =
            Mark.allCases.filter { coreMarks & (1 << UInt64($0.rawValue)) == 0 }.map { "\($0)" }
            + ClusterMark.allCases.filter { marks & (1 << UInt64($0.rawValue)) == 0 }
            .map { "\($0)" }
        return [
            "\(seeds) runs, \(Double(time / 36_000_000) / 100) simulated hours, \(events) events, "
                + "\(committed) entries committed, \(Int(took)) s, "
                + "\(Int(Double(events) / took / Double(jobs))) events/s of each process, digest "
                + String(digest, radix: 16),
            never.isEmpty ? "every mark was hit" : "never hit: \(never.joined(separator: " "))",
        ]
    }
}
