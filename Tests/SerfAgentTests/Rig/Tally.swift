// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts by name, from any thread.
final class Tally: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func add(_ name: String) {
        counts.withLock { $0[name, default: 0] += 1 }
    }

    subscript(name: String) -> Int {
        counts.withLock { $0[name] ?? 0 }
    }

    var story: String {
        counts.withLock { counts in
            counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
                .joined(separator: ", ")
        }
    }
}
