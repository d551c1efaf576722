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

    /// Runs all seeds; false, having said why, as soon as one fails.
    mutating func run(first: UInt64, runs: UInt64, _ arguments: [String]) throws -> Bool {
        let result = try Workers.run(jobs: jobs, first: first, runs: runs, arguments)
        for lines in result.lines { add(lines) }
        guard let failed = result.failed else { return true }
        tell(failed.lines, arguments, isTrap: failed.isTrap)
        return false
    }

    /// Counts the seeds that one bug needs, or `nil` if it was not found.
    static func seedsUntilFailure(runs: UInt64, _ arguments: [String]) throws -> (
        seeds: Int, message: String
    )? {
        let result = try Workers.run(jobs: 1, first: 1, runs: runs, arguments)
        guard let failed = result.failed else { return nil }
        let message =
            failed.lines.first { $0.contains(" failed at event ") || $0.contains("Fatal error") }
            ?? "a broken precondition"
        return (
            failed.lines.count { $0.hasPrefix("seed ") && !$0.contains("failed") }, message
        )
    }

    private func tell(_ lines: [String], _ arguments: [String], isTrap: Bool) {
        for line in lines where !line.hasPrefix("seed ") || line.contains("failed") { print(line) }
        guard isTrap, let last = lines.last(where: { $0.hasPrefix("seed ") }) else { return }
        let words = last.split(separator: " ")
        guard words.count == 3 else { return }
        let rest = arguments.filter { $0 != "--worker" && $0 != "--no-shrink" }
        let again = rest + ["--seed", "\(words[1])", "--profile", "\(words[2])", "--verbose"]
        print("seed \(words[1]) of profile \(words[2]) ended the process; the last events:")
        // If there is no process for it, the command below tells as much.
        for line in ((try? Workers.output(of: again)) ?? []).suffix(220) { print(line) }
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
