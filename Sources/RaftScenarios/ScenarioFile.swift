// SPDX-License-Identifier: Apache-2.0

public import RaftCore

/// A story: commands, comments, and below each command what came of it.
public struct ScenarioFile: Sendable {
    /// The story's name.
    public let name: String
    /// Its text.
    public let text: String

    /// A story.
    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }

    /// What came of a story.
    public struct Result: Sendable {
        /// The text with what really came of each command.
        public var text: String
        /// Lines that say what must never be, or that a command makes no sense.
        public var violations: [String]
        /// The first line that differs, as it was and as it is; `nil` if the story holds.
        public var difference: (expected: String, actual: String)?

        /// Whether the story holds.
        public var holds: Bool { difference == nil && violations.isEmpty }
    }

    /// Carries the commands out, and writes down what comes of them.
    ///
    /// - Parameter bug: A bug that every replica has, in a build in which bugs can be planted.
    public func run(with bug: PlantedBug? = nil) -> Result {
        var runner = ScenarioRunner(bug: bug)
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix(">") { continue }
            lines.append(String(line))
            let words = line.prefix { $0 != "#" }.split(separator: " ").map(String.init)
            guard !words.isEmpty else { continue }
            lines += runner.perform(words).map { "> " + $0 }
        }
        let actual = lines.joined(separator: "\n")
        return Result(
            text: actual, violations: runner.violations,
            difference: Self.difference(text, actual))
    }

    private static func difference(
        _ expected: String, _ actual: String
    ) -> (expected: String, actual: String)? {
        guard expected != actual else { return nil }
        let left = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let right = actual.split(separator: "\n", omittingEmptySubsequences: false)
        for (old, new) in zip(left, right) where old != new { return (String(old), String(new)) }
        return (
            left.count > right.count ? String(left[right.count]) : "the end",
            right.count > left.count ? String(right[left.count]) : "the end"
        )
    }
}
