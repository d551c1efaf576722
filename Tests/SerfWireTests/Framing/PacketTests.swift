// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct PacketTests {
    private let ping = SwimMessage.ping(Ping(sequence: 1, node: "b", source: nil))
    private let nack = SwimMessage.nack(Nack(sequence: 2))

    private func decode(_ bytes: [UInt8]) throws -> (messages: [SwimMessage], unreadable: Int) {
        var unreadable = 0
        let messages = try Packet.decode(bytes, unreadable: &unreadable)
        return (messages, unreadable)
    }

    /// A compound of any parts, more than are ever sent too.
    private func compound(_ parts: [[UInt8]]) -> [UInt8] {
        let lengths = parts.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xff)] }
        return [7, UInt8(parts.count)] + lengths + parts.joined()
    }

    private func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var writer = MessagePackWriter([9])
        writer.writeMapHead(2)
        writer.writeKey("Algo")
        writer.write(UInt8(0))
        writer.writeKey("Buf")
        writer.write(Lzw.compress(bytes))
        return writer.bytes
    }

    @Test("packets by a seed are the same once written and read, in every form")
    func roundTrip() throws {
        var random = RandomMessages(seed: 5)
        for _ in 0..<500 {
            let messages = (0..<random.number(1...30)).map { _ in random.packetMessage() }
            let (compress, crc) = (random.bool(), random.bool())
            let packet = Packet.encode(
                parts: messages.map { $0.encoded() }, compress: compress, crc: crc)
            let (read, unreadable) = try decode(packet)
            #expect(read == messages)
            #expect(unreadable == 0)
        }
    }

    @Test("one message stands bare, several in a compound with the known overhead")
    func overhead() {
        let (first, second) = (ping.encoded(), nack.encoded())
        #expect(Packet.encode(parts: [first], compress: false, crc: false) == first)
        let both = Packet.encode(parts: [first, second], compress: false, crc: false)
        let overhead = Packet.compoundOverhead + 2 * Packet.partOverhead
        #expect(both.count == first.count + second.count + overhead)
        let checked = Packet.encode(parts: [first, second], compress: false, crc: true)
        #expect(checked.count == both.count + Packet.crcOverhead)
        #expect(checked.first == 12)
    }

    @Test("a packet is compressed only where that is shorter")
    func compressesOnlyIfShorter() {
        let short = ping.encoded()
        #expect(Packet.encode(parts: [short], compress: true, crc: false) == short)
        let long = SwimMessage.user([UInt8](repeating: 7, count: 500)).encoded()
        let packed = Packet.encode(parts: [long], compress: true, crc: false)
        #expect(packed.first == 9)
        #expect(packed.count < long.count)
    }

    // MARK: Damage

    @Test("a part that cannot be read is counted, and the others are delivered")
    func badPart() throws {
        let packet = compound([ping.encoded(), [99, 1], [0, 0xc1], nack.encoded(), []])
        let (messages, unreadable) = try decode(packet)
        #expect(messages == [ping, nack])
        #expect(unreadable == 3)
    }

    @Test("a compound that is cut short delivers the parts that are whole")
    func cutCompound() throws {
        let packet = compound([ping.encoded(), nack.encoded(), nack.encoded()])
        let (messages, unreadable) = try decode([UInt8](packet.dropLast()))
        #expect(messages == [ping, nack])
        #expect(unreadable == 1)
        let (first, lost) = try decode([UInt8](packet.dropLast(nack.encoded().count + 1)))
        #expect(first == [ping])
        #expect(lost == 2)
    }

    @Test("a packet of which nothing can be read is refused for what is wrong first")
    func allBad() {
        #expect(throws: WireError.truncated) { try decode([]) }
        #expect(throws: WireError.truncated) { try decode([7]) }
        #expect(throws: WireError.truncated) { try decode([7, 2, 0]) }
        #expect(throws: WireError.unknownType(99)) { try decode(compound([[99], [0]])) }
        #expect(throws: WireError.truncated) { try decode(compound([[0], [99]])) }
    }

    @Test(
        "a kind that only streams carry is unknown in a packet",
        arguments: [6, 10, 13, 14, 244] as [UInt8])
    func streamKinds(_ type: UInt8) {
        #expect(throws: WireError.unknownType(type)) { try decode([type, 0x80, 0, 0, 0, 0]) }
    }

    @Test("an empty compound holds nothing and is no mistake")
    func emptyCompound() throws {
        let (messages, unreadable) = try decode([7, 0])
        #expect(messages.isEmpty)
        #expect(unreadable == 0)
    }

    @Test("a wrong checksum drops the packet, whichever bit is wrong")
    func wrongChecksum() throws {
        let packet = Packet.encode(parts: [ping.encoded()], compress: false, crc: true)
        for bit in 8..<(packet.count * 8) {
            var damaged = packet
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: WireError.checksumMismatch) { try decode(damaged) }
        }
    }

    @Test("a checksum is looked for once, and not in less than five bytes")
    func checksumOnce() {
        let packet = Packet.encode(parts: [ping.encoded()], compress: false, crc: true)
        #expect(throws: WireError.unknownType(12)) { try decode(compound([packet])) }
        #expect(throws: WireError.unknownType(12)) { try decode([12, 0, 0, 0]) }
        let twice = Packet.encode(parts: [packet], compress: false, crc: true)
        #expect(throws: WireError.unknownType(12)) { try decode(twice) }
    }

    // MARK: Bounds

    @Test("layers are followed to a depth and no further")
    func depth() throws {
        var packet = ping.encoded()
        for layer in 1...Packet.depthMax {
            packet = layer % 2 == 0 ? compressed(packet) : compound([packet])
            #expect(try decode(packet).messages == [ping])
        }
        #expect(throws: WireError.tooLong(limit: Packet.depthMax)) {
            try decode(compound([packet]))
        }
        #expect(throws: WireError.tooLong(limit: Packet.depthMax)) {
            try decode(compressed(packet))
        }
    }

    @Test("a compound has up to 255 parts, and so has a packet as a whole")
    func parts() throws {
        let full = compound([[UInt8]](repeating: nack.encoded(), count: 255))
        #expect(try decode(full).messages.count == 255)
        let half = compound([[UInt8]](repeating: nack.encoded(), count: 127))
        let (messages, unreadable) = try decode(compound([half, half]))
        #expect(messages.count == 127)
        #expect(unreadable == 1)
    }

    @Test("what is decompressed is bounded for the packet as a whole")
    func decompressed() throws {
        let most = SwimMessage.user([UInt8](repeating: 7, count: Packet.decompressedMax - 1))
        #expect(try decode(compressed(most.encoded())).messages == [most])
        let more = SwimMessage.user([UInt8](repeating: 7, count: Packet.decompressedMax))
        #expect(throws: WireError.tooLong(limit: Packet.decompressedMax)) {
            try decode(compressed(more.encoded()))
        }
        let half = compressed([8] + [UInt8](repeating: 7, count: Packet.decompressedMax / 2))
        let (messages, unreadable) = try decode(compound([half, half]))
        #expect(messages.count == 1)
        #expect(unreadable == 1)
    }

    @Test("a compression that is not LZW is not supported, and one without bytes malformed")
    func otherCompression() {
        #expect(throws: WireError.unsupported("compression 1")) {
            try decode(hexBytes("09 82 a4416c676f 01 a3427566 a3000302"))
        }
        #expect(throws: WireError.malformed("a compressed message is missing")) {
            try decode(hexBytes("09 81 a4416c676f 00"))
        }
        #expect(throws: WireError.truncated) {
            try decode(hexBytes("09 82 a4416c676f 00 a3427566 a3000302"))
        }
    }
}
