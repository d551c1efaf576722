// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk

/// What happened to the disk, as one number, and as text if wished: two runs with the same seed
/// have the same effects.
struct EffectLog: Sendable {
    private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    /// How many lines of text are kept; 0 for none.
    var linesMax = 0
    private(set) var lines: [String] = []

    mutating func note(
        _ operation: FileError.Operation, _ path: String, position: UInt64, size: Int
    ) {
        for byte in operation.rawValue.utf8 { mix(UInt64(byte)) }
        for byte in path.utf8 { mix(UInt64(byte)) }
        mix(position)
        mix(UInt64(size))
        guard linesMax > 0 else { return }
        lines.append("\(operation.rawValue) \(path) position \(position) size \(size)")
        if lines.count >= linesMax * 2 { lines.removeFirst(lines.count - linesMax) }
    }

    mutating func note(checksum: UInt32) {
        mix(UInt64(checksum))
    }

    /// One step of FNV-1a, a word at a time.
    private mutating func mix(_ value: UInt64) {
        digest = (digest ^ value) &* 0x0000_0100_0000_01b3
    }
}
