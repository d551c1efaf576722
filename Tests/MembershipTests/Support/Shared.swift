// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A switch that a test and a node share.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }
    func set(_ isSet: Bool) { value.store(isSet, ordering: .sequentiallyConsistent) }
}

/// Words that a node notes and a test reads.
final class Seen: Sendable {
    private let words = Mutex<Set<String>>([])

    var all: Set<String> { words.withLock { $0 } }
    func insert(_ word: String) { words.withLock { _ = $0.insert(word) } }
}
