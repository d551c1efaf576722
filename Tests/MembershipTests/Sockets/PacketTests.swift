// SPDX-License-Identifier: Apache-2.0

import SerfCore
import SerfWire
import SwimCore
import Testing

@testable import Membership

/// One UDP socket of the test against one node.
@Suite struct PacketTests {
    @Test("a ping is answered with its number") func ping() async throws {
        try await withNode(testSettings("node")) { node in
            try await RawPeer.with { peer in
                try await peer.send(peer.ping(41, "node"), to: node.boundEndpoint)
                try await eventually("an ack") { try peer.acks() == [41] }
            }
        }
    }

    @Test("a ping for another name is not answered") func otherName() async throws {
        try await withNode(testSettings("node")) { node in
            try await RawPeer.with { peer in
                let endpoint = try await node.boundEndpoint
                try await peer.send(peer.ping(1, "somebody"), to: endpoint)
                try await peer.send(peer.ping(2, "node"), to: endpoint)
                try await peer.send(peer.ping(3, ""), to: endpoint)
                try await eventually("the last ack") { try peer.acks().contains(3) }
                #expect(try peer.acks() == [2, 3])
            }
        }
    }

    @Test("an ack goes to the source that the ping names") func source() async throws {
        try await withNode(testSettings("node")) { node in
            try await RawPeer.with { sender in
                try await RawPeer.with { receiver in
                    let source = Source(endpoint: receiver.endpoint, node: "receiver")
                    try await sender.send(
                        sender.ping(7, "node", source: source), to: node.boundEndpoint)
                    try await eventually("an ack") { try receiver.acks() == [7] }
                    #expect(sender.packets.isEmpty)
                }
            }
        }
    }

    @Test("each ping of a compound is answered") func compound() async throws {
        try await withNode(testSettings("node")) { node in
            try await RawPeer.with { peer in
                let parts = (1...20).map { peer.ping($0, "node").encoded() }
                let packet = Packet.encode(parts: parts, compress: true, crc: true)
                try await peer.send(packet, to: node.boundEndpoint)
                try await eventually("all acks") { try peer.acks().sorted() == Array(1...20) }
            }
        }
    }

    @Test("a target that answers is acknowledged to who asked indirectly")
    func indirectAck() async throws {
        var settings = testSettings("node")
        // However slow the machine is: an ack after this is none.
        settings.serf.swim.probeTimeout = .seconds(30)
        settings.serf.swim.probeInterval = .seconds(60)
        try await withNode(settings) { node in
            try await RawPeer.with { peer in
                try await RawPeer.with { target in
                    let request = IndirectPing(
                        sequence: 9, target: target.endpoint, node: "target", wantsNack: true,
                        source: nil)
                    let endpoint = try await node.boundEndpoint
                    try await peer.send(.indirectPing(request), to: endpoint)
                    let ping = try await value(of: "the ping for the target") {
                        try target.messages().compactMap {
                            if case .ping(let ping) = $0 { ping } else { nil }
                        }.first
                    }
                    #expect(ping.node == "target")
                    #expect(ping.source?.node == "node")
                    try await target.send(
                        .ack(Ack(sequence: ping.sequence, payload: [])), to: endpoint)
                    try await eventually("the ack") { try peer.acks() == [9] }
                    #expect(try peer.nacks().isEmpty)
                }
            }
        }
    }

    @Test("a silent target is a nack, if one is wanted") func indirectNack() async throws {
        try await withNode(testSettings("node")) { node in
            try await RawPeer.with { peer in
                try await RawPeer.with { target in
                    for (sequence, wantsNack) in [(UInt32(10), false), (11, true)] {
                        let request = IndirectPing(
                            sequence: sequence, target: target.endpoint, node: "target",
                            wantsNack: wantsNack, source: nil)
                        try await peer.send(.indirectPing(request), to: node.boundEndpoint)
                    }
                    try await eventually("the nack") { try peer.nacks() == [11] }
                    #expect(try peer.acks().isEmpty)
                }
            }
        }
    }

    @Test("a checksum is checked, and needless") func checksum() async throws {
        try await withNode(testSettings("node")) { node in
            try await RawPeer.with { peer in
                let endpoint = try await node.boundEndpoint
                func packet(_ sequence: UInt32, crc: Bool) -> [UInt8] {
                    let part = peer.ping(sequence, "node").encoded()
                    return Packet.encode(parts: [part], compress: false, crc: crc)
                }
                var damaged = packet(1, crc: true)
                damaged[4] ^= 1
                try await peer.send(damaged, to: endpoint)
                try await peer.send(packet(2, crc: true), to: endpoint)
                try await peer.send(packet(3, crc: false), to: endpoint)
                try await eventually("the acks") { try peer.acks().contains(3) }
                #expect(try peer.acks() == [2, 3])
                #expect(try await node.dropped(.malformed) == 1)
            }
        }
    }

    @Test("what cannot be read is counted and does no harm") func unknown() async throws {
        try await withNode(testSettings("node")) { node in
            try await RawPeer.with { peer in
                let endpoint = try await node.boundEndpoint
                let packets: [[UInt8]] = [[99, 1, 2, 3], [0], [0, 0xc1], [6, 0x80], [7, 255]]
                for packet in packets { try await peer.send(packet, to: endpoint) }
                try await peer.send(peer.ping(5, "node"), to: endpoint)
                try await eventually("the ack") { try peer.acks() == [5] }
                #expect(try await node.dropped(.malformed) >= packets.count - 1)
                #expect(try await node.statistics.sockets.packetsReceived == packets.count + 1)
            }
        }
    }

    @Test("with keys only what they open is heard, and answers are sealed")
    func encrypted() async throws {
        try await withNode(testSettings("node", keys: [someKey, otherKey])) { node in
            try await RawPeer.with { peer in
                let endpoint = try await node.boundEndpoint
                func seal(_ key: GossipKey) -> PacketSeal {
                    PacketSeal(keys: [key.bytes], label: [])
                }
                let stranger = GossipKey.random()
                try await peer.send(peer.ping(1, "node"), to: endpoint)
                try await peer.send(
                    SwimMessage.user([3, 0x80]).encoded(), to: endpoint)
                try await peer.send(
                    seal(stranger).seal(packet: peer.ping(2, "node").encoded()), to: endpoint)
                try await peer.send(
                    seal(someKey).seal(packet: peer.ping(3, "node").encoded()), to: endpoint)
                try await peer.send(
                    seal(otherKey).seal(packet: peer.ping(4, "node").encoded()), to: endpoint)
                // The primary key seals, whichever opened the question.
                try await eventually("both acks") {
                    try peer.acks { try seal(someKey).unseal(packet: $0) } == [3, 4]
                }
                // A plain ping begins like a sealed packet of version 0.
                #expect(try await node.dropped(.undecryptable) == 2)
                #expect(try await node.dropped(.notEncrypted) == 1)
            }
        }
    }

    @Test("without keys a sealed packet is not heard") func plain() async throws {
        try await withNode(testSettings("node")) { node in
            try await RawPeer.with { peer in
                let endpoint = try await node.boundEndpoint
                let seal = PacketSeal(keys: [someKey.bytes], label: [])
                try await peer.send(seal.seal(packet: peer.ping(1, "node").encoded()), to: endpoint)
                try await peer.send(peer.ping(2, "node"), to: endpoint)
                try await eventually("the ack") { try peer.acks() == [2] }
                #expect(try await node.dropped(.malformed) == 1)
            }
        }
    }

    @Test("a label must be exactly ours", arguments: ["", "blue"])
    func label(own: String) async throws {
        var settings = testSettings("node")
        settings.label = own
        try await withNode(settings) { node in
            try await RawPeer.with { peer in
                let endpoint = try await node.boundEndpoint
                for (sequence, label) in [(UInt32(1), "red"), (2, "blu"), (3, "blue"), (4, "")] {
                    let packet = Label.wrap(
                        peer.ping(sequence, "node").encoded(), label: Array(label.utf8))
                    try await peer.send(packet, to: endpoint)
                }
                let expected: UInt32 = own.isEmpty ? 4 : 3
                try await eventually("three are dropped") {
                    try await node.dropped(.wrongLabel) == 3
                }
                try await eventually("one is answered") {
                    try peer.acks { try Label.unwrap($0, label: Array(own.utf8)) } == [expected]
                }
            }
        }
    }

    @Test("gossip fits into 1,400 bytes, and goes along with acks", arguments: [false, true])
    func budget(isEncrypted: Bool) async throws {
        try await withNode(testSettings("node", keys: isEncrypted ? [someKey] : [])) { node in
            try await RawPeer.with { peer in
                let endpoint = try await node.boundEndpoint
                let seal = PacketSeal(keys: isEncrypted ? [someKey.bytes] : [], label: [])
                let alive = Alive(
                    incarnation: 1, node: "peer", endpoint: peer.endpoint, meta: [0xff, 0x80],
                    versions: .current)
                try await peer.send(
                    seal.seal(packet: SwimMessage.alive(alive).encoded()), to: endpoint)
                try await eventually("the peer is a member") {
                    try await node.status(of: "peer") == .alive
                }
                for number in 0..<60 {
                    let noise = (0..<300).map { _ in UInt8.random(in: 0...255) }
                    try await node.send(event: "event-\(number)", payload: noise)
                }
                try await peer.send(
                    seal.seal(packet: peer.ping(77, "node").encoded()), to: endpoint)
                try await eventually("all events, and the ack") {
                    let messages = try peer.messages { try seal.unseal(packet: $0) }
                    let events = messages.count { if case .user = $0 { true } else { false } }
                    let acks = try peer.acks { try seal.unseal(packet: $0) }
                    return events >= 60 && acks.contains(77)
                }
                // The checksum's five bytes are outside of the budget.
                let largest = peer.packets.map(\.count).max() ?? 0
                #expect(largest <= 1400 + Packet.crcOverhead)
                #expect(largest > 1000)
                let companions = try peer.packets.map { packet in
                    var unreadable = 0
                    return try Packet.decode(seal.unseal(packet: packet), unreadable: &unreadable)
                }.filter { messages in
                    messages.contains { if case .ack = $0 { true } else { false } }
                }
                #expect(companions.contains { $0.count > 1 })
            }
        }
    }
}
