// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SwimCore

@Suite("A probe of a node that was held up itself")
struct HeldUpProbeTests {
    /// A list whose process stood still from its ping on, for longer than the probe may take.
    private static func heldUp() throws -> (subject: Subject, ping: Ping, effects: [SwimEffect]) {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        let probed = subject.pass { if case .observe(.probeSent) = $0 { true } else { false } }
        var ping: Ping?
        for case .send(let packet, _) in probed {
            for case .ping(let sent) in messages(of: packet) { ping = sent }
        }
        subject.now = subject.now + .seconds(20)
        let effects = subject.perform { $0.tick(at: $1, delegate: &$2, into: &$3) }
        return (subject, try #require(ping), effects)
    }

    @Test("still gives the stream and the helpers the time that they would have had")
    func stream() throws {
        let (subject, _, effects) = try Self.heldUp()
        var timeouts: [Duration] = []
        for case .open(_, _, _, let timeout) in effects { timeouts.append(timeout) }
        #expect(timeouts == [.milliseconds(500)])
        #expect(subject.state(of: "a") == .alive)
    }

    @Test("hears the ack that waited for it, and suspects nobody")
    func waitingAck() throws {
        var (subject, ping, _) = try Self.heldUp()
        subject.receive(.ack(Ack(sequence: ping.sequence, payload: [])), from: "a")
        subject.pass(.milliseconds(900))
        #expect(subject.state(of: "a") == .alive)
        #expect(subject.list.healthScore == 0)
    }

    @Test("suspects a node that stays silent after that")
    func silence() throws {
        var (subject, _, _) = try Self.heldUp()
        subject.pass(.milliseconds(499))
        #expect(subject.state(of: "a") == .alive)
        subject.pass(.milliseconds(1))
        #expect(subject.state(of: "a") == .suspect)
    }
}
