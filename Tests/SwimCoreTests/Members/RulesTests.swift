// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SwimCore

@Suite("A record")
struct RulesTests {
    private func subject(knowing names: String...) -> Subject {
        var subject = Subject(settings: .quiet)
        for name in names { subject.receive(.alive(alive(name, 5))) }
        subject.exhaustGossip()
        subject.delegate.calls = []
        return subject
    }

    // MARK: alive

    @Test("is made when an unknown node is alive, and passed on")
    func unknownAlive() {
        var subject = subject()
        subject.receive(.alive(alive("a", 3, meta: [7])))
        let node = subject.list.node(named: "a")
        #expect(node?.state == .alive)
        #expect(node?.incarnation == 3)
        #expect(node?.meta == [7])
        #expect(subject.delegate.calls == [.joined("a")])
        #expect(subject.queued == [.alive(alive("a", 3, meta: [7]))])
    }

    @Test("is not made by incarnation 0, which nobody has that has said anything")
    func incarnationZero() {
        var subject = subject()
        subject.receive(.alive(alive("a", 0)))
        #expect(subject.state(of: "a") == nil)
        #expect(subject.list.nodeCount == 1)
    }

    @Test("does not change by alive of its own or an older incarnation", arguments: [4, 5])
    func oldAlive(incarnation: UInt32) {
        var subject = subject(knowing: "a")
        subject.receive(.alive(alive("a", incarnation, meta: [1])))
        #expect(subject.list.node(named: "a")?.meta == [])
        #expect(subject.queued == [])
        #expect(subject.delegate.calls == [])
    }

    @Test("takes meta of a newer incarnation, and that is an update")
    func newMeta() {
        var subject = subject(knowing: "a")
        subject.receive(.alive(alive("a", 6, meta: [1])))
        #expect(subject.delegate.calls == [.updated("a", [1])])
        subject.receive(.alive(alive("a", 7, meta: [1])))
        #expect(subject.delegate.calls.count == 1, "a newer incarnation alone is no news")
        #expect(subject.incarnation(of: "a") == 7)
        #expect(subject.queued == [.alive(alive("a", 7, meta: [1]))])
    }

    @Test("takes versions of a newer incarnation")
    func newVersions() {
        var subject = subject(knowing: "a")
        var versions = Versions.current
        versions.serfCurrent = 4
        subject.receive(.alive(alive("a", 6, versions: versions)))
        #expect(subject.list.node(named: "a")?.versions == versions)
        #expect(subject.delegate.calls == [])
    }

    @Test("of a suspect is alive again by a newer incarnation, and its timer is gone")
    func refutedByOther() {
        var subject = subject(knowing: "a")
        subject.receive(suspect("a", 5))
        let timers = subject.list.timers.count
        subject.receive(.alive(alive("a", 5)))
        #expect(subject.state(of: "a") == .suspect, "the same incarnation refutes nothing")
        subject.receive(.alive(alive("a", 6)))
        #expect(subject.state(of: "a") == .alive)
        #expect(subject.list.timers.count == timers - 1)
        #expect(subject.delegate.calls == [])
    }

    @Test("of a dead or left node is alive again by a newer incarnation, and that is a join")
    func risen() {
        for from in ["other", "a"] {
            var subject = subject(knowing: "a")
            subject.receive(dead("a", 5, from: from))
            subject.delegate.calls = []
            subject.receive(.alive(alive("a", 5)))
            #expect(subject.delegate.calls == [])
            subject.receive(.alive(alive("a", 6)))
            #expect(subject.state(of: "a") == .alive)
            #expect(subject.delegate.calls == [.joined("a")])
        }
    }

    @Test("that changes no state keeps the moment of its last change")
    func changed() {
        var subject = subject(knowing: "a")
        subject.now = subject.now + .milliseconds(50)
        subject.receive(.alive(alive("a", 6, meta: [1])))
        #expect(subject.list.node(named: "a")?.changed == Moment(nanoseconds: 0))
        subject.receive(suspect("a", 6))
        #expect(subject.list.node(named: "a")?.changed == subject.now)
    }

    @Test("means the default port by port 0")
    func portZero() {
        var subject = subject()
        var news = alive("a")
        news.endpoint.port = 0
        subject.receive(.alive(news))
        #expect(subject.list.node(named: "a")?.endpoint == endpoint(of: "a"))
        #expect(subject.queued == [.alive(alive("a"))])
    }

    // MARK: other addresses

    @Test("keeps its address while it is alive or suspect or dead, and another one is a conflict")
    func conflict() {
        var subject = subject(knowing: "a")
        let rival = alive("a", 9, at: "b")
        for step in [nil, suspect("a", 5), dead("a", 5)] {
            if let step { subject.receive(step) }
            subject.delegate.calls = []
            subject.exhaustGossip()
            let effects = subject.receive(.alive(rival))
            #expect(subject.list.node(named: "a")?.endpoint == endpoint(of: "a"))
            #expect(subject.delegate.calls == [.conflicted("a", other: endpoint(of: "b"))])
            #expect(
                effects.observations == [
                    .conflict(node: "a", known: endpoint(of: "a"), other: endpoint(of: "b"))
                ])
            #expect(subject.queued == [])
        }
    }

    @Test("of one that has left goes to another address at once, whatever the incarnation")
    func takeover() {
        var subject = subject(knowing: "a")
        subject.receive(dead("a", 5, from: "a"))
        subject.delegate.calls = []
        subject.receive(.alive(alive("a", 1, at: "b")))
        #expect(subject.list.node(named: "a")?.endpoint == endpoint(of: "b"))
        #expect(subject.incarnation(of: "a") == 1)
        #expect(subject.delegate.calls == [.joined("a")])
    }

    @Test("does not go to another address by incarnation 0")
    func takeoverByNobody() {
        var subject = subject(knowing: "a")
        subject.receive(dead("a", 5, from: "a"), .alive(alive("a", 0, at: "b")))
        #expect(subject.state(of: "a") == .left)
    }

    @Test("of a dead node goes to another address after the reclaim time, if there is one")
    func reclaim() {
        var settings = SwimSettings.quiet
        settings.deadNodeReclaim = .seconds(10)
        var subject = Subject(settings: settings)
        subject.know("a")
        subject.receive(dead("a", 1))
        subject.now = subject.now + .seconds(10)
        subject.receive(.alive(alive("a", 2, at: "b")))
        #expect(subject.state(of: "a") == .dead)
        subject.now = subject.now + .milliseconds(1)
        subject.receive(.alive(alive("a", 2, at: "b")))
        #expect(subject.state(of: "a") == .alive)
    }

    // MARK: who is not let in

    @Test(
        "is not made for versions that cannot be",
        arguments: [(0, 5), (1, 0), (3, 2), (0, 0)] as [(UInt8, UInt8)])
    func versions(least: UInt8, most: UInt8) {
        var subject = subject()
        var versions = Versions.current
        (versions.swimMin, versions.swimMax) = (least, most)
        let effects = subject.receive(.alive(alive("a", versions: versions)))
        #expect(subject.state(of: "a") == nil)
        guard case .refused(node: "a", _) = effects.observations.first else {
            Issue.record("not refused: \(effects.observations)")
            return
        }
    }

    @Test("is not made, and not changed, if the layer above refuses")
    func refusedByDelegate() {
        var subject = subject(knowing: "b")
        subject.delegate.refusedMeta = [6]
        let effects = subject.receive(
            .alive(alive("a", meta: [6])), .alive(alive("b", 6, meta: [6])))
        #expect(subject.state(of: "a") == nil)
        #expect(subject.incarnation(of: "b") == 5)
        #expect(
            effects.observations == [
                .refused(node: "a", reason: "not of this cluster"),
                .refused(node: "b", reason: "not of this cluster"),
            ])
        #expect(subject.queued == [])
    }

    @Test("is not made for a name that is none, or for too much meta")
    func sizes() {
        var subject = subject()
        let long = String(repeating: "n", count: SwimNode.nameBytesMax + 1)
        let meta = [UInt8](repeating: 1, count: SwimNode.metaBytesMax + 1)
        for news in [alive("", 1), alive(long, 1), alive("a", meta: meta)] {
            subject.receive(.alive(news))
        }
        #expect(subject.list.nodeCount == 1)
        subject.receive(
            .alive(alive("a", meta: [UInt8](repeating: 1, count: SwimNode.metaBytesMax))))
        #expect(subject.list.nodeCount == 2)
    }

    @Test("is not made in a full table, while those that are there still change")
    func fullTable() {
        var settings = SwimSettings.quiet
        settings.nodesMax = 3
        var subject = Subject(settings: settings)
        subject.know("a", "b", "c")
        #expect(subject.list.nodeCount == 3)
        #expect(subject.state(of: "c") == nil)
        subject.receive(.alive(alive("b", 2)))
        #expect(subject.incarnation(of: "b") == 2)
    }

    // MARK: suspect

    @Test("becomes suspect, takes the incarnation and is passed on")
    func suspected() {
        var subject = subject(knowing: "a")
        let effects = subject.receive(suspect("a", 7))
        #expect(subject.state(of: "a") == .suspect)
        #expect(subject.incarnation(of: "a") == 7)
        #expect(subject.queued == [suspect("a", 7)])
        #expect(effects.observations == [.suspected(node: "a", from: "other")])
        #expect(subject.delegate.calls == [])
    }

    @Test("does not become suspect by an older incarnation, nor if it is not known or not alive")
    func notSuspected() {
        var subject = subject(knowing: "a", "b", "c")
        subject.receive(dead("b", 5), dead("c", 5, from: "c"))
        subject.exhaustGossip()
        subject.receive(
            suspect("a", 4), suspect("b", 9), suspect("c", 9), suspect("unknown", 9))
        #expect(subject.state(of: "a") == .alive)
        #expect(subject.state(of: "b") == .dead)
        #expect(subject.state(of: "c") == .left)
        #expect(subject.incarnation(of: "b") == 5)
        #expect(subject.state(of: "unknown") == nil)
        #expect(subject.queued == [])
    }

    @Test("of a suspect passes on each confirmation that shortens the wait, and no other")
    func confirmations() {
        var subject = subject(knowing: "a", "b", "c", "d")
        subject.receive(suspect("a", 5, from: "b"))
        let deadlines = ["b", "c", "c", "d", "e"].map { from in
            subject.exhaustGossip()
            subject.receive(suspect("a", 5, from: from))
            let suspicion = subject.list.table["a"]?.suspicion
            let deadline = suspicion.flatMap { subject.list.timers.deadline(of: $0.timer) }
            return (deadline?.duration(since: subject.now), subject.queued.count)
        }
        #expect(
            deadlines.map(\.0) == [24_000, 11_381, 11_381, 4000, 4000].map { .milliseconds($0) })
        #expect(deadlines.map(\.1) == [0, 1, 0, 1, 0])
    }

    @Test("of a suspect becomes dead when nobody refutes in time, and then only")
    func fired() {
        var subject = subject(knowing: "a", "b")
        subject.receive(suspect("a", 5, from: "b"))
        subject.pass(.milliseconds(3999))
        #expect(subject.state(of: "a") == .suspect)
        #expect(subject.delegate.calls == [])
        subject.pass(.milliseconds(1))
        #expect(subject.state(of: "a") == .dead)
        #expect(subject.delegate.calls == [.left("a", .dead)])
    }

    @Test("confirmed late is dead at the next tick")
    func confirmedLate() {
        var subject = subject(knowing: "a", "b", "c", "d")
        subject.receive(suspect("a", 5, from: "b"))
        subject.now = subject.now + .seconds(12)
        subject.receive(suspect("a", 5, from: "c"))
        #expect(subject.state(of: "a") == .suspect)
        let timer = subject.list.table["a"]?.suspicion?.timer
        #expect(timer.flatMap { subject.list.timers.deadline(of: $0) } == subject.now)
        subject.pass(.zero)
        #expect(subject.state(of: "a") == .dead)
    }

    // MARK: dead

    @Test("becomes dead by what others say, left by what the node says of itself")
    func gone() {
        var subject = subject(knowing: "a", "b")
        subject.receive(dead("a", 6), dead("b", 6, from: "b"))
        #expect(subject.state(of: "a") == .dead)
        #expect(subject.state(of: "b") == .left)
        #expect(subject.incarnation(of: "a") == 6)
        #expect(subject.delegate.calls == [.left("a", .dead), .left("b", .left)])
        #expect(subject.queued.count == 2)
    }

    @Test("of a suspect becomes dead without its timer")
    func suspectDead() {
        var subject = subject(knowing: "a")
        let timers = subject.list.timers.count
        subject.receive(suspect("a", 5))
        subject.receive(dead("a", 5))
        #expect(subject.state(of: "a") == .dead)
        #expect(subject.list.timers.count == timers)
    }

    @Test("does not become dead by an older incarnation, twice, or if it is not known")
    func notDead() {
        var subject = subject(knowing: "a", "b", "c")
        subject.receive(dead("b", 5), dead("c", 5, from: "c"))
        subject.delegate.calls = []
        subject.exhaustGossip()
        subject.receive(
            dead("a", 4), dead("b", 6, from: "b"), dead("c", 6), dead("unknown", 6))
        #expect(subject.state(of: "a") == .alive)
        #expect(subject.state(of: "b") == .dead)
        #expect(subject.state(of: "c") == .left)
        #expect(subject.delegate.calls == [])
        #expect(subject.queued == [])
    }

    @Test("of one packet is made before the other news of it are heard")
    func aliveFirst() {
        var subject = subject()
        subject.receive(suspect("a", 1), .alive(alive("a", 1)))
        #expect(subject.state(of: "a") == .suspect)
    }
}
