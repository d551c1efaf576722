// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SwimCore

@Suite("A node, of itself,")
struct SelfTests {
    private func subject() -> Subject {
        var subject = Subject(settings: .quiet)
        subject.know("other")
        return subject
    }

    @Test("says at the start that it is alive, with incarnation 1")
    func start() {
        let subject = Subject()
        #expect(subject.queued == [.alive(alive("me"))])
        #expect(subject.delegate.calls == [.joined("me")])
        #expect(subject.list.localNode.incarnation == 1)
    }

    @Test("wants no tick before the start, and starts once")
    func notStarted() {
        var subject = Subject(isStarted: false)
        #expect(subject.list.nextDeadline == nil)
        #expect(subject.delegate.calls == [])
        for _ in 0..<2 { _ = subject.perform { $0.start(at: $1, delegate: &$2, into: &$3) } }
        #expect(subject.delegate.calls == [.joined("me")])
        #expect(subject.list.nextDeadline != nil)
    }

    @Test(
        "refutes what is said of it, above the incarnation that was accused",
        arguments: [
            (suspect("me", 1), 2), (suspect("me", 7), 8), (dead("me", 1), 2), (dead("me", 9), 10),
            (dead("me", 3, from: "me"), 4), (.alive(alive("me", 4)), 5),
            (.alive(alive("me", 1, meta: [1])), 2),
        ] as [(SwimMessage, UInt32)])
    func refuting(accusation: SwimMessage, incarnation: UInt32) {
        var subject = subject()
        let effects = subject.receive(accusation)
        #expect(subject.list.localNode.state == .alive)
        #expect(subject.list.localNode.incarnation == incarnation)
        #expect(subject.queued == [.alive(alive("me", incarnation))])
        #expect(
            effects.observations == [.refuted(incarnation: incarnation), .healthChanged(1)])
        #expect(subject.delegate.calls == [])
    }

    @Test("refutes a record of an earlier life with other versions")
    func otherVersions() {
        var subject = subject()
        var versions = Versions.current
        versions.serfCurrent = 4
        subject.receive(.alive(alive("me", 1, versions: versions)))
        #expect(subject.list.localNode.incarnation == 2)
        #expect(subject.list.localNode.versions == .current)
    }

    @Test("does not mind its own echo, nor what was said of an older incarnation")
    func echo() {
        var subject = subject()
        subject.receive(suspect("me", 1))
        subject.exhaustGossip()
        subject.receive(
            .alive(alive("me", 2)), .alive(alive("me", 1)), suspect("me", 1), dead("me", 1))
        #expect(subject.list.localNode.incarnation == 2)
        #expect(subject.queued == [])
        #expect(subject.list.healthScore == 1)
    }

    @Test("answers an accusation in the ack to the ping that it came with")
    func refutesInAck() {
        var subject = subject()
        let ping = SwimMessage.ping(
            Ping(
                sequence: 3, node: "me",
                source: Source(endpoint: endpoint(of: "other"), node: "other")))
        let effects = subject.receive(ping, suspect("me", 1))
        #expect(
            effects.sent(to: "other")
                == [.ack(Ack(sequence: 3, payload: [])), .alive(alive("me", 2))])
    }

    @Test("cannot be outdone by the last incarnation there is, nor does it trap")
    func lastIncarnation() {
        var subject = subject()
        subject.receive(dead("me", .max))
        #expect(subject.list.localNode.incarnation == .max)
        subject.receive(dead("me", .max), suspect("me", .max), .alive(alive("me", .max, meta: [1])))
        #expect(subject.list.localNode.state == .alive)
        #expect(subject.list.localNode.incarnation == .max)
    }

    @Test("hears of a conflict when another address has its name")
    func conflict() {
        var subject = subject()
        subject.receive(.alive(alive("me", 50, at: "thief")))
        #expect(subject.delegate.calls == [.conflicted("me", other: endpoint(of: "thief"))])
        #expect(subject.list.localNode.incarnation == 1)
        #expect(subject.list.localNode.endpoint == endpoint(of: "me"))
    }

    @Test("says new meta with the next incarnation, and hears when it was said often enough")
    func update() {
        var subject = subject()
        var id: BroadcastID?
        _ = subject.perform { list, now, delegate, _ in
            id = list.update(meta: [1, 2], at: now, delegate: &delegate)
        }
        #expect(subject.queued == [.alive(alive("me", 2, meta: [1, 2]))])
        #expect(subject.delegate.calls == [.updated("me", [1, 2])])
        #expect(subject.list.takeFinishedBroadcasts() == [])
        // Two nodes: each message is sent four times, one a gossip as there is one target.
        let sent = subject.pass(.seconds(1)).sent(to: "other").filter {
            $0 == .alive(alive("me", 2, meta: [1, 2]))
        }
        #expect(sent.count == 4)
        #expect(subject.list.takeFinishedBroadcasts() == [id])
    }

    @Test("that is refuted into a newer alive, has said an update well enough")
    func updateReplaced() {
        var subject = subject()
        var id: BroadcastID?
        _ = subject.perform { list, now, delegate, _ in
            id = list.update(meta: [1], at: now, delegate: &delegate)
        }
        subject.receive(suspect("me", 2))
        #expect(subject.list.takeFinishedBroadcasts() == [id])
        #expect(subject.queued == [.alive(alive("me", 3, meta: [1]))])
    }

    @Test("says that it leaves, is left then, and takes nothing back")
    func leave() {
        var subject = subject()
        var id: BroadcastID?
        _ = subject.perform { list, now, delegate, _ in
            id = list.leave(at: now, delegate: &delegate)
        }
        #expect(subject.list.localNode.state == .left)
        #expect(subject.delegate.calls == [.left("me", .left)])
        #expect(subject.queued == [dead("me", 1, from: "me")])
        subject.receive(suspect("me", 4), dead("me", 4), .alive(alive("me", 4)))
        #expect(subject.list.localNode.state == .left)
        #expect(subject.queued == [dead("me", 1, from: "me")])
        #expect(subject.list.hasCompany)
        subject.pass(.seconds(1))
        #expect(subject.list.takeFinishedBroadcasts() == [id])
    }

    @Test("still answers pings after it has left")
    func answersAfterLeave() {
        var subject = subject()
        _ = subject.perform { list, now, delegate, _ in
            list.leave(at: now, delegate: &delegate)
        }
        let effects = subject.receive(.ping(Ping(sequence: 1, node: "me", source: nil)))
        #expect(effects.sent(to: "other").acks.map(\.sequence) == [1])
    }

    @Test("gets no worse than the highest health score, and better by successful probes only")
    func healthBounds() {
        var subject = subject()
        for incarnation in 1...20 as ClosedRange<UInt32> {
            subject.receive(suspect("me", incarnation))
        }
        #expect(subject.list.healthScore == 7)
    }
}
