// SPDX-License-Identifier: Apache-2.0

import SerfCore
import SerfWire
import Testing

@testable import Membership

/// What consumers of events get.
@Suite struct EventTests {
    private func event(_ number: Int) -> SerfEvent {
        .user(
            UserEvent(
                time: LamportTime(rawValue: UInt64(number)), name: "\(number)", payload: [],
                mayCoalesce: false))
    }

    /// The names of events, and how many were missed.
    private func read(_ events: SerfNodeEvents, count: Int) async -> [String] {
        var read: [String] = []
        for await element in events {
            switch element {
            case .event(.user(let event)): read.append(event.name)
            case .event: read.append("other")
            case .missed(let count): read.append("missed \(count)")
            }
            if read.count == count { break }
        }
        return read
    }

    @Test("a slow consumer misses the oldest, and is told how many") func overflow() async {
        let hub = EventHub()
        let events = hub.subscribe(eventsMax: 3)
        for number in 1...10 { hub.publish(event(number)) }
        #expect(await read(events, count: 4) == ["missed 7", "8", "9", "10"])
        hub.publish(event(11))
        #expect(await read(events, count: 1) == ["11"])
        for number in 12...15 { hub.publish(event(number)) }
        #expect(await read(events, count: 2) == ["missed 1", "13"])
        hub.publish(event(16))
        hub.finish()
        #expect(await read(events, count: 9) == ["14", "15", "16"])
    }

    @Test("each consumer has its own buffer, from its own beginning") func several() async {
        let hub = EventHub()
        let early = hub.subscribe(eventsMax: 8)
        hub.publish(event(1))
        let late = hub.subscribe(eventsMax: 1)
        hub.publish(event(2))
        hub.publish(event(3))
        hub.finish()
        #expect(await read(early, count: 9) == ["1", "2", "3"])
        #expect(await read(late, count: 9) == ["missed 1", "3"])
        #expect(await read(hub.subscribe(eventsMax: 1), count: 1) == [])
    }

    @Test("a consumer that waits is woken by an event, by the end and by its cancellation")
    func waiting() async throws {
        let hub = EventHub()
        let events = hub.subscribe(eventsMax: 8)
        let first = Task { await read(events, count: 1) }
        hub.publish(event(1))
        #expect(await first.value == ["1"])
        let cancelled = Task { await read(events, count: 1) }
        cancelled.cancel()
        #expect(await cancelled.value == [])
        let last = Task { await read(events, count: 1) }
        hub.finish()
        #expect(await last.value == [])
    }

    @Test("what nobody holds any more is not kept") func released() {
        let hub = EventHub()
        weak var inbox: EventInbox?
        do {
            let events = hub.subscribe(eventsMax: 8)
            inbox = events.subscription.inbox
            #expect(inbox != nil)
        }
        #expect(inbox == nil)
    }

    @Test("a node whose events nobody reads keeps working") func unread() async throws {
        try await withPair {
            $0.eventsMax = 4
        } _: { first, second in
            let events = second.events()
            for number in 0..<40 { try await first.send(event: "event-\(number)") }
            try await eventually("all events have gone around") {
                try await first.statistics.queueDepths[.events] == 0
            }
            let read = await read(events, count: 2)
            #expect(read[0].hasPrefix("missed "))
            #expect(read[1].hasPrefix("event-"))
        }
    }
}
