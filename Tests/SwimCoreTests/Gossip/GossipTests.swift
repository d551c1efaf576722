// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfWire
import Testing

@testable import SwimCore

@Suite("Gossip")
struct GossipTests {
    private func news(_ count: Int, meta: Int = 0) -> [SwimMessage] {
        (0..<count).map {
            .alive(alive("n\($0)", 1, meta: [UInt8](repeating: 1, count: meta)))
        }
    }

    @Test("goes to three random nodes at a time, and is sent as often as the formula says")
    func spreads() {
        var subject = Subject(settings: .quiet)
        subject.know("a", "b", "c", "d", "e")
        subject.receive(suspect("a", 1))
        var copies: [Int] = []
        for _ in 0..<3 {
            let packets = subject.pass(.milliseconds(200)).filter { effect in
                if case .send(let packet, _) = effect {
                    messages(of: packet).contains(suspect("a", 1))
                } else {
                    false
                }
            }
            copies.append(packets.count)
        }
        // Six nodes: 4 x ceil(log10 7) = 4 transmissions, some of them along with a ping.
        #expect(copies.reduce(0, +) == 4)
        #expect(subject.queued == [])
    }

    @Test(
        "is sent this often in a cluster of so many",
        arguments: [(1, 4), (2, 4), (9, 4), (10, 8), (99, 8), (100, 12), (999, 12), (1000, 16)])
    func limit(nodes: Int, limit: Int) {
        var subject = Subject(settings: .quiet, isStarted: false)
        for number in 1..<max(2, nodes) where nodes > 1 {
            subject.list.apply(
                alive: alive("n\(number)"), delegate: &subject.delegate, into: &subject.ignored)
        }
        #expect(subject.list.nodeCount == nodes)
        #expect(subject.list.retransmitLimit == limit)
    }

    @Test("goes to the dead for a while, and never to those that left")
    func toTheDead() {
        var subject = Subject(settings: .quiet)
        subject.know("gone", "away")
        subject.receive(dead("gone"), dead("away", from: "away"))
        var effects = subject.pass(.seconds(1))
        #expect(effects.sent(to: "gone").contains(dead("gone")))
        #expect(effects.sent(to: "away") == [])
        subject.pass(.seconds(29))
        let isHeld = subject.list.node(named: "gone") != nil
        #expect(isHeld, "forgotten at the end of a round only")
        _ = subject.perform { list, now, delegate, _ in
            list.update(meta: [1], at: now, delegate: &delegate)
        }
        effects = subject.pass(.seconds(2))
        #expect(effects.packets.isEmpty)
        #expect(!subject.list.hasCompany)
    }

    @Test("holds the delegate's messages behind our own, in the room that is left")
    func delegateMessages() throws {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        subject.receive(suspect("a", 1))
        let user = [8] + [UInt8](repeating: 2, count: 50)
        subject.delegate.pending = [user]
        let effects = subject.pass { if case .send = $0 { true } else { false } }
        #expect(effects.sent(to: "a").last == .user(Array(user.dropFirst())))
        #expect(effects.sent(to: "a").contains(suspect("a", 1)))
        let message = suspect("a", 1).encoded().count
        let budget = try #require(subject.delegate.budgets.first)
        #expect(budget <= 1400 - 2 - message - 2)
    }

    @Test("is bare if it is one message, with a checksum for those that take it")
    func framing() {
        for (hasChecksum, swimMax) in [(true, 5), (false, 4)] as [(Bool, UInt8)] {
            var subject = Subject(settings: .quiet)
            var versions = Versions.current
            versions.swimMax = swimMax
            subject.know("a", versions: versions)
            subject.receive(suspect("me", 1))
            let news = SwimMessage.alive(alive("me", 2))
            // The other copies go along with pings, which have none.
            let gossip = subject.pass(.seconds(1)).packets.filter { messages(of: $0) == [news] }
            #expect(!gossip.isEmpty)
            for packet in gossip {
                #expect((packet.first == 12) == hasChecksum)
                #expect((hasChecksum ? Array(packet.dropFirst(5)) : packet) == news.encoded())
            }
        }
    }

    @Test("has no checksum if that is switched off")
    func noChecksums() {
        var settings = SwimSettings.quiet
        settings.sendsCrc = false
        var subject = Subject(settings: settings)
        subject.know("a")
        subject.receive(suspect("a", 1))
        for packet in subject.pass(.seconds(3)).packets { #expect(packet.first != 12) }
    }

    @Test("goes along with pings, acks and requests to help")
    func piggyback() {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        subject.receive(.alive(alive("b")))
        let effects = subject.receive(.ping(Ping(sequence: 4, node: "me", source: nil)), from: "a")
        #expect(
            effects.sent(to: "a") == [.ack(Ack(sequence: 4, payload: [])), .alive(alive("b"))])
        #expect(effects.packets.count == 1)
    }

    @Test("does not go along with answers to strangers, who could use it up")
    func strangers() {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        subject.receive(.alive(alive("b")))
        for sequence in 0..<1000 as Range<UInt32> {
            let effects = subject.receive(
                .ping(Ping(sequence: sequence, node: "me", source: nil)), from: "stranger")
            #expect(effects.sent(to: "stranger").count == 1)
        }
        #expect(subject.queued == [.alive(alive("b"))])
    }

    @Test("stays within the budget of a packet and 127 parts, whatever waits")
    func budget() {
        for seed in 1...60 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            var settings = SwimSettings.quiet
            settings.packetOverhead = Int.random(in: 0...60, using: &random)
            var subject = Subject(settings: settings, seed: seed)
            subject.know("a", "b", "c")
            for number in 0..<150 {
                let meta = Int.random(in: 0...1500, using: &random)
                let size = Bool.random(using: &random) ? meta : 0
                subject.receive(
                    .alive(alive("n\(number)", meta: [UInt8](repeating: 1, count: size))))
            }
            for _ in 0..<200 {
                let size = Int.random(in: 1...700, using: &random)
                subject.delegate.pending.append([8] + [UInt8](repeating: 2, count: size))
            }
            subject.delegate.payload = [UInt8](repeating: 3, count: 90)
            var packets = subject.pass(.seconds(3)).packets
            packets +=
                subject.receive(.ping(Ping(sequence: 1, node: "me", source: nil)), from: "a")
                .packets
            #expect(packets.count > 10)
            for packet in packets {
                let checksum = packet.first == 12 ? 5 : 0
                #expect(packet.count <= 1400 - settings.packetOverhead + checksum)
                let content = packet.first == 12 ? Array(packet.dropFirst(5)) : packet
                if content.first == 7 { #expect(content[1] <= 127) }
                #expect(!messages(of: packet).isEmpty)
            }
        }
    }

    @Test("of many short messages goes out in packets of 127 parts")
    func manyParts() {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        subject.delegate.pending = [[UInt8]](repeating: [8, 1], count: 300)
        let packets = subject.pass(.milliseconds(200)).packets
        let counts = packets.map { messages(of: $0).count }
        #expect(counts.reduce(0, +) >= 300)
        #expect(counts.max() == 127)
    }

    @Test("queue is bounded: what was sent most is dropped, what we say of ourselves is not")
    func overflow() {
        var settings = SwimSettings.quiet
        settings.queueMax = 20
        var subject = Subject(settings: settings)
        let packet = Packet.encode(
            parts: news(100).map { $0.encoded() }, compress: false, crc: false)
        subject.receive(packet: packet)
        #expect(subject.list.queuedBroadcasts == 20)
        #expect(subject.queued.contains(.alive(alive("me"))))
        let effects = subject.pass(.milliseconds(200))
        #expect(effects.observations.contains(.queueOverflow(81)))
        #expect(subject.list.nodeCount == 101, "the table has them all")
    }

    @Test("queue names no node twice: the last word about it holds")
    func lastWord() {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        subject.receive(.alive(alive("a", 2)), suspect("a", 2), .alive(alive("a", 3)), dead("a", 3))
        #expect(subject.queued == [dead("a", 3)])
    }

    @Test("counts what goes in and out")
    func counters() {
        var subject = Subject(settings: .quiet)
        let effects = subject.receive(
            .ping(Ping(sequence: 1, node: "me", source: nil)), .user([1, 2]))
        #expect(subject.list.counters.messagesReceived == 2)
        #expect(subject.list.counters.messagesSent == 1)
        #expect(subject.list.counters.bytesSent == UInt64(effects.packets[0].count))
        subject.receive(packet: [99])
        #expect(subject.list.counters.unreadable == 1)
        #expect(subject.delegate.calls.last == .received([1, 2]))
    }

    @Test("sends a message of the layer above alone, to any address, at once")
    func userMessage() {
        var subject = Subject(settings: .quiet)
        let effects = subject.perform { list, _, _, effects in
            list.send(userMessage: [5, 6], to: endpoint(of: "x"), into: &effects)
        }
        #expect(effects == [.send([8, 5, 6], to: endpoint(of: "x"))])
        #expect(SwimSettings.quiet.packet(userMessage: [5, 6]) == [8, 5, 6])
    }

    @Test("is compressed where that is shorter, if asked")
    func compression() {
        var subject = Subject(settings: .lan)
        subject.know("a")
        subject.delegate.pending = [[8] + [UInt8](repeating: 0, count: 600)]
        let packet = subject.pass(.milliseconds(200)).packets.first ?? []
        #expect(packet.count < 300)
        #expect(messages(of: packet).contains(.user([UInt8](repeating: 0, count: 600))))
    }
}
