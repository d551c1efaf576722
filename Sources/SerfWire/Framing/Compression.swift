// SPDX-License-Identifier: Apache-2.0

/// A message inside a compressed one.
///
///     09  {Algo: 0, Buf: the message in LZW}
enum Compressed {
    /// The compressed form of a message, longer than it when there is nothing to gain.
    static func wrap(_ message: [UInt8]) -> [UInt8] {
        let packed = Lzw.compress(message)
        var writer = MessagePackWriter(type: SwimType.compress, capacity: packed.count + 24)
        writer.writeMapHead(2)
        writer.writeKey("Algo")
        writer.write(UInt8(0))
        writer.writeKey("Buf")
        writer.write(packed)
        return writer.bytes
    }

    /// The message inside, which is what follows the type byte.
    ///
    /// It has at most `limit` bytes.
    static func open(
        _ reader: inout MessagePackReader, limit: Int
    ) throws(WireError) -> [UInt8] {
        var algorithm: UInt8 = 0
        var packed: Range<Int>?
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Algo": algorithm = try reader.integer()
            case "Buf": packed = try reader.rawRange()
            default: try reader.skip()
            }
        }
        guard algorithm == 0 else { throw .unsupported("compression \(algorithm)") }
        guard let packed else { throw .malformed("a compressed message is missing") }
        return unsafe try Lzw.decompress(reader.bytes(in: packed), limit: limit)
    }
}
