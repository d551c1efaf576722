// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SwimCore

/// A list that knows `a` and helpers, at the moment when it has pinged `a`.
private struct Probing {
    var subject: Subject
    var ping: Ping
    let effects: [SwimEffect]

    /// Passes time, answering all other pings, until `a` is probed.
    init(
        helpers: [String] = [], versions: Versions = .current, settings: SwimSettings = .quiet,
        health: Int = 0, prepare: (inout Subject) -> Void = { _ in }
    ) throws {
        var subject = Subject(settings: settings)
        subject.receive(.alive(alive("a", 3, versions: versions)))
        for helper in helpers { subject.know(helper) }
        prepare(&subject)
        subject.exhaustGossip()
        subject.delegate.calls = []
        for _ in 0..<20 {
            let effects = subject.pass { $0.probed != nil }
            subject.list.healthScore = health
            if case .probeSent(node: "a") = effects.observations.first(where: { $0.isProbe }) {
                ping = try #require(effects.sent(to: "a").pings.first)
                self.effects = effects
                subject.exhaustGossip()
                // The deadline was reckoned with the health before.
                let probe = try #require(subject.list.probe)
                subject.list.probe = Probe(
                    node: probe.node, sequence: probe.sequence, sent: probe.sent,
                    deadline: probe.sent + settings.probeInterval * (health + 1),
                    timer: probe.timer)
                self.subject = subject
                return
            }
            for helper in helpers {
                for ping in effects.sent(to: helper).pings {
                    subject.receive(
                        .ack(Ack(sequence: ping.sequence, payload: [])), from: helper)
                }
            }
            subject.delegate.calls = []
        }
        throw WireError.malformed("a was never probed")
    }
}

extension SwimEffect {
    fileprivate var probed: String? {
        if case .observe(.probeSent(let node)) = self { node } else { nil }
    }
}

extension SwimObservation {
    fileprivate var isProbe: Bool {
        if case .probeSent = self { true } else { false }
    }
}

@Suite("A probe")
struct ProbingTests {
    // MARK: direct

    @Test("asks a node by its name, and says where the answer is to go")
    func ping() throws {
        let probing = try Probing()
        #expect(probing.ping.node == "a")
        #expect(probing.ping.source == Source(endpoint: endpoint(of: "me"), node: "me"))
        #expect(probing.effects.packets.count == 1)
    }

    @Test("that is answered at once tells the round trip and the payload, and makes us healthier")
    func directAck() throws {
        var probing = try Probing(health: 3)
        probing.subject.pass(.milliseconds(40))
        let effects = probing.subject.receive(
            .ack(Ack(sequence: probing.ping.sequence, payload: [1, 2])), from: "a")
        #expect(probing.subject.delegate.calls == [.acknowledged("a", .milliseconds(40), [1, 2])])
        #expect(effects == [.observe(.healthChanged(2))])
        #expect(probing.subject.list.probe == nil)
        #expect(probing.subject.state(of: "a") == .alive)
    }

    @Test("takes an ack from any address, for gateways change them")
    func ackFromElsewhere() throws {
        var probing = try Probing()
        probing.subject.receive(
            .ack(Ack(sequence: probing.ping.sequence, payload: [])), from: "gateway")
        #expect(probing.subject.list.probe == nil)
    }

    @Test("does not mind acks and nacks with numbers that nobody waits for")
    func strangeAcks() throws {
        var probing = try Probing()
        let before = probing.subject.list.timers.count
        for offset in 1...200 as ClosedRange<UInt32> {
            let effects = probing.subject.receive(
                .ack(Ack(sequence: probing.ping.sequence &+ offset, payload: [9])),
                .nack(Nack(sequence: probing.ping.sequence &+ offset)))
            #expect(effects == [])
        }
        #expect(probing.subject.list.probe != nil)
        #expect(probing.subject.list.timers.count == before)
        #expect(probing.subject.delegate.calls == [])
    }

    // MARK: indirect

    @Test("asks three helpers and a stream, with the same number, when the node is silent")
    func indirect() throws {
        var probing = try Probing(helpers: ["h1", "h2", "h3", "h4"])
        #expect(probing.subject.pass(.milliseconds(499)).opened.isEmpty)
        let effects = probing.subject.pass(.milliseconds(1))
        let asked = ["h1", "h2", "h3", "h4"].flatMap { effects.sent(to: $0).indirectPings }
        #expect(asked.count == 3)
        for request in asked {
            #expect(
                request
                    == IndirectPing(
                        sequence: probing.ping.sequence, target: endpoint(of: "a"), node: "a",
                        wantsNack: true,
                        source: Source(endpoint: endpoint(of: "me"), node: "me")))
        }
        #expect(effects.opened.count == 1)
        #expect(effects.opened.first?.to == endpoint(of: "a"))
        #expect(effects.opened.first?.request == .ping(probing.ping))
        #expect(effects.opened.first?.timeout == .milliseconds(500))
        #expect(effects.opened.first?.stream.rawValue == 1)
    }

    @Test("that a helper's ack answers is a success, but no round trip; the stream is given up")
    func indirectAck() throws {
        var probing = try Probing(helpers: ["h1", "h2"])
        let stream = try #require(probing.subject.pass(.milliseconds(500)).opened.first?.stream)
        let effects = probing.subject.receive(
            .ack(Ack(sequence: probing.ping.sequence, payload: [7])), from: "h1")
        #expect(effects == [.close(stream)])
        #expect(probing.subject.delegate.calls == [])
        #expect(
            probing.subject.receive(answer: .ack(Ack(sequence: 1, payload: [])), on: stream) == [])
        probing.subject.pass(.milliseconds(500))
        #expect(probing.subject.state(of: "a") == .alive)
    }

    @Test("that only the stream answers is a success at the end, and said, for packets are lost")
    func streamOnly() throws {
        var probing = try Probing(helpers: ["h1"], health: 2)
        let stream = try #require(probing.subject.pass(.milliseconds(500)).opened.first?.stream)
        let ack = SwimMessage.ack(Ack(sequence: probing.ping.sequence, payload: []))
        #expect(probing.subject.receive(answer: ack, on: stream) == [])
        #expect(probing.subject.list.probe != nil, "a packet may still show that it comes through")
        let effects = probing.subject.pass(.milliseconds(2500))
        #expect(effects.observations.contains(.probeByStream(node: "a")))
        #expect(probing.subject.state(of: "a") == .alive)
        #expect(probing.subject.list.healthScore == 1)
    }

    @Test("is not answered by a stream's ack with another number, or by another message")
    func wrongStreamAnswer() throws {
        for answer in [
            SwimMessage.ack(Ack(sequence: 77, payload: [])), .error("no"),
            .ping(Ping(sequence: 1, node: "me", source: nil)),
        ] {
            var probing = try Probing()
            let stream = try #require(
                probing.subject.pass(.milliseconds(500)).opened.first?.stream)
            probing.subject.receive(answer: answer, on: stream)
            let effects = probing.subject.pass(.milliseconds(500))
            #expect(effects.observations.contains(.probeFailed(node: "a")))
        }
    }

    @Test(
        "opens no stream to a node that does not answer there, nor asks for nacks that nobody sends"
    )
    func oldVersions() throws {
        var old = Versions.current
        old.swimMax = 2
        var probing = try Probing(helpers: ["h"], versions: old) { subject in
            subject.receive(.alive(alive("old", versions: old)))
        }
        let effects = probing.subject.pass(.milliseconds(500))
        #expect(effects.opened.isEmpty)
        #expect(effects.sent(to: "h").indirectPings.map(\.wantsNack) == [true])
        #expect(effects.sent(to: "old").indirectPings.map(\.wantsNack) == [false])
    }

    // MARK: failure

    @Test("that nobody answers makes the node suspect, with the incarnation that was probed")
    func failure() throws {
        var probing = try Probing()
        let stream = try #require(probing.subject.pass(.milliseconds(500)).opened.first?.stream)
        let effects = probing.subject.pass(.milliseconds(500))
        #expect(
            effects.observations.prefix(3) == [
                .probeFailed(node: "a"), .healthChanged(1), .suspected(node: "a", from: "me"),
            ])
        #expect(effects.contains(.close(stream)))
        #expect(probing.subject.state(of: "a") == .suspect)
        #expect(probing.subject.queued.contains(suspect("a", 3, from: "me")))
    }

    @Test("suspects nobody who has said something newer in the meantime")
    func newerIncarnation() throws {
        var probing = try Probing()
        probing.subject.receive(.alive(alive("a", 4)))
        let effects = probing.subject.pass(.seconds(1))
        #expect(effects.observations.contains(.probeFailed(node: "a")))
        #expect(probing.subject.state(of: "a") == .alive)
    }

    @Test(
        "that fails costs health: one for each nack that is missing, or one if none could come",
        arguments: [(0, 0, 1), (3, 0, 3), (3, 2, 1), (3, 3, 0), (3, 9, 0), (1, 0, 1)])
    func nacks(helpers: Int, nacks: Int, cost: Int) throws {
        // In ill health there is time for nacks: a helper sends them after its own probe timeout.
        var probing = try Probing(helpers: (0..<helpers).map { "h\($0)" }, health: 2)
        probing.subject.receive(.nack(Nack(sequence: probing.ping.sequence)))
        probing.subject.pass(.milliseconds(500))
        for helper in 0..<nacks {
            probing.subject.receive(
                .nack(Nack(sequence: probing.ping.sequence)), from: "h\(helper)")
        }
        let effects = probing.subject.pass(.milliseconds(2500))
        #expect(effects.observations.contains(.probeFailed(node: "a")))
        #expect(probing.subject.list.healthScore == 2 + cost)
    }

    @Test("of an unhealthy prober has more time, and delays the next one to its own end")
    func scaled() throws {
        var probing = try Probing(helpers: ["h"], health: 2)
        var effects = probing.subject.pass(.milliseconds(2999))
        #expect(!effects.observations.contains { $0.isProbe })
        #expect(probing.subject.state(of: "a") == .alive)
        effects = probing.subject.pass(.milliseconds(1))
        #expect(effects.observations.contains(.probeFailed(node: "a")))
        #expect(effects.observations.contains { $0.isProbe }, "the one that was due meanwhile")
        #expect(probing.subject.list.probe?.deadline == probing.subject.now + .seconds(4))
    }

    @Test("of a suspect says so in the same packet, so that it can refute")
    func suspectIsTold() throws {
        let probing = try Probing(helpers: ["h"]) { subject in
            subject.receive(suspect("a", 3, from: "h"))
        }
        #expect(
            probing.effects.sent(to: "a").prefix(2)
                == [.ping(probing.ping), suspect("a", 3, from: "me")])
        let packet = try #require(probing.effects.packets.first)
        #expect(packet.first == 12, "with a checksum, as the node is known to take it")
    }

    @Test("that fails for a suspect confirms the suspicion")
    func confirms() throws {
        var probing = try Probing(helpers: ["h1", "h2", "h3"]) { subject in
            subject.receive(suspect("a", 3, from: "h1"))
        }
        let effects = probing.subject.pass(.seconds(1))
        #expect(effects.observations.contains(.suspicionConfirmed(node: "a", from: "me")))
    }

    @Test("is done by one at a time, one an interval")
    func beat() {
        var subject = Subject(settings: .quiet)
        subject.know("a", "b")
        var probes: [Moment] = []
        for _ in 0..<10 {
            let effects = subject.pass { $0.probed != nil }
            probes.append(subject.now)
            for name in ["a", "b"] {
                for ping in effects.sent(to: name).pings {
                    subject.receive(.ack(Ack(sequence: ping.sequence, payload: [])))
                }
            }
        }
        #expect(probes[0] < Moment(nanoseconds: 1_000_000_000), "the first within an interval")
        for (early, late) in zip(probes, probes.dropFirst()) {
            #expect(late.duration(since: early) == .seconds(1))
        }
    }

    @Test("comes to each node once a round, in changing order, and to nobody who is gone")
    func rounds() {
        var subject = Subject(settings: .quiet)
        subject.know("a", "b", "c", "d", "gone", "away")
        subject.receive(dead("gone"), dead("away", from: "away"))
        var orders: Set<[String]> = []
        // The first round began before the nodes were known; one ends surely where the last in the
        // order is probed.
        for _ in 0..<100 where subject.list.table.cursor < subject.list.table.count {
            _ = subject.probeAndAnswer()
        }
        #expect(subject.list.table.cursor == subject.list.table.count)
        for _ in 0..<8 {
            let order = (0..<4).map { _ in subject.probeAndAnswer() }
            #expect(order.sorted() == ["a", "b", "c", "d"])
            orders.insert(order)
        }
        #expect(orders.count > 1)
    }

    @Test("round ends with forgetting those that are dead or left for long enough")
    func forgetting() {
        var subject = Subject(settings: .quiet)
        subject.know("a", "gone", "away")
        subject.receive(dead("gone"), dead("away", from: "away"))
        let since = subject.now
        while subject.list.nodeCount == 4, subject.now.duration(since: since) < .seconds(60) {
            _ = subject.probeAndAnswer()
        }
        #expect(subject.now.duration(since: since) > .seconds(30))
        #expect(subject.now.duration(since: since) < .seconds(34))
        #expect(subject.list.nodes.map(\.name) == ["a", "me"])
        subject.receive(.alive(alive("gone", 1, at: "elsewhere")))
        #expect(subject.state(of: "gone") == .alive, "a stranger again")
    }

    @Test("of a prober that has slept gives helpers and stream their full time")
    func sleptInProbe() throws {
        var probing = try Probing(helpers: ["h"])
        probing.subject.now = probing.subject.now + .seconds(30)
        let effects = probing.subject.pass(.zero)
        #expect(effects.opened.first?.timeout == .milliseconds(500))
        probing.subject.pass(.milliseconds(499))
        #expect(probing.subject.state(of: "a") == .alive)
        probing.subject.receive(
            .ack(Ack(sequence: probing.ping.sequence, payload: [])), from: "h")
        probing.subject.pass(.milliseconds(1))
        #expect(probing.subject.state(of: "a") == .alive)
    }

    @Test("makes up for no beats that were missed while we slept")
    func slept() {
        var subject = Subject(settings: .quiet)
        subject.know("a", "b")
        subject.delegate.pending = [[UInt8]](
            repeating: [8] + .init(repeating: 1, count: 900), count: 99)
        subject.now = subject.now + .seconds(100)
        let effects = subject.pass(.zero)
        #expect(effects.observations.filter(\.isProbe).count == 1)
        #expect(effects.packets.count == 3, "a probe, and gossip to two")
        #expect(
            subject.list.nextDeadline.map { $0.duration(since: subject.now) > .zero } == true)
    }

    @Test("has nobody to ask in a cluster of one")
    func alone() {
        var subject = Subject(settings: .quiet)
        subject.exhaustGossip()
        #expect(subject.pass(.seconds(10)) == [])
    }
}

extension Subject {
    /// Waits for the next probe, answers it, and says whom it was for.
    fileprivate mutating func probeAndAnswer() -> String {
        let effects = pass { $0.probed != nil }
        let name = effects.compactMap(\.probed).first ?? ""
        for ping in effects.sent(to: name).pings {
            receive(.ack(Ack(sequence: ping.sequence, payload: [])), from: name)
        }
        return name
    }
}
