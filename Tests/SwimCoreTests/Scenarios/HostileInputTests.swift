// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfWire
import Testing

@testable import SwimCore

/// Packets and bodies that nobody honest would send.
///
/// A trap would end the test; the invariants are checked after each input.
@Suite("Hostile input")
struct HostileInputTests {
    private func randomBytes(_ count: Int, using random: inout SplitMix64) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    private func randomName(using random: inout SplitMix64) -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: "me"
        case 1: ""
        case 2: String(repeating: "x", count: Int.random(in: 0...2000, using: &random))
        default: "n\(Int.random(in: 0..<40, using: &random))"
        }
    }

    private func randomMessage(using random: inout SplitMix64) -> SwimMessage {
        let name = randomName(using: &random)
        let from = randomName(using: &random)
        let incarnation = [0, 1, 2, 3, .max].randomElement(using: &random) ?? UInt32(1)
        let sequence = UInt32.random(in: 0...UInt32.max, using: &random)
        let source =
            Bool.random(using: &random)
            ? Source(endpoint: endpoint(of: from), node: from) : nil
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .ping(Ping(sequence: sequence, node: name, source: source))
        case 1:
            return .indirectPing(
                IndirectPing(
                    sequence: sequence, target: endpoint(of: name), node: name,
                    wantsNack: Bool.random(using: &random), source: source))
        case 2: return .ack(Ack(sequence: sequence, payload: randomBytes(9, using: &random)))
        case 3: return .nack(Nack(sequence: sequence))
        case 4: return suspect(name, incarnation, from: from)
        case 5: return dead(name, incarnation, from: from)
        default:
            let meta = randomBytes(Int.random(in: 0...3000, using: &random), using: &random)
            let bytes = (0..<6).map { _ in UInt8.random(in: 0...6, using: &random) }
            let versions = Versions(
                swimMin: bytes[0], swimMax: bytes[1], swimCurrent: bytes[2], serfMin: bytes[3],
                serfMax: bytes[4], serfCurrent: bytes[5])
            return .alive(
                Alive(
                    incarnation: incarnation, node: name, endpoint: endpoint(of: from),
                    meta: meta,
                    versions: Bool.random(using: &random) ? .current : versions))
        }
    }

    private func small() -> SwimSettings {
        var settings = SwimSettings.lan
        settings.compress = false
        settings.nodesMax = 20
        settings.queueMax = 30
        settings.relaysMax = 10
        settings.exchangesMax = 4
        return settings
    }

    @Test("of random bytes is counted and has no effect on the table")
    func randomPackets() {
        var random = SplitMix64(seed: 11)
        var subject = Subject(settings: .lan)
        for _ in 0..<20_000 {
            var packet = randomBytes(Int.random(in: 0...80, using: &random), using: &random)
            // Half of them begin like a message, so that they get further.
            if !packet.isEmpty, Bool.random(using: &random) {
                packet[0] = UInt8.random(in: 0...13, using: &random)
            }
            var effects: [SwimEffect] = []
            subject.list.receive(
                packet: packet, from: endpoint(of: "x"), at: subject.now,
                delegate: &subject.delegate, into: &effects)
            subject.delegate.calls = []
            #expect(effects.count <= 260)
        }
        subject.list.checkInvariants()
        #expect(subject.list.nodeCount == 1)
        #expect(subject.list.counters.unreadable > 1000)
    }

    @Test("of well-formed lies keeps all limits, and us alive in our own eyes")
    func lies() {
        for seed in 1...12 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            var subject = Subject(settings: small(), seed: seed)
            for step in 0..<300 {
                let count = Int.random(in: 1...20, using: &random)
                let parts = (0..<count).map { _ in randomMessage(using: &random).encoded() }
                let packet = Packet.encode(
                    parts: parts, compress: Bool.random(using: &random), crc: false)
                let effects = subject.receive(packet: packet, from: "n\(step % 50)")
                #expect(effects.count <= 3 * count)
                if step % 10 == 0 {
                    subject.pass(.milliseconds(Int64.random(in: 0...900, using: &random)))
                }
                #expect(subject.list.localNode.state == .alive)
                #expect(subject.list.nodeCount <= 20)
                subject.delegate.calls = []
            }
        }
    }

    @Test("of bit-flipped packets and bodies never traps")
    func flipped() {
        var random = SplitMix64(seed: 5)
        var subject = Subject(settings: small())
        let nodes = (0..<8).map { record("n\($0)", UInt32($0), Liveness.allCases[$0 % 4]) }
        let body = StreamBody.encode(
            .pushPull(PushPull(isJoin: true, nodes: nodes, userState: [1, 2, 3])), compress: false)
        for step in 0..<1500 {
            let parts = (0..<3).map { _ in randomMessage(using: &random).encoded() }
            var packet = Packet.encode(parts: parts, compress: false, crc: false)
            packet[Int.random(in: 0..<packet.count, using: &random)] ^=
                1 << UInt8.random(in: 0..<8, using: &random)
            subject.receive(packet: packet, from: "x")
            var request = body
            request[Int.random(in: 0..<request.count, using: &random)] ^=
                1 << UInt8.random(in: 0..<8, using: &random)
            let effects = subject.receive(requestBytes: request, on: UInt64(2 * step + 2))
            let ends = effects.filter {
                switch $0 {
                case .reply, .close: true
                default: false
                }
            }
            #expect(ends.count == 1, "each accepted stream gets one end")
            subject.delegate.calls = []
        }
    }

    @Test("of a large table in one push/pull is merged within the limits")
    func largeTable() {
        var settings = SwimSettings.lan
        settings.nodesMax = 3000
        settings.queueMax = 500
        var subject = Subject(settings: settings)
        let nodes = (0..<10_000).map { record("n\($0)") }
        subject.receive(
            request: .pushPull(PushPull(isJoin: true, nodes: nodes, userState: [])))
        #expect(subject.list.nodeCount == 3000)
        #expect(subject.list.queuedBroadcasts == 500)
    }

    @Test("of forged acks for a probe can only keep a node that we suspect, not end one")
    func forgedAcks() {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        var effects: [SwimEffect] = []
        for sequence in 0..<5000 as Range<UInt32> {
            subject.list.receive(
                packet: SwimMessage.ack(Ack(sequence: sequence, payload: [])).encoded(),
                from: endpoint(of: "x"), at: subject.now, delegate: &subject.delegate,
                into: &effects)
        }
        #expect(effects == [])
        #expect(subject.delegate.calls == [])
    }

    @Test("of forged suspicions and deaths about us is refuted each time, whatever the number")
    func forgedAccusations() {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        for step in 0..<500 as Range<UInt32> {
            subject.receive(suspect("me", step * 3), dead("me", step * 3 + 1, from: "me"))
        }
        #expect(subject.list.localNode.state == .alive)
        #expect(subject.list.localNode.incarnation == 499 * 3 + 2)
        #expect(subject.queued.count == 1)
    }

    @Test("flood about others does not keep our own refutation from going out")
    func refutationGoesOut() {
        var settings = SwimSettings.quiet
        settings.queueMax = 50
        settings.nodesMax = 300
        var subject = Subject(settings: settings)
        subject.know("a")
        subject.receive(suspect("me", 1))
        for round in 0..<10 {
            for number in 0..<25 {
                subject.receive(.alive(alive("f\(round)-\(number)")))
            }
        }
        let heard = subject.pass(.seconds(3)).packets.flatMap { messages(of: $0) }
        #expect(heard.contains(.alive(alive("me", 2))))
    }
}
