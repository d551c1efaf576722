// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SwimCore

@Suite("For the probes of others, a node")
struct AnswersTests {
    private func subject(_ settings: SwimSettings = .quiet) -> Subject {
        var subject = Subject(settings: settings)
        subject.know("asker", "target")
        return subject
    }

    private func source(_ name: String) -> Source {
        Source(endpoint: endpoint(of: name), node: name)
    }

    // MARK: pings

    @Test("answers to the address that the ping names, with the layer's payload")
    func answersToSource() {
        var subject = subject()
        subject.delegate.payload = [1, 2, 3]
        let ping = Ping(sequence: 8, node: "me", source: source("asker"))
        let effects = subject.receive(.ping(ping), from: "gateway")
        #expect(effects.sent(to: "asker") == [.ack(Ack(sequence: 8, payload: [1, 2, 3]))])
        #expect(effects.sent(to: "gateway") == [])
    }

    @Test("answers to where the packet came from if the ping names no address")
    func answersToPacket() {
        var subject = subject()
        let effects = subject.receive(
            .ping(Ping(sequence: 8, node: "", source: nil)), from: "stranger")
        #expect(effects.sent(to: "stranger") == [.ack(Ack(sequence: 8, payload: []))])
    }

    @Test("answers to the default port if the ping names port 0")
    func answersToDefaultPort() {
        var subject = subject()
        var named = source("asker")
        named.endpoint.port = 0
        let effects = subject.receive(.ping(Ping(sequence: 8, node: "me", source: named)))
        #expect(effects.sent(to: "asker").acks.count == 1)
    }

    @Test("does not answer for another name")
    func otherName() {
        var subject = subject()
        #expect(subject.receive(.ping(Ping(sequence: 8, node: "you", source: nil))) == [])
    }

    @Test("answers all pings of one packet")
    func manyPings() {
        var subject = subject()
        let pings = (1...127).map {
            SwimMessage.ping(Ping(sequence: $0, node: "me", source: nil)).encoded()
        }
        let packet = Packet.encode(parts: pings, compress: false, crc: false)
        #expect(
            subject.receive(packet: packet).sent(to: "other").acks.map(\.sequence) == Array(1...127)
        )
    }

    @Test("answers on a stream on the stream, or closes it if another one is meant")
    func streamPing() {
        var subject = subject()
        subject.delegate.payload = [1]
        let effects = subject.receive(
            request: .ping(Ping(sequence: 8, node: "me", source: source("asker"))))
        #expect(effects.replies == [.ack(Ack(sequence: 8, payload: []))])
        #expect(effects.count == 1)
        let refused = subject.receive(
            request: .ping(Ping(sequence: 8, node: "you", source: nil)), on: 4)
        #expect(refused == [.close(StreamID(rawValue: 4))])
    }

    // MARK: helping

    private func help(
        _ subject: inout Subject, _ sequence: UInt32 = 70, wantsNack: Bool = true
    ) -> (effects: [SwimEffect], ping: Ping?) {
        let request = IndirectPing(
            sequence: sequence, target: endpoint(of: "target"), node: "target",
            wantsNack: wantsNack, source: source("asker"))
        let effects = subject.receive(.indirectPing(request), from: "gateway")
        return (effects, effects.sent(to: "target").pings.first)
    }

    @Test("pings for the asker, with a number and a source of its own")
    func helps() throws {
        var subject = subject()
        let (effects, ping) = help(&subject)
        #expect(effects.count == 1)
        #expect(ping?.node == "target")
        #expect(ping?.sequence != 70)
        #expect(ping?.source == source("me"))
    }

    @Test("hands the ack on with the asker's number, to the asker's own address, and no nack")
    func relaysAck() throws {
        var subject = subject()
        let ping = try #require(help(&subject).ping)
        let effects = subject.receive(
            .ack(Ack(sequence: ping.sequence, payload: [5])), from: "target")
        #expect(effects.sent(to: "asker") == [.ack(Ack(sequence: 70, payload: []))])
        #expect(subject.pass(.milliseconds(500)).sent(to: "asker").nacks == [])
        let late = subject.receive(.ack(Ack(sequence: ping.sequence, payload: [])), from: "target")
        #expect(late == [], "once only")
    }

    @Test("says after the probe timeout that it has heard nothing, if that is wanted")
    func nacks() {
        var subject = subject()
        let ping = help(&subject).ping
        #expect(subject.pass(.milliseconds(499)).sent(to: "asker").nacks == [])
        #expect(subject.pass(.milliseconds(1)).sent(to: "asker").nacks == [Nack(sequence: 70)])
        let late = subject.receive(.ack(Ack(sequence: ping?.sequence ?? 0, payload: [])))
        #expect(late.sent(to: "asker") == [])

        _ = help(&subject, wantsNack: false)
        #expect(subject.pass(.seconds(1)).sent(to: "asker").nacks == [])
        #expect(subject.list.relays.isEmpty)
    }

    @Test("helps no more than so many at a time, and says so")
    func bounded() {
        var settings = SwimSettings.quiet
        settings.relaysMax = 5
        var subject = subject(settings)
        let pings = (1...9).compactMap { help(&subject, $0).ping }
        #expect(pings.count == 5)
        #expect(help(&subject, 10).effects == [.observe(.overloaded)])
        subject.pass(.milliseconds(500))
        #expect(help(&subject, 11).ping != nil)
    }

    @Test("does not pass on the name of a node that is too long to be one")
    func longName() {
        var subject = subject()
        let request = IndirectPing(
            sequence: 1, target: endpoint(of: "target"),
            node: String(repeating: "n", count: SwimNode.nameBytesMax + 1), wantsNack: true,
            source: nil)
        #expect(subject.receive(.indirectPing(request)) == [])
    }
}
