// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A packet as it is between the socket and the messages.
///
/// In the order of sending, from the inside out:
///
///     message, or several in a compound
///     → 09 {Algo, Buf}          compressed, if asked and shorter
///     → 0c crc32 …              with a checksum, if asked
///     → version nonce {…} tag   encrypted, the shell's part: `EncryptedFrame`
///     → f4 length label …       labelled, the shell's part: `Label`
///
/// So the bytes of a packet with everything are
///
///     f4 n label   01 nonce{12}   [ 0c crc32{4}   09 {Algo, Buf: [ 07 … ]} ]   tag{16}
///                                 └─────────── encrypted ──────────────────┘
///
/// A compound is
///
///     07   count u8   length u16 × count   part … part        lengths are big endian
///
/// On receipt compounds and compressed messages may nest in each other; a checksum is looked for once.
public enum Packet {
    /// What a compound adds to a packet: its type and the count.
    public static let compoundOverhead = 2
    /// What a compound adds for each part: its length.
    public static let partOverhead = 2
    /// What a checksum adds: its type and four bytes.
    public static let crcOverhead = 5
    /// The most parts in one packet that is sent.
    ///
    /// Agents of 0.9 slice larger ones wrongly.
    public static let partsMax = 127
    /// The most bytes that come out of all compressed messages of a packet together: as many as fit
    /// into a packet uncompressed.
    public static let decompressedMax = 65_536
    /// How deep compounds and compressed messages are followed into each other.
    public static let depthMax = 4

    /// The messages of a packet, in their order.
    ///
    /// - Parameters:
    ///   - bytes: The packet, decrypted and without its label.
    ///   - unreadable: Grows by one for each part that is skipped since it cannot be read, unless all
    ///     are and the packet is refused.
    /// - Throws: ``WireError`` if nothing of the packet can be read: what is wrong with the first part.
    public static func decode(
        _ bytes: [UInt8], unreadable: inout Int
    ) throws(WireError) -> [SwimMessage] {
        var opening = PacketOpening()
        try unsafe bytes.span.bytes.withUnsafeBytes { content throws(WireError) in
            unsafe opening.open(try Crc.check(content), depth: 0)
        }
        if opening.messages.isEmpty, let flaw = opening.firstFlaw { throw flaw }
        unreadable += opening.unreadable
        return opening.messages
    }

    /// A packet of one message, or of several.
    ///
    /// - Parameters:
    ///   - parts: 1 to ``partsMax`` encoded messages of at most 65,535 bytes each.
    ///   - compress: Whether to compress where that is shorter.
    ///   - crc: Whether to put a checksum in front; agents do so when the receiver's versions are known
    ///     and its ``Versions/swimMax`` is 5 or more.
    public static func encode(parts: [[UInt8]], compress: Bool, crc: Bool) -> [UInt8] {
        precondition(
            1...partsMax ~= parts.count, "a packet has 1 to \(partsMax) parts, not \(parts.count)")
        var packet = parts.count == 1 ? parts[0] : compound(parts)
        if compress {
            let shorter = Compressed.wrap(packet)
            if shorter.count < packet.count { packet = shorter }
        }
        return crc ? Crc.wrap(packet) : packet
    }

    private static func compound(_ parts: [[UInt8]]) -> [UInt8] {
        var packet: [UInt8] = []
        let size = parts.reduce(0) { $0 + $1.count }
        packet.reserveCapacity(compoundOverhead + partOverhead * parts.count + size)
        packet.append(SwimType.compound)
        packet.append(UInt8(parts.count))
        for part in parts {
            precondition(part.count <= UInt16.max, "a part has \(part.count) bytes")
            packet.appendBigEndian(UInt16(part.count))
        }
        for part in parts { packet.append(contentsOf: part) }
        return packet
    }
}
