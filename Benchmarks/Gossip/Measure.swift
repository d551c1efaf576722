// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a measure must reach, and did.
struct Outcome {
    var name: String
    /// What was measured, in `unit`.
    var value: Double
    var unit: String
    /// At most this much, or at least if `isFloor`.
    var bound: Double
    var isFloor = false
    var detail: String

    var passes: Bool { isFloor ? value >= bound : value <= bound }

    var line: String {
        func short(_ value: Double) -> String {
            value >= 1000 ? "\(Int(value))" : "\((value * 1000).rounded() / 1000)"
        }
        return "\(passes ? "ok  " : "MISS") \(name): \(short(value)) \(unit) "
            + "(\(isFloor ? "≥" : "≤") \(short(bound)))  \(detail)"
    }
}

/// What this process has used.
enum Usage {
    /// Seconds of processor time, of all threads.
    static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// A line of `/proc/self/status` in KiB: `VmRSS` for all that is resident, `RssAnon` for what is
    /// no mapped file.
    static func kibibytes(_ name: String) throws -> Double {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        for line in status.split(separator: "\n") where line.hasPrefix(name + ":") {
            let words = line.split { $0 == " " || $0 == "\t" }
            if words.count > 1, let number = Double(words[1]) { return number }
        }
        throw BenchmarkError.unreadable("/proc/self/status has no \(name)")
    }
}

/// Waits until a condition holds.
func eventually(
    _ what: String, within seconds: Int = 60, _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<(seconds * 20) {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    throw BenchmarkError.overdue(what)
}
