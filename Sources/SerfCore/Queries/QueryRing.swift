// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// The queries of the last query times, so that each is seen to once.
struct QueryRing: Sendable {
    /// How many queries a slot takes: as many can be asked at once.
    static let slotCountMax = 1024

    /// What becomes of a query.
    enum Verdict: Sendable, Equatable {
        /// Not seen before.
        case isNew
        /// Seen before, or too old to know.
        case isOld
        /// There is no room to remember it, so it cannot be seen to just once.
        case isTooMuch
    }

    private struct Slot: Sendable {
        var time: LamportTime
        var ids: Set<UInt32>
    }

    private var slots: [Slot?]

    init(slotCount: Int) {
        slots = Array(repeating: nil, count: min(max(1, slotCount), 65_536))
    }

    /// Remembers a query, if it is new.
    ///
    /// - Parameter clock: The query clock, which has seen the query's time already.
    mutating func remember(_ id: UInt32, at time: LamportTime, clock: LamportClock) -> Verdict {
        guard !time.isForgotten(by: clock, depth: slots.count) else { return .isOld }
        let place = Int(time.rawValue % UInt64(slots.count))
        guard let slot = slots[place], slot.time == time else {
            slots[place] = Slot(time: time, ids: [id])
            return .isNew
        }
        guard !slot.ids.contains(id) else { return .isOld }
        guard slot.ids.count < Self.slotCountMax else { return .isTooMuch }
        slots[place]?.ids.insert(id)
        return .isNew
    }

    func checkInvariants() {
        for case let slot? in slots {
            precondition(slot.ids.count <= Self.slotCountMax, "a slot holds too many queries")
        }
    }
}
