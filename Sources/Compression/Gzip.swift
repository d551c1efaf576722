// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// The gzip format (RFC 1952) by zlib.
enum Gzip {
    /// A window of 2^15 bytes, and 16 for "with gzip's header and trailer, and nothing else".
    private static let windowBits: Int32 = 15 + 16
    private static let streamSize = unsafe Int32(MemoryLayout<z_stream>.size)

    /// Opens one or more gzip members, which RFC 1952 section 2.2 lets follow each other.
    static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(CompressionError) -> [UInt8] {
        var stream = unsafe z_stream()
        guard unsafe inflateInit2_(&stream, windowBits, ZLIB_VERSION, streamSize) == Z_OK else {
            throw .outOfMemory
        }
        defer { unsafe inflateEnd(&stream) }
        var consumed = 0
        return try unsafe StepwiseOutput.collect(
            limit: limit, packedCount: bytes.count, claimed: claimedSize(bytes)
        ) { room throws(CompressionError) in
            try unsafe open(&stream, bytes, from: &consumed, into: room)
        }
    }

    /// The size that the last member's trailer states, modulo 2^32.
    private static func claimedSize(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard bytes.count >= 4 else { return nil }
        let size = unsafe bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)
        return UInt64(UInt32(littleEndian: size))
    }

    /// Runs zlib until the room is full or all members are opened.
    private static func open(
        _ stream: inout z_stream, _ bytes: UnsafeRawBufferPointer, from consumed: inout Int,
        into room: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> StepwiseOutput.Progress {
        var produced = 0
        while produced < room.count {
            let outcome = unsafe inflate(
                &stream, bytes, from: &consumed,
                into: UnsafeMutableRawBufferPointer(rebasing: room[produced...]))
            produced += outcome.produced
            switch outcome.status {
            case Z_OK:
                continue
            case Z_STREAM_END where consumed == bytes.count:
                return .init(produced: produced, hasEnded: true)
            case Z_STREAM_END:
                guard unsafe inflateReset(&stream) == Z_OK else { throw .damaged }
            case Z_MEM_ERROR:
                throw .outOfMemory
            default:
                // Z_BUF_ERROR, no progress without more input, is a member cut short.
                throw .damaged
            }
        }
        return .init(produced: produced, hasEnded: false)
    }

    /// One step of zlib: takes from the input at `position`, fills `output` as far as it goes.
    private static func inflate(
        _ stream: inout z_stream, _ input: UnsafeRawBufferPointer, from position: inout Int,
        into output: UnsafeMutableRawBufferPointer
    ) -> (status: Int32, produced: Int) {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: input[position...])
        let offered = UInt32(clamping: rest.count)
        // zlib only reads its input; its C declaration has no const.
        unsafe stream.next_in = UnsafeMutablePointer(
            mutating: rest.bindMemory(to: UInt8.self).baseAddress)
        unsafe stream.avail_in = offered
        unsafe stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
        let room = UInt32(clamping: output.count)
        unsafe stream.avail_out = room
        let status = unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
        unsafe position += Int(offered - stream.avail_in)
        return unsafe (status, Int(room - stream.avail_out))
    }

    /// Packs bytes into one member.
    static func compress(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) -> [UInt8] {
        precondition(bytes.count <= Int(Int32.max), "a batch is under 2 GiB, not \(bytes.count)")
        var stream = unsafe z_stream()
        let memoryLevel: Int32 = 8
        guard
            unsafe deflateInit2_(
                &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, windowBits, memoryLevel,
                Z_DEFAULT_STRATEGY, ZLIB_VERSION, streamSize) == Z_OK
        else { throw .outOfMemory }
        defer { unsafe deflateEnd(&stream) }
        let bound = Int(unsafe deflateBound(&stream, UInt(bytes.count)))
        return unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            unsafe stream.next_in = UnsafeMutablePointer(
                mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
            unsafe stream.avail_in = UInt32(bytes.count)
            unsafe stream.next_out = output.baseAddress
            unsafe stream.avail_out = UInt32(output.count)
            let status = unsafe deflate(&stream, Z_FINISH)
            precondition(status == Z_STREAM_END, "deflateBound holds a whole member: \(status)")
            count = unsafe output.count - Int(stream.avail_out)
        }
    }
}
