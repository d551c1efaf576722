// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// Orders messages by what their senders had seen ("Time, Clocks, and the Ordering of Events",
/// Lamport 1978).
///
/// It stops at the greatest number instead of turning over, so that no peer can make it go back.
struct LamportClock: Sendable, Equatable {
    /// What the next message is stamped with.
    ///
    /// Begins at 1.
    private(set) var time = LamportTime(rawValue: 1)

    /// The current time; the clock moves on.
    mutating func stamp() -> LamportTime {
        defer { witness(time) }
        return time
    }

    /// Moves past a time that was seen.
    mutating func witness(_ seen: LamportTime) {
        guard seen >= time else { return }
        time = seen.next
    }

    /// Moves to a time that a peer's clock shows: what it has stamped is one less.
    mutating func witness(clock shown: LamportTime) {
        guard shown.rawValue > 0 else { return }
        witness(LamportTime(rawValue: shown.rawValue - 1))
    }
}

extension LamportTime {
    /// Before anything happened.
    static let zero = LamportTime(rawValue: 0)

    /// The time after this one; the greatest one has none.
    var next: LamportTime {
        LamportTime(rawValue: rawValue == .max ? .max : rawValue + 1)
    }

    /// Whether this lies more than so many steps before a clock.
    func isForgotten(by clock: LamportClock, depth: Int) -> Bool {
        let depth = UInt64(depth)
        let shown = clock.time.rawValue
        return shown > depth && rawValue < shown - depth
    }
}
