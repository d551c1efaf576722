// SPDX-License-Identifier: Apache-2.0

/// A condition that did not come true in time.
struct NotInTime: Error, CustomStringConvertible {
    var what: String
    var within: Duration
    var last: String

    var description: String { "not within \(within): \(what)\(last.isEmpty ? "" : "; \(last)")" }
}

/// Something that a scenario asks for and that is not so.
struct Unexpected: Error, CustomStringConvertible {
    var description: String
}

extension Duration {
    /// How long news may take where no scenario says less.
    ///
    /// Gossip takes a second or two. It is sent a few times to members of chance, so now and then it
    /// misses one, who hears of it with an exchange of state: 30 seconds with the lan profile.
    static let spread = Duration.seconds(40)
}

private let pollInterval = Duration.milliseconds(25)

/// Waits until the condition holds.
///
/// A condition that throws does not hold yet; its last error is told when the time is over.
///
/// - Parameter seen: what to show beside a failure, such as what was there instead.
/// - Returns: how long it took.
@discardableResult
func eventually(
    _ what: String, within: Duration, seen: @autoclosure () async -> String = "",
    _ condition: () async throws -> Bool
) async throws -> Duration {
    let clock = ContinuousClock()
    let start = clock.now
    var last = ""
    while true {
        do {
            if try await condition() { return clock.now - start }
            last = ""
        } catch let error as CancellationError {
            throw error
        } catch {
            last = "\(error)"
        }
        guard clock.now - start < within else {
            let seen = await seen()
            throw NotInTime(
                what: what, within: within,
                last: [last, seen].filter { !$0.isEmpty }.joined(separator: "; "))
        }
        // The one sleep of all waiting: between two looks.
        try await Task.sleep(for: pollInterval)
    }
}

/// Holds the condition against every poll of a time, and throws at the first that it does not meet.
func always(
    _ what: String, for time: Duration, seen: @autoclosure () async -> String = "",
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + time
    while clock.now < end {
        guard try await condition() else {
            throw Unexpected(description: "not always: \(what); \(await seen())")
        }
        // A pause between two looks, and no wait for something.
        try await Task.sleep(for: pollInterval * 4)
    }
}
