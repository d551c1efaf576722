// SPDX-License-Identifier: Apache-2.0

/// Pauses between attempts: 50 ms, doubled each time up to 1 s, and shortened by up to a third by
/// chance, so that many clients do not come back in step.
struct Backoff: Sendable {
    private static let first = Duration.milliseconds(50)
    private static let longest = Duration.seconds(1)

    private var next = first

    /// The pause before the next attempt.
    mutating func pause() -> Duration {
        defer { next = min(next * 2, Self.longest) }
        return next * Double.random(in: 0.67...1)
    }

    /// Waits for as long as the next pause says, or until the task is cancelled.
    mutating func wait() async {
        // Throws only when cancelled, which the caller's loop looks at.
        try? await Task.sleep(for: pause())
    }
}
