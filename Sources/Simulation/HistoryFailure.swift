// SPDX-License-Identifier: Apache-2.0

/// A history in which the log did not do what it must.
public struct HistoryFailure: Error, Sendable, CustomStringConvertible {
    /// The seed that repeats it.
    public var seed: UInt64
    /// The step at which it showed, from 0.
    public var step: Int
    /// What was expected, and what was found.
    public var message: String
    /// The last steps before it, oldest first.
    public var lastSteps: [String]
    /// The last changes of the disk before it, oldest first.
    public var lastEffects: [String]

    /// The failure with what led to it, on many lines.
    public var description: String {
        var lines = ["seed \(seed) failed at step \(step): \(message)", "the last steps:"]
        lines += lastSteps.map { "  \($0)" }
        if !lastEffects.isEmpty {
            lines.append("the last changes of the disk:")
            lines += lastEffects.map { "  \($0)" }
        }
        return lines.joined(separator: "\n")
    }
}

/// What a check found, before it is known in which history.
struct Violation: Error {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}
