// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Opens compounds and compressed messages of one packet, inside each other, within bounds that hold for
/// the packet as a whole.
struct PacketOpening {
    private(set) var messages: [SwimMessage] = []
    private(set) var unreadable = 0
    private(set) var firstFlaw: WireError?
    /// How many parts of compounds may still come: as many as one compound can have.
    private var partsLeft = 255
    private var decompressedLeft = Packet.decompressedMax

    /// Takes in a message, whatever it is.
    ///
    /// What cannot be read is counted.
    mutating func open(_ content: UnsafeRawBufferPointer, depth: Int) {
        do throws(WireError) {
            try unsafe openLayer(content, depth: depth)
        } catch {
            skipped(1, error)
        }
    }

    private mutating func skipped(_ count: Int, _ flaw: WireError) {
        unreadable += count
        firstFlaw = firstFlaw ?? flaw
    }

    private mutating func openLayer(
        _ content: UnsafeRawBufferPointer, depth: Int
    ) throws(WireError) {
        var reader = unsafe MessagePackReader(content)
        let type = try reader.byte()
        switch type {
        case SwimType.compound:
            try check(depth)
            unsafe try openCompound(content, depth: depth)
        case SwimType.compress:
            try check(depth)
            let inner = try Compressed.open(&reader, limit: decompressedLeft)
            decompressedLeft -= inner.count
            unsafe inner.span.bytes.withUnsafeBytes { unsafe open($0, depth: depth + 1) }
        default:
            messages.append(try SwimMessage(packetType: type, from: &reader))
        }
    }

    private func check(_ depth: Int) throws(WireError) {
        guard depth < Packet.depthMax else { throw .tooLong(limit: Packet.depthMax) }
    }

    /// Opens all parts that are there as a whole.
    ///
    /// Those behind the end of the packet are counted.
    private mutating func openCompound(
        _ content: UnsafeRawBufferPointer, depth: Int
    ) throws(WireError) {
        guard content.count >= Packet.compoundOverhead else { throw .truncated }
        let count = unsafe Int(content[1])
        guard count <= partsLeft else { throw .tooLong(limit: 255) }
        var start = Packet.compoundOverhead + Packet.partOverhead * count
        guard content.count >= start else { throw .truncated }
        partsLeft -= count
        for place in 0..<count {
            let lengthAt = Packet.compoundOverhead + Packet.partOverhead * place
            let length = unsafe Int(content.bigEndian(at: lengthAt, as: UInt16.self))
            guard length <= content.count - start else {
                skipped(count - place, .truncated)
                return
            }
            let part = unsafe UnsafeRawBufferPointer(rebasing: content[start..<(start + length)])
            unsafe open(part, depth: depth + 1)
            start += length
        }
    }
}
