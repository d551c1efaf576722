// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Addresses 127.x.y.* that no other test has, of this process or, most likely, of another one.
final class AddressBlock: Sendable {
    private static let blocks = 200 * 250
    private static let next = Mutex(
        (Int(getpid()) * 7_919 + Int.random(in: 0..<blocks)) % blocks)

    private let prefix: String
    private let taken = Mutex(0)

    init() {
        let block = Self.next.withLock { next in
            next = (next + 1) % Self.blocks
            return next
        }
        prefix = "127.\(16 + block / 250).\(1 + block % 250)"
    }

    func next() -> String {
        let host = taken.withLock { taken in
            taken += 1
            return taken
        }
        precondition(host < 255, "a block has 254 addresses")
        return "\(prefix).\(host)"
    }
}
