// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

@Suite struct UserEventTests {
    private func event(
        _ time: UInt64, _ name: String = "e", _ payload: [UInt8] = []
    ) -> SerfMessage {
        .userEvent(
            UserEventMessage(
                time: LamportTime(time), name: name, payload: payload, mayCoalesce: true))
    }

    private func names(_ subject: inout Subject) -> [String] {
        subject.takeEvents().compactMap {
            if case .user(let event) = $0 { event.name } else { nil }
        }
    }

    @Test("an event is delivered and passed on once, however often it comes")
    func once() {
        var subject = Subject()
        for _ in 0..<3 { subject.hear(event(4, "a", [1])) }
        #expect(
            subject.takeEvents() == [
                .user(
                    UserEvent(time: LamportTime(4), name: "a", payload: [1], mayCoalesce: true))
            ])
        #expect(subject.gossip == [event(4, "a", [1])])
        #expect(subject.serf.layer.eventClock.time == LamportTime(5))
    }

    @Test("events of one time are told apart by name and payload")
    func sameTime() {
        var subject = Subject()
        subject.hear(event(4, "a", [1]))
        subject.hear(event(4, "a", [2]))
        subject.hear(event(4, "b", [1]))
        subject.hear(event(4, "a", [2]))
        #expect(names(&subject) == ["a", "a", "b"])
    }

    @Test("events of 512 times back are told apart, older ones are dropped")
    func window() {
        var subject = Subject()
        subject.hear(event(1000, "newest"))
        subject.hear(event(1001 - 512, "oldest"))
        subject.hear(event(1000 - 512, "too old"))
        subject.hear(event(1001 - 512, "oldest"))
        #expect(names(&subject) == ["newest", "oldest"])
        // The clock is 1001; a later event takes the slot of a much older one.
        subject.hear(event(1001, "later"))
        #expect(names(&subject) == ["later"])
        subject.hear(event(1001 - 512, "oldest"))
        #expect(names(&subject) == [])
    }

    @Test("in the first 512 times nothing is too old")
    func early() {
        var subject = Subject()
        subject.hear(event(511))
        subject.hear(event(0, "zero"))
        #expect(names(&subject) == ["e", "zero"])
    }

    @Test("the greatest time does no harm")
    func greatest() {
        var subject = Subject()
        subject.hear(event(.max, "a"))
        subject.hear(event(.max, "a"))
        subject.hear(event(7, "b"))
        #expect(names(&subject) == ["a"])
    }

    @Test("a slot takes no more events than it can compare")
    func slotIsBounded() {
        var subject = Subject()
        for number in 0..<EventRing.slotCountMax + 2 { subject.hear(event(4, "e\(number)")) }
        #expect(names(&subject).count == EventRing.slotCountMax)
        subject.hear(event(5, "next"))
        #expect(names(&subject) == ["next"])
    }

    @Test("all slots together take no more than some megabytes")
    func ringIsBounded() {
        var ring = EventRing(slotCount: 512)
        var clock = LamportClock()
        let payload = [UInt8](repeating: 0, count: 9000)
        var verdicts: [EventRing.Verdict] = []
        for number in 0..<600 {
            let time = LamportTime(UInt64(number / 2 + 1))
            clock.witness(time)
            verdicts.append(
                ring.remember(
                    RecentEvent(name: "\(number)", payload: payload), at: time, clock: clock))
        }
        ring.checkInvariants()
        let kept = verdicts.count { $0 == .isNew }
        #expect(kept == EventRing.bytesMax / 9003 || kept == EventRing.bytesMax / 9002)
        #expect(verdicts.last == .isTooMuch)
    }

    @Test("an event that no member can send is dropped")
    func tooLarge() {
        var subject = Subject()
        subject.hear(event(4, "e", [UInt8](repeating: 0, count: SerfLayer.eventSizeMax)))
        #expect(subject.observations == [.eventDropped(name: "e")])
        #expect(names(&subject) == [])
        #expect(subject.gossip.isEmpty)
    }

    @Test("a node's own events are stamped one after the other, and delivered to itself")
    func sends() {
        var subject = Subject()
        for name in ["a", "b"] {
            #expect(
                subject.result(of: .send(name: name, payload: [1], mayCoalesce: false))
                    == .success(.done))
        }
        let times = subject.takeEvents().map { event -> UInt64? in
            if case .user(let event) = event { event.time.rawValue } else { nil }
        }
        #expect(times == [1, 2])
        #expect(subject.gossip.count == 2)
    }

    @Test("an event over the limit is refused, with size and limit", arguments: [0, 1, 100])
    func limit(excess: Int) {
        var subject = Subject()
        let payload = [UInt8](repeating: 0, count: 509 + excess)
        #expect(
            subject.result(of: .send(name: "name", payload: payload, mayCoalesce: false))
                == .failure(.eventTooLarge(size: 513 + excess, limit: 512)))
        #expect(subject.gossip.isEmpty)
        #expect(subject.serf.layer.eventClock.time == LamportTime(1))
    }

    @Test("what an event takes in the message counts as well")
    func encodedLimit() {
        var subject = Subject()
        let result = subject.result(
            of: .send(
                name: "name", payload: [UInt8](repeating: 0, count: 500), mayCoalesce: false))
        guard case .failure(.eventTooLarge(let size, limit: 512)) = result else {
            Issue.record("\(String(describing: result))")
            return
        }
        #expect(size > 512)
    }
}
