// SPDX-License-Identifier: Apache-2.0

internal import CCodecs

/// One LZ4 frame, by liblz4: blocks of up to 4 MiB, with or without sizes and checksums.
///
/// Refused are the legacy frame, frames to skip, dictionaries, and anything behind the frame. What
/// is packed here has blocks of 64 KiB that do not refer to each other, as Java's clients want it.
enum LZ4 {
    private static let magic: [UInt8] = [0x04, 0x22, 0x4d, 0x18]
    /// Magic, flags, block size, checksum of the header.
    private static let headerSizeMin = 7
    private static let dictionaryFlag: UInt8 = 0x01
    private static let contentSizeFlag: UInt8 = 0x08
    private static let contentSizePosition = 6

    static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(CompressionError) -> [UInt8] {
        guard bytes.count >= headerSizeMin, unsafe bytes.starts(with: magic) else {
            throw .damaged
        }
        let flags = unsafe bytes[4]
        guard flags & dictionaryFlag == 0 else { throw .damaged }
        var claimed: UInt64?
        if flags & contentSizeFlag != 0, bytes.count >= contentSizePosition + 8 {
            claimed = unsafe UInt64(
                littleEndian: bytes.loadUnaligned(
                    fromByteOffset: contentSizePosition, as: UInt64.self))
        }
        guard let state = unsafe cordwood_lz4_start() else { throw .outOfMemory }
        defer { unsafe cordwood_lz4_end(state) }
        var input = unsafe DecoderInput(bytes)
        return try unsafe StepwiseOutput.collect(
            limit: limit, packedCount: bytes.count, claimed: claimed
        ) { room throws(CompressionError) in
            try unsafe input.open(into: room) { rest, free in
                unsafe cordwood_lz4_step(
                    state, rest.baseAddress, rest.count, free.baseAddress, free.count)
            } hasNext: { _ in
                false
            }
        }
    }

    static func compress(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) -> [UInt8] {
        try unsafe Packing.pack(bytes, bound: cordwood_lz4_bound(bytes.count)) { room in
            unsafe cordwood_lz4_pack(bytes.baseAddress, bytes.count, room.baseAddress, room.count)
        }
    }
}
