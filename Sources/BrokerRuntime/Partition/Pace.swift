// SPDX-License-Identifier: Apache-2.0

/// Tells whether so much comes in that a write should wait a moment for more.
///
/// A write for each batch of a fast stream costs a change of thread there and one back, several
/// times what the write itself does. From 64 MiB/s on, a wait of 0.15 ms lets the batches that come
/// meanwhile share one write and one answer. Slower writers, who would notice, never wait.
struct Pace {
    /// Bytes a millisecond from which on it is worth to wait.
    static let bytesPerMillisecond = 64 << 10
    /// How long to wait.
    static let gatherMicroseconds: UInt32 = 150

    private var millisecond: Int64 = 0
    private var bytes = 0
    /// Whether the last full millisecond, or this one so far, brought as much.
    private(set) var isHigh = false

    /// Takes note of what was appended.
    mutating func note(bytes count: Int, at now: Int64) {
        if now != millisecond {
            isHigh = now == millisecond + 1 && bytes >= Self.bytesPerMillisecond
            millisecond = now
            bytes = 0
        }
        bytes += count
        if bytes >= Self.bytesPerMillisecond { isHigh = true }
    }

    /// Whether to wait now, given the time.
    func shouldGather(at now: Int64) -> Bool {
        isHigh && now - millisecond <= 1
    }
}
