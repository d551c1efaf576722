// SPDX-License-Identifier: Apache-2.0

/// LZW as Serf uses it (Welch, "A technique for high-performance data compression", 1984): codes of 9 to
/// 12 bits, the least significant bit first, 256 to clear the table and 257 at the end.
///
///     256  code  code …  [256  code …]  257  zero bits to a whole byte
///
/// The output is the one of Go's `compress/lzw`, least significant bit first, with literals of 8 bits.
public enum Lzw {
    static let clear = 256
    static let end = 257
    static let widthMin = 9
    static let widthMax = 12
    /// No code is greater.
    static let codeMax = 4095

    /// The bytes, compressed.
    ///
    /// Noise becomes up to half as long again.
    public static func compress(_ bytes: [UInt8]) -> [UInt8] {
        var encoder = LzwEncoder(expecting: bytes.count)
        encoder.encode(bytes)
        return encoder.finish()
    }

    /// The bytes that were compressed.
    ///
    /// What follows the end code is ignored.
    ///
    /// The output is measured first, so that exactly it is allocated, and only if it is within `limit`.
    ///
    /// - Throws: ``WireError/truncated`` without an end code, ``WireError/malformed(_:)`` at a code that
    ///   cannot be there, ``WireError/tooLong(limit:)`` for more than `limit` bytes.
    public static func decompress(_ bytes: [UInt8], limit: Int) throws(WireError) -> [UInt8] {
        try unsafe bytes.span.bytes.withUnsafeBytes { content throws(WireError) in
            unsafe try decompress(content, limit: limit)
        }
    }

    /// The same, of bytes in place.
    @unsafe
    static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(WireError) -> [UInt8] {
        let decoder = unsafe LzwDecoder(bytes)
        let count = unsafe try decoder.decode(into: nil, limit: limit)
        var output = [UInt8](repeating: 0, count: count)
        var span = output.mutableSpan
        _ = unsafe try span.withUnsafeMutableBufferPointer { place throws(WireError) in
            unsafe try decoder.decode(into: place, limit: limit)
        }
        return output
    }
}
