// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

/// Bytes that nobody honest sends: each gives an error or a value, and takes little memory.
///
/// What is looked for is a trap, which ends the process, so that most of these expect nothing more.
struct HostileBytesTests {
    /// Everything that takes bytes from outside.
    private func feed(_ bytes: [UInt8], label: [UInt8] = []) -> Outcome {
        var outcome = Outcome()
        var unreadable = 0
        outcome.take { () throws(WireError) in
            let packet = try Label.unwrap(bytes, label: label)
            for case .user(let content) in try Packet.decode(packet, unreadable: &unreadable) {
                _ = try SerfMessage.decode(content)
            }
        }
        outcome.take { () throws(WireError) in
            let body = try Label.unwrap(bytes, label: label)
            guard case .pushPull(let exchange) = try StreamBody.decode(body) else { return }
            _ = try SerfMessage.decode(exchange.userState)
        }
        outcome.take { () throws(WireError) in _ = try SerfMessage.decode(bytes) }
        outcome.take { () throws(WireError) in _ = try Tags.decode(bytes) }
        outcome.take { () throws(WireError) in _ = try CoordinatePayload.decode(bytes) }
        outcome.take { () throws(WireError) in _ = try Lzw.decompress(bytes, limit: 65_536) }
        outcome.take { () throws(WireError) in _ = try EncryptedFrame(packet: bytes) }
        outcome.take { () throws(WireError) in _ = try EncryptedFrame(stream: bytes) }
        outcome.take { () throws(WireError) in
            var scanner = StreamScanner(label: label)
            guard case .complete(let length) = try scanner.scan(bytes) else { return }
            guard length <= bytes.count else { preconditionFailure("whole before it is there") }
        }
        return outcome
    }

    /// All captures, of any kind, with the label that they need.
    private var captures: [(bytes: [UInt8], label: [UInt8])] {
        Vector.all.filter { $0.transport != "lzw" }.flatMap { vector in
            let label = vector.bytes.first == 0xf4 ? vector.label : []
            return [(vector.bytes, label), (hexBytes(vector.responseHex ?? ""), [])]
        }
    }

    @Test("captures cut short at every byte")
    func truncated() {
        var outcome = Outcome()
        for (bytes, label) in captures {
            for count in 0..<bytes.count {
                outcome.add(feed([UInt8](bytes[..<count]), label: label))
            }
        }
        #expect(outcome.errors > 100_000)
    }

    @Test("captures with each bit turned, one after the other")
    func flipped() {
        var outcome = Outcome()
        for (bytes, label) in captures {
            var bytes = bytes
            for bit in 0..<(bytes.count * 8) {
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                outcome.add(feed(bytes, label: label))
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            }
        }
        #expect(outcome.errors > 100_000)
        #expect(outcome.values > 10_000)
    }

    @Test("a packet that is cut short is refused, or its whole parts are delivered")
    func truncatedPackets() throws {
        for vector in Vector.packets where vector.bytes.first == 12 {
            for count in 5..<vector.bytes.count {
                var unreadable = 0
                #expect(throws: WireError.checksumMismatch) {
                    try Packet.decode([UInt8](vector.bytes[..<count]), unreadable: &unreadable)
                }
            }
        }
        let vector = Vector.named("ack-with-coordinate-default")
        var whole = 0
        let all = try Packet.decode(vector.bytes, unreadable: &whole)
        var seen: Set<Int> = []
        for count in 10..<vector.bytes.count {
            var unreadable = 0
            do throws(WireError) {
                let part = try Packet.decode(
                    [UInt8](vector.bytes[..<count]), unreadable: &unreadable)
                #expect(all.starts(with: part))
                #expect(part.count + unreadable == all.count)
                seen.insert(part.count)
            } catch {
                #expect(error == .truncated)
            }
        }
        #expect(seen == [1, 2, 3])
    }

    @Test("a million packets of random bytes, and mutated captures among them")
    func random() {
        let before = peakMemory()
        let whole = captures.map(\.bytes).filter { !$0.isEmpty }
        // Without their checksum too, so that changes get past it.
        let captures = whole + whole.filter { $0[0] == 12 }.map { [UInt8]($0[5...]) }
        var random = RandomMessages(seed: 12)
        var outcome = Outcome()
        for round in 0..<1_000_000 {
            let bytes: [UInt8]
            switch round % 8 {
            case 0..<3: bytes = random.bytes(0...1500)
            case 3..<5:
                // Behind a type that is known.
                bytes = [UInt8(random.number(0...13))] + random.bytes(0...200)
            default: bytes = random.mutated(captures[random.number(0...captures.count - 1)])
            }
            // Every eighth as everything else that takes bytes, too.
            outcome.add(round % 8 == 7 ? feed(bytes) : feedPacket(bytes))
        }
        #expect(outcome.errors > 900_000)
        #expect(outcome.values > 50_000)
        // The process holds other tests too; what one packet may take is 64 KiB out of compression.
        #expect(peakMemory() - before < 256 << 20)
    }

    /// What a node does with a packet, and no more.
    private func feedPacket(_ bytes: [UInt8]) -> Outcome {
        var outcome = Outcome()
        var unreadable = 0
        outcome.take { () throws(WireError) in
            for case .user(let content) in try Packet.decode(bytes, unreadable: &unreadable) {
                _ = try SerfMessage.decode(content)
            }
        }
        return outcome
    }

    @Test("what can be read of damaged captures is the same once written and read again")
    func readAgain() throws {
        var random = RandomMessages(seed: 13)
        let packets = Vector.packets.map(\.bytes)
        var count = 0
        for _ in 0..<20_000 {
            var unreadable = 0
            var packet = random.mutated(packets[random.number(0...packets.count - 1)])
            // Without its checksum, which would be wrong.
            if packet.count > 5, packet[0] == 12 { packet.removeFirst(5) }
            guard let messages = try? Packet.decode(packet, unreadable: &unreadable) else {
                continue
            }
            for message in messages {
                count += 1
                let again = try Packet.decode(message.encoded(), unreadable: &unreadable)
                #expect(again == [message])
                guard case .user(let content) = message else { continue }
                guard let inner = try? SerfMessage.decode(content) else { continue }
                #expect(try SerfMessage.decode(inner.encoded()) == inner)
            }
        }
        #expect(count > 10_000)
    }
}

/// How often bytes gave a value, and how often an error.
private struct Outcome {
    var values = 0
    var errors = 0

    mutating func take(_ body: () throws(WireError) -> Void) {
        do throws(WireError) {
            try body()
            values += 1
        } catch {
            errors += 1
        }
    }

    mutating func add(_ other: Outcome) {
        values += other.values
        errors += other.errors
    }
}

extension RandomMessages {
    /// The bytes with some of them changed, doubled, cut out, or with a huge length written over them.
    fileprivate mutating func mutated(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<number(1...4) where !bytes.isEmpty {
            let place = number(0...bytes.count - 1)
            let end = min(bytes.count, place + number(1...8))
            switch number(0...5) {
            case 0: bytes[place] = wide()
            case 1: bytes[place] ^= 1 << UInt8(number(0...7))
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes.replaceSubrange(place..<end, with: [0xdb, 0xff, 0xff, 0xff, 0xff])
            default: bytes.removeLast(bytes.count - place)
            }
        }
        return bytes
    }
}
