// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// The user events of the last event times, so that each is delivered once and newcomers can have them.
///
/// A slot a time, by the remainder of its division by the number of slots.
struct EventRing: Sendable {
    /// How many events a slot takes.
    ///
    /// Members that send without having heard of each other stamp with the same time, so this is
    /// how many can do so at once.
    static let slotCountMax = 1024
    /// What all slots take together, in bytes of names and payloads: a hostile member cannot fill the
    /// memory, and a push/pull stays below what its receiver takes.
    static let bytesMax = 4 << 20
    /// How many events all slots take together; a push/pull with more would not be read.
    static let countMax = 1 << 15

    /// What becomes of an event.
    enum Verdict: Sendable, Equatable {
        /// Not seen before: deliver it, and pass it on.
        case isNew
        /// Seen before, or too old to know.
        case isOld
        /// There is no room to remember it, so it cannot be delivered just once.
        case isTooMuch
    }

    private struct Slot: Sendable {
        var events: EventsAtTime
        /// The same once more, since a slot may hold too many to compare one by one.
        var seen: Set<RecentEvent>

        var time: LamportTime { events.time }
        var count: Int { events.events.count }
        var byteCount: Int { events.events.reduce(0) { $0 + EventRing.size(of: $1) } }
    }

    private var slots: [Slot?]
    private(set) var byteCount = 0
    private(set) var count = 0
    /// Events before this are not wanted.
    private(set) var minimum = LamportTime.zero

    init(slotCount: Int) {
        slots = Array(repeating: nil, count: min(max(1, slotCount), 65_536))
    }

    /// Remembers an event, if it is new.
    ///
    /// - Parameter clock: The event clock, which has seen the event's time already.
    mutating func remember(
        _ event: RecentEvent, at time: LamportTime, clock: LamportClock
    ) -> Verdict {
        guard time >= minimum, !time.isForgotten(by: clock, depth: slots.count) else {
            return .isOld
        }
        let place = Int(time.rawValue % UInt64(slots.count))
        let size = Self.size(of: event)
        if let slot = slots[place], slot.time == time {
            guard !slot.seen.contains(event) else { return .isOld }
            guard
                slot.count < Self.slotCountMax, count < Self.countMax,
                byteCount + size <= Self.bytesMax
            else { return .isTooMuch }
            slots[place]?.events.events.append(event)
            slots[place]?.seen.insert(event)
        } else {
            let freed = slots[place]?.byteCount ?? 0
            let freedCount = slots[place]?.count ?? 0
            guard
                byteCount - freed + size <= Self.bytesMax, count - freedCount < Self.countMax
            else { return .isTooMuch }
            byteCount -= freed
            count -= freedCount
            slots[place] = Slot(
                events: EventsAtTime(time: time, events: [event]), seen: [event])
        }
        byteCount += size
        count += 1
        return .isNew
    }

    /// Takes events before a time for old from now on.
    mutating func ignore(before time: LamportTime) {
        minimum = max(minimum, time)
    }

    /// What is remembered, for a push/pull.
    var filledSlots: [EventsAtTime] { slots.compactMap { $0?.events } }

    private static func size(of event: RecentEvent) -> Int {
        event.name.utf8.count + event.payload.count
    }

    func checkInvariants() {
        precondition(
            byteCount == slots.reduce(0) { $0 + ($1?.byteCount ?? 0) },
            "\(byteCount) bytes of events counted wrongly")
        precondition(byteCount <= Self.bytesMax, "\(byteCount) bytes of events")
        precondition(
            count == slots.reduce(0) { $0 + ($1?.count ?? 0) },
            "\(count) events counted wrongly")
        precondition(count <= Self.countMax, "\(count) events")
        for (place, slot) in slots.enumerated() {
            guard let slot else { continue }
            precondition(
                Int(slot.time.rawValue % UInt64(slots.count)) == place,
                "events of \(slot.time) at \(place)")
            precondition(slot.count <= Self.slotCountMax, "a slot holds too many events")
        }
    }
}
