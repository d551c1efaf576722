// SPDX-License-Identifier: Apache-2.0

/// A member that can be asked for its view: an agent, or a node of ours.
protocol Watcher: Sendable {
    var name: String { get }

    /// Where others join it.
    var endpoint: String { get }

    /// alive, leaving, left or failed, by name.
    func view() async throws -> [String: String]
}

extension Watcher {
    /// nil of a member that it does not know.
    func status(of name: String) async throws -> String? {
        try await view()[name]
    }
}

/// Waits until all watchers have the same status of a member.
@discardableResult
func wait(
    until watchers: [any Watcher], see name: String, as status: String?, within: Duration
) async throws -> Duration {
    try await eventually(
        "\(watchers.map(\.name)) see \(name) as \(status ?? "unknown")", within: within,
        seen: await views(of: watchers)
    ) {
        for watcher in watchers where try await watcher.status(of: name) != status {
            return false
        }
        return true
    }
}

/// Waits until every watcher lists exactly these members, in these states.
@discardableResult
func wait(
    until watchers: [any Watcher], list view: [String: String], within: Duration
) async throws -> Duration {
    try await eventually(
        "all see \(view.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })",
        within: within, seen: await views(of: watchers, except: view)
    ) {
        for watcher in watchers where try await watcher.view() != view {
            return false
        }
        return true
    }
}

/// Holds every watcher's list against this one for a time.
func always(
    _ watchers: [any Watcher], list view: [String: String], for time: Duration
) async throws {
    try await always(
        "all see \(view.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })", for: time,
        seen: await views(of: watchers, except: view)
    ) {
        for watcher in watchers where try await watcher.view() != view {
            return false
        }
        return true
    }
}

/// What the watchers see, for a failure's text; only those who see something else, if that is given.
func views(of watchers: [any Watcher], except expected: [String: String]? = nil) async -> String {
    var texts: [String] = []
    for watcher in watchers {
        do {
            let view = try await watcher.view()
            guard view != expected else { continue }
            let differing = view.filter { $0.value != expected?[$0.key] }
            let missing = expected.map { $0.keys.filter { view[$0] == nil } } ?? []
            texts.append(
                "\(watcher.name) sees \(differing.sorted { $0.key < $1.key })"
                    + (missing.isEmpty ? "" : ", misses \(missing.sorted())"))
        } catch {
            texts.append("\(watcher.name): \(error)")
        }
    }
    return texts.joined(separator: "; ")
}
