// SPDX-License-Identifier: Apache-2.0

import Glibc
import SerfWire
import Synchronization

/// Addresses of this machine that no other test has, in this process or another.
enum OwnAddress {
    private static let last = Atomic<UInt32>(0)

    /// An address whose port nobody else takes: it is none of those that the system gives away.
    static func next() -> Endpoint {
        let process = UInt32(truncatingIfNeeded: getpid()) & 0xffff
        let number = last.add(1, ordering: .relaxed).newValue & 0x3f
        return Endpoint(address: .v4(127 << 24 | (0x40 | number) << 16 | process), port: 17_946)
    }
}

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
