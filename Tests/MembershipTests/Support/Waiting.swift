// SPDX-License-Identifier: Apache-2.0

import Testing

struct Overdue: Error, CustomStringConvertible {
    var description: String
}

/// Waits until a condition holds; fails the test if that takes too long.
func eventually(
    _ what: String, within limit: Duration = .seconds(20),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
    throw Overdue(description: what)
}

/// Waits for a value.
func value<Value>(
    of what: String, within limit: Duration = .seconds(20),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ attempt: () async throws -> Value?
) async throws -> Value {
    var found: Value?
    try await eventually(what, within: limit, sourceLocation: sourceLocation) {
        found = try await attempt()
        return found != nil
    }
    return try #require(found)
}
