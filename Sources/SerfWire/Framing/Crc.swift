// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CZlib

/// A checksum in front of a packet.
///
///     0c   CRC-32 (IEEE 802.3) of the rest, u32 big endian   rest
enum Crc {
    /// The packet behind a checksum, if there is one and it is right; or all of it.
    static func check(
        _ packet: UnsafeRawBufferPointer
    ) throws(WireError) -> UnsafeRawBufferPointer {
        guard packet.count >= Packet.crcOverhead, unsafe packet[0] == SwimType.hasCrc else {
            return unsafe packet
        }
        let rest = unsafe UnsafeRawBufferPointer(rebasing: packet[Packet.crcOverhead...])
        guard unsafe packet.bigEndian(at: 1, as: UInt32.self) == checksum(rest) else {
            throw .checksumMismatch
        }
        return unsafe rest
    }

    /// The packet with a checksum in front.
    static func wrap(_ packet: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Packet.crcOverhead + packet.count)
        bytes.append(SwimType.hasCrc)
        let sum = unsafe packet.span.bytes.withUnsafeBytes { unsafe checksum($0) }
        bytes.appendBigEndian(sum)
        bytes.append(contentsOf: packet)
        return bytes
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let start = unsafe bytes.bindMemory(to: UInt8.self).baseAddress
        return unsafe UInt32(truncatingIfNeeded: crc32(0, start, uInt(bytes.count)))
    }
}
