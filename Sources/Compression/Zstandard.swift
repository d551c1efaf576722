// SPDX-License-Identifier: Apache-2.0

internal import CCodecs

/// Zstandard frames (RFC 8878), by libzstd: one, or several behind each other.
///
/// Refused are windows over 8 MiB, frames to skip, frames of versions before 1.0, dictionaries, and
/// anything behind the last frame.
enum Zstandard {
    /// The decoder holds a window of its own while it works in steps.
    private static let windowLogMax: Int32 = 23
    /// The library's own default.
    private static let level: Int32 = 3
    private static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

    static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(CompressionError) -> [UInt8] {
        guard unsafe bytes.starts(with: magic) else { throw .damaged }
        let claimed = unsafe cordwood_zstd_claimed_size(bytes.baseAddress, bytes.count)
        guard let state = unsafe cordwood_zstd_start(windowLogMax) else { throw .outOfMemory }
        defer { unsafe cordwood_zstd_end(state) }
        var input = unsafe DecoderInput(bytes)
        return try unsafe StepwiseOutput.collect(
            limit: limit, packedCount: bytes.count, claimed: claimed == .max ? nil : claimed
        ) { room throws(CompressionError) in
            try unsafe input.open(into: room) { rest, free in
                unsafe cordwood_zstd_step(
                    state, rest.baseAddress, rest.count, free.baseAddress, free.count)
            } hasNext: { rest in
                unsafe rest.starts(with: magic)
            }
        }
    }

    static func compress(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) -> [UInt8] {
        try unsafe Packing.pack(bytes, bound: cordwood_zstd_bound(bytes.count)) { room in
            unsafe cordwood_zstd_pack(
                bytes.baseAddress, bytes.count, room.baseAddress, room.count, level)
        }
    }
}
