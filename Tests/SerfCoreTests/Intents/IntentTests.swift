// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// Each cell of the table of a member's status: what an input does to it, with what is told and whether
/// it is passed on.
@Suite struct IntentTests {
    /// A node that knows `m` in a status, with the status time 10.
    private func subject(_ status: MemberStatus?) -> Subject {
        var subject = Subject()
        guard let status else { return subject }
        subject.admit("m")
        subject.hear(join(10))
        switch status {
        case .alive: break
        case .leaving: subject.hear(leave(11))
        case .left:
            subject.hear(leave(11))
            subject.bury("m")
        case .failed: subject.bury("m")
        }
        #expect(subject.status(of: "m") == status)
        emptyQueues(of: &subject)
        _ = subject.takeEffects()
        return subject
    }

    private func emptyQueues(of subject: inout Subject) {
        while subject.serf.layer.hasBroadcasts {
            _ = subject.serf.layer.broadcasts(overhead: 2, budget: 1 << 20)
        }
    }

    private func join(_ time: UInt64) -> SerfMessage {
        .join(JoinIntent(time: LamportTime(time), node: "m"))
    }

    private func leave(_ time: UInt64, prune: Bool = false) -> SerfMessage {
        .leave(LeaveIntent(time: LamportTime(time), node: "m", prune: prune))
    }

    private func kinds(_ events: [SerfEvent]) -> [String] {
        events.map { event in
            switch event {
            case .joined: "joined"
            case .left: "left"
            case .failed: "failed"
            case .updated: "updated"
            case .reaped: "reaped"
            case .user: "user"
            case .query: "query"
            }
        }
    }

    // MARK: The memberlist finds out

    @Test(
        "a node that appears is alive, whatever it was",
        arguments: [nil, .left, .failed] as [MemberStatus?])
    func appears(before: MemberStatus?) {
        var subject = subject(before)
        subject.admit("m", tags: ["a": "1"], incarnation: 2)
        #expect(subject.status(of: "m") == .alive)
        #expect(subject.serf.member(named: "m")?.tags == ["a": "1"])
        #expect(kinds(subject.takeEvents()) == ["joined"])
    }

    @Test("a node that dies after it has said that it leaves has left")
    func leavingDies() {
        var subject = subject(.leaving)
        subject.bury("m")
        #expect(subject.status(of: "m") == .left)
        #expect(kinds(subject.takeEvents()) == ["left"])
    }

    @Test("a node that dies without a word has failed, even if it says so itself")
    func aliveDies() {
        var subject = subject(.alive)
        subject.bury("m", from: "m")
        #expect(subject.status(of: "m") == .failed)
        #expect(kinds(subject.takeEvents()) == ["failed"])
    }

    @Test(
        "new tags are an update, in each status of the living",
        arguments: [.alive, .leaving] as [MemberStatus])
    func updates(status: MemberStatus) {
        var subject = subject(status)
        subject.admit("m", tags: ["a": "2"], incarnation: 2)
        #expect(subject.status(of: "m") == status)
        #expect(kinds(subject.takeEvents()) == ["updated"])
        #expect(subject.serf.member(named: "m")?.tags == ["a": "2"])
    }

    // MARK: Join intents

    @Test(
        "a newer join intent counts and is passed on; it brings only the leaving back",
        arguments: [
            (.alive, .alive), (.leaving, .alive), (.left, .left), (.failed, .failed),
        ] as [(MemberStatus, MemberStatus)])
    func newerJoin(before: MemberStatus, after: MemberStatus) {
        var subject = subject(before)
        subject.hear(join(20))
        #expect(subject.status(of: "m") == after)
        #expect(subject.serf.member(named: "m")?.statusTime == LamportTime(20))
        #expect(subject.gossip == [join(20)])
        #expect(subject.takeEvents().isEmpty)
    }

    @Test(
        "an intent that is not newer changes nothing and is not passed on",
        arguments: MemberStatus.allCases)
    func olderIntents(status: MemberStatus) {
        var subject = subject(status)
        let time = subject.serf.member(named: "m")?.statusTime ?? LamportTime(0)
        for message in [join(time.rawValue), leave(time.rawValue), leave(3, prune: true)] {
            subject.hear(message)
        }
        #expect(subject.status(of: "m") == status)
        #expect(subject.serf.member(named: "m")?.statusTime == time)
        #expect(subject.gossip.isEmpty)
        #expect(subject.takeEvents().isEmpty)
    }

    // MARK: Leave intents

    @Test(
        "a newer leave intent counts and is passed on",
        arguments: [
            (.alive, .leaving, []), (.leaving, .leaving, []), (.left, .left, []),
            (.failed, .left, ["left"]),
        ] as [(MemberStatus, MemberStatus, [String])])
    func newerLeave(before: MemberStatus, after: MemberStatus, told: [String]) {
        var subject = subject(before)
        subject.hear(leave(20))
        #expect(subject.status(of: "m") == after)
        #expect(subject.serf.member(named: "m")?.statusTime == LamportTime(20))
        #expect(subject.gossip == [leave(20)])
        #expect(kinds(subject.takeEvents()) == told)
    }

    @Test(
        "pruning forgets who is gone, at once",
        arguments: [(.left, ["reaped"]), (.failed, ["left", "reaped"])]
            as [(MemberStatus, [String])])
    func pruneGone(before: MemberStatus, told: [String]) {
        var subject = subject(before)
        subject.hear(leave(20, prune: true))
        #expect(subject.status(of: "m") == nil)
        #expect(subject.gossip == [leave(20, prune: true)])
        #expect(kinds(subject.takeEvents()) == told)
    }

    @Test(
        "pruning the living waits until they are gone",
        arguments: [.alive, .leaving] as [MemberStatus])
    func pruneLiving(before: MemberStatus) {
        var subject = subject(before)
        subject.hear(leave(20, prune: true))
        #expect(subject.status(of: "m") == .leaving)
        #expect(subject.takeEvents().isEmpty)
        subject.bury("m")
        #expect(subject.status(of: "m") == nil)
        #expect(kinds(subject.takeEvents()) == ["left", "reaped"])
    }

    @Test("who contradicts is not pruned")
    func pruneContradicted() {
        var subject = subject(.alive)
        subject.hear(leave(20, prune: true))
        subject.hear(join(21))
        #expect(subject.status(of: "m") == .alive)
        subject.bury("m")
        #expect(subject.status(of: "m") == .failed)
    }

    // MARK: About ourselves

    @Test("a claim that we leave is contradicted with a later join intent, and not passed on")
    func refutes() {
        var subject = Subject()
        subject.hear(.leave(LeaveIntent(time: LamportTime(7), node: "self", prune: true)))
        #expect(subject.status(of: "self") == .alive)
        #expect(subject.gossip == [.join(JoinIntent(time: LamportTime(8), node: "self"))])
        #expect(subject.serf.localMember.statusTime == LamportTime(8))
        #expect(subject.observations.contains(.leaveRefuted))
    }

    @Test(
        "an old claim that we leave is not worth a word; one of the same time is, for some may know only it",
        arguments: [(8, false), (9, true)] as [(UInt64, Bool)])
    func oldClaims(time: UInt64, isContradicted: Bool) {
        var subject = Subject()
        subject.hear(.join(JoinIntent(time: LamportTime(9), node: "self")))
        emptyQueues(of: &subject)
        subject.hear(.leave(LeaveIntent(time: LamportTime(time), node: "self", prune: false)))
        let contradiction = SerfMessage.join(JoinIntent(time: LamportTime(10), node: "self"))
        #expect(subject.gossip == (isContradicted ? [contradiction] : []))
    }

    // MARK: About unknown members

    @Test("a join intent about an unknown member is passed on, and counts when it is known")
    func buffersJoin() {
        var subject = Subject()
        subject.hear(join(20))
        #expect(subject.gossip == [join(20)])
        subject.admit("m")
        #expect(subject.status(of: "m") == .alive)
        #expect(subject.serf.member(named: "m")?.statusTime == LamportTime(20))
    }

    @Test("a leave intent about an unknown member makes it leaving when it is known")
    func buffersLeave() {
        var subject = Subject()
        subject.hear(leave(20))
        #expect(subject.gossip == [leave(20)])
        subject.admit("m")
        #expect(subject.status(of: "m") == .leaving)
        #expect(subject.serf.member(named: "m")?.statusTime == LamportTime(20))
        #expect(kinds(subject.takeEvents()) == ["joined"])
    }

    @Test("of two intents about an unknown member the newer one holds, and only news is passed on")
    func buffersNewest() {
        var subject = Subject()
        subject.hear(leave(20))
        subject.hear(join(19))
        subject.hear(join(20))
        subject.hear(join(21))
        #expect(subject.gossip.count == 2)
        subject.admit("m")
        #expect(subject.status(of: "m") == .alive)
        #expect(subject.serf.member(named: "m")?.statusTime == LamportTime(21))
    }

    @Test("an intent about an unknown member is kept for five minutes")
    func bufferedExpire() {
        var subject = Subject()
        subject.hear(leave(20))
        subject.pass(.seconds(290))
        #expect(subject.serf.layer.intents.count == 1)
        subject.pass(.seconds(30))
        #expect(subject.serf.layer.intents.count == 0)
        subject.admit("m")
        #expect(subject.status(of: "m") == .alive)
    }

    @Test("intents about unknown members are kept up to a number, and then dropped")
    func bufferIsBounded() {
        var subject = Subject { $0.intentCountMax = 3 }
        for number in 1...5 {
            subject.hear(
                .join(JoinIntent(time: LamportTime(UInt64(number)), node: "m\(number)")))
        }
        #expect(subject.serf.layer.intents.count == 3)
        #expect(subject.gossip.count == 3)
        #expect(
            subject.observations == [.intentDropped(node: "m4"), .intentDropped(node: "m5")])
        // What is known already is still renewed.
        subject.hear(.leave(LeaveIntent(time: LamportTime(9), node: "m1", prune: false)))
        #expect(subject.gossip.count == 4)
    }
}
