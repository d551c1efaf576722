// SPDX-License-Identifier: Apache-2.0

internal import CCodecs

/// The snappy format by libsnappy, plain or in the framing of Java's library.
///
/// librdkafka sends the plain format; Java's clients, and those that follow them, send blocks of it:
///
/// ```
///  at size field
///   0   8  magic 82 "SNAPPY" 00
///   8   8  two versions, which nobody looks at
///  16   4  size of the first block, big-endian
///  20   …  the block, in the plain format; then the next size
/// ```
///
/// Plain bytes never begin with the magic: behind their size it would copy from nothing. What is
/// packed here is plain, the shorter of the two; every reader of the framing takes that as well.
enum Snappy {
    private static let magic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]
    private static let framingSize = 16
    /// The most that a packed byte can open to: three of them copy 64.
    private static let inflationMax = 22

    static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(CompressionError) -> [UInt8] {
        guard bytes.count >= framingSize, unsafe bytes.starts(with: magic) else {
            return try unsafe open([0..<bytes.count], of: bytes, limit: limit)
        }
        var blocks: [Range<Int>] = []
        var position = framingSize
        while position < bytes.count {
            guard bytes.count - position >= 4 else { throw .damaged }
            let size = unsafe Int(
                UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
            position += 4
            guard size > 0, size <= bytes.count - position else { throw .damaged }
            blocks.append(position..<(position + size))
            position += size
        }
        return try unsafe open(blocks, of: bytes, limit: limit)
    }

    /// Opens blocks, one behind the other, into room for the sizes that they claim.
    private static func open(
        _ blocks: [Range<Int>], of bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(CompressionError) -> [UInt8] {
        var sizes: [Int] = []
        var total = 0
        for block in blocks {
            let block = unsafe UnsafeRawBufferPointer(rebasing: bytes[block])
            var size = 0
            guard unsafe cordwood_snappy_claimed_size(block.baseAddress, block.count, &size),
                size / inflationMax <= block.count
            else { throw .damaged }
            guard size <= limit - total else { throw .overLimit(limit: limit) }
            sizes.append(size)
            total += size
        }
        var isSound = true
        let output = unsafe [UInt8](unsafeUninitializedCapacity: total) { room, count in
            for (block, size) in zip(blocks, sizes) where isSound {
                let block = unsafe UnsafeRawBufferPointer(rebasing: bytes[block])
                let start = unsafe room.baseAddress.map { unsafe $0 + count }
                isSound = unsafe cordwood_snappy_open(block.baseAddress, block.count, start, size)
                count += size
            }
            // Of bytes that are not sound none are handed out.
            if !isSound { count = 0 }
        }
        guard isSound else { throw .damaged }
        return output
    }

    static func compress(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) -> [UInt8] {
        try unsafe Packing.pack(bytes, bound: cordwood_snappy_bound(bytes.count)) { room in
            unsafe cordwood_snappy_pack(
                bytes.baseAddress, bytes.count, room.baseAddress, room.count)
        }
    }
}
