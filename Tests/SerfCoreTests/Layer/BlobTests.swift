// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// What goes along with a push/pull.
@Suite struct BlobTests {
    private func state(
        time: UInt64 = 1, statuses: [(String, UInt64)] = [], left: [String] = [],
        eventTime: UInt64 = 1, events: [(UInt64, String)] = [], queryTime: UInt64 = 1
    ) -> SerfState {
        SerfState(
            time: LamportTime(time),
            statusTimes: statuses.map { StatusTime(name: $0.0, time: LamportTime($0.1)) },
            leftMembers: left, eventTime: LamportTime(eventTime),
            events: events.map { time, name in
                EventsAtTime(
                    time: LamportTime(time), events: [RecentEvent(name: name, payload: [1])])
            },
            queryTime: LamportTime(queryTime))
    }

    private func userEvents(_ subject: inout Subject) -> [UserEvent] {
        subject.takeEvents().compactMap { if case .user(let event) = $0 { event } else { nil } }
    }

    @Test("a node sends its clocks, everybody's status time, who left, and the events it has")
    func writes() throws {
        var subject = Subject()
        subject.admit("m")
        subject.hear(.leave(LeaveIntent(time: LamportTime(5), node: "m", prune: false)))
        subject.bury("m")
        #expect(
            subject.result(of: .send(name: "deploy", payload: [7], mayCoalesce: true))
                == .success(.done))
        let bytes = subject.serf.layer.pushPullState(isJoin: true)
        guard case .state(let state) = try SerfMessage.decode(bytes) else {
            Issue.record("not a state")
            return
        }
        #expect(state.time == LamportTime(6))
        #expect(
            Set(state.statusTimes) == [
                StatusTime(name: "self", time: LamportTime(0)),
                StatusTime(name: "m", time: LamportTime(5)),
            ])
        #expect(state.leftMembers == ["m"])
        #expect(state.eventTime == LamportTime(2))
        #expect(
            state.events == [
                EventsAtTime(
                    time: LamportTime(1), events: [RecentEvent(name: "deploy", payload: [7])])
            ])
        #expect(state.queryTime == LamportTime(1))
    }

    @Test("a state that is sent while a member leaves does not keep others from hearing of it")
    func leavingIsNotNamed() throws {
        var teller = Subject(name: "teller")
        teller.admit("m")
        let leave = LeaveIntent(time: LamportTime(5), node: "m", prune: false)
        teller.hear(.leave(leave))
        #expect(teller.status(of: "m") == .leaving)
        let bytes = teller.serf.layer.pushPullState(isJoin: false)
        guard case .state(let state) = try SerfMessage.decode(bytes) else {
            Issue.record("not a state")
            return
        }
        #expect(state.statusTimes.map(\.name) == ["teller"])

        var late = Subject()
        late.admit("m")
        late.exchange(state)
        late.hear(.leave(leave))
        late.bury("m")
        #expect(late.status(of: "m") == .left)
    }

    @Test("an intent to leave counts although a peer's state has brought its time before")
    func leavingOfAgents() {
        var subject = Subject()
        subject.admit("m")
        // What an agent sends that has heard of the intent.
        subject.exchange(state(time: 6, statuses: [("m", 5)]))
        subject.hear(.leave(LeaveIntent(time: LamportTime(5), node: "m", prune: false)))
        #expect(subject.status(of: "m") == .leaving)
        subject.bury("m")
        #expect(subject.status(of: "m") == .left)
    }

    @Test("of a join and an intent to leave of one time, the one that came first counts")
    func sameTimeOfIntents() {
        var subject = Subject()
        subject.admit("m")
        subject.hear(.join(JoinIntent(time: LamportTime(5), node: "m")))
        subject.exchange(state(time: 6, statuses: [("m", 5)]))
        subject.hear(.leave(LeaveIntent(time: LamportTime(5), node: "m", prune: false)))
        #expect(subject.status(of: "m") == .alive)
    }

    @Test("a peer's clocks are witnessed, one less than they show")
    func clocks() {
        var subject = Subject()
        subject.exchange(state(time: 10, eventTime: 20, queryTime: 30))
        #expect(subject.serf.layer.memberClock.time == LamportTime(10))
        #expect(subject.serf.layer.eventClock.time == LamportTime(20))
        #expect(subject.serf.layer.queryClock.time == LamportTime(30))
    }

    @Test(
        "those whom a peer knows as left leave one later than their status, and are not passed on")
    func leftMembers() {
        var subject = Subject()
        subject.admit("m")
        subject.exchange(state(time: 10, statuses: [("m", 8), ("self", 3)], left: ["m"]))
        #expect(subject.status(of: "m") == .leaving)
        #expect(subject.serf.member(named: "m")?.statusTime == LamportTime(9))
        #expect(subject.serf.localMember.statusTime == LamportTime(3))
        #expect(subject.gossip.isEmpty)
    }

    @Test("a node that others know as left says that it is here")
    func refutes() {
        var subject = Subject()
        subject.exchange(state(time: 10, statuses: [("self", 8)], left: ["self"]))
        #expect(subject.status(of: "self") == .alive)
        #expect(subject.gossip == [.join(JoinIntent(time: LamportTime(10), node: "self"))])
    }

    @Test("a peer's events are delivered once, and do not say whether they may coalesce")
    func events() {
        var subject = Subject()
        let state = state(eventTime: 6, events: [(5, "b"), (3, "a")])
        subject.exchange(state)
        subject.exchange(state)
        #expect(
            userEvents(&subject) == [
                UserEvent(time: LamportTime(5), name: "b", payload: [1], mayCoalesce: false),
                UserEvent(time: LamportTime(3), name: "a", payload: [1], mayCoalesce: false),
            ])
        #expect(subject.gossip.isEmpty)
    }

    @Test("a join replays old events only if it was asked to", arguments: [true, false])
    func replay(replays: Bool) throws {
        var subject = Subject()
        let id = subject.command(.join([Subject.peer(1)], replayEvents: replays))
        let exchange = try #require(subject.lastExchange)
        subject.receive(
            .answer(
                exchange.stream,
                Subject.answer(state(eventTime: 6, events: [(5, "old")]))))
        #expect(subject.end(of: id) == .success(.joined(count: 1, failures: [])))
        #expect(userEvents(&subject).map(\.name) == (replays ? ["old"] : []))
        // Later ones come through in any case.
        subject.exchange(state(eventTime: 7, events: [(5, "old"), (6, "new")]))
        #expect(userEvents(&subject).map(\.name) == ["new"])
    }

    @Test("others that join us do not make us deaf to old events")
    func acceptedJoin() {
        var subject = Subject()
        subject.exchange(state(eventTime: 6, events: [(5, "old")]), isJoin: true)
        #expect(userEvents(&subject).map(\.name) == ["old"])
    }

    @Test("a blob that cannot be read, or is none, changes nothing")
    func malformed() {
        var subject = Subject()
        var swim: [SwimEffect] = []
        subject.serf.layer.merge(
            pushPullState: [2, 0x86, 0xa5], isJoin: true, at: subject.now, into: &swim)
        subject.serf.layer.merge(
            pushPullState: SerfMessage.join(JoinIntent(time: LamportTime(9), node: "x")).encoded(),
            isJoin: true, at: subject.now, into: &swim)
        #expect(subject.serf.layer.memberClock.time == LamportTime(1))
        #expect(subject.serf.layer.intents.count == 0)
        #expect(
            subject.serf.layer.effects
                == [.observe(.malformed(.truncated)), .observe(.misplaced(1))])
    }
}
