// SPDX-License-Identifier: Apache-2.0

internal import Records

/// The idempotent producers that a log knows.
///
/// Owned by the log. It holds at most ``producersMax``; whoever has not appended for the longest time
/// goes first, and may go on with any sequence number, as a new producer may.
struct ProducerTable: Sendable {
    /// The most producers that are remembered: some 200 bytes each.
    static let producersMax = 50_000
    /// Milliseconds after which a producer that appends nothing is forgotten: seven days, as long as
    /// Kafka keeps transactional ids.
    static let expiry: Int64 = 7 * 86_400_000

    /// A producer, in the row of those that appended before and after it.
    private struct Slot: Sendable {
        var id: Int64
        var window: ProducerWindow
        var older: Int
        var newer: Int
    }

    /// Stands for no slot.
    private static let none = -1

    private var slots: [Slot] = []
    private var free: [Int] = []
    /// Looked up only, never walked: its order is not repeatable.
    private var places: [Int64: Int] = [:]
    private var oldest = none
    private var newest = none
    private let producersMax: Int

    init(producersMax: Int = ProducerTable.producersMax) {
        precondition(producersMax > 0, "a table holds at least one producer")
        self.producersMax = producersMax
    }

    /// How many producers are known.
    var count: Int { places.count }
    /// Whether no producer is known.
    var isEmpty: Bool { places.isEmpty }

    /// What is known of a producer.
    func window(of id: Int64) -> ProducerWindow? {
        places[id].map { slots[$0].window }
    }

    /// Judges a batch; of a producer that is not known any sequence number is as good.
    func judge(_ header: BatchHeader) -> ProducerVerdict {
        guard let place = places[header.producerID] else { return .new }
        return slots[place].window.judge(header)
    }

    /// Takes note of a batch that was appended.
    mutating func note(_ header: BatchHeader, at baseOffset: Offset, now: Timestamp) {
        let place: Int
        if let known = places[header.producerID] {
            place = known
            unlink(place)
        } else {
            expire(now: now)
            if count == producersMax { removeOldest() }
            place = insert(
                header.producerID, ProducerWindow(epoch: header.producerEpoch, lastUse: now))
        }
        slots[place].window.note(header, at: baseOffset, now: now)
        linkNewest(place)
    }

    /// Takes back what was noted of batches that did not get into the log after all.
    mutating func forget(from offset: Offset, of producers: [Int64]) {
        for id in producers {
            guard let place = places[id] else { continue }
            slots[place].window.batches.removeAll { $0.baseOffset >= offset }
        }
    }

    /// Puts a producer behind all others, as a snapshot has it.
    mutating func restore(_ id: Int64, _ window: ProducerWindow) {
        guard places[id] == nil, count < producersMax else { return }
        linkNewest(insert(id, window))
    }

    /// Forgets producers that have not appended for too long.
    mutating func expire(now: Timestamp) {
        while oldest != Self.none,
            now.rawValue &- slots[oldest].window.lastUse.rawValue > Self.expiry
        {
            removeOldest()
        }
    }

    /// Calls `body` with each producer, those that appended longest ago first.
    func forEach(_ body: (Int64, ProducerWindow) -> Void) {
        var place = oldest
        while place != Self.none {
            body(slots[place].id, slots[place].window)
            place = slots[place].newer
        }
    }

    /// Checks what must hold between any two calls.
    func checkInvariants() {
        var seen = 0
        var previous = Self.none
        var place = oldest
        while place != Self.none {
            precondition(slots[place].older == previous, "a broken row of producers")
            precondition(places[slots[place].id] == place, "a producer that cannot be found")
            precondition(
                slots[place].window.batches.count <= ProducerWindow.batchesMax,
                "more batches than a window has")
            previous = place
            place = slots[place].newer
            seen += 1
        }
        precondition(previous == newest, "a row without its end")
        precondition(seen == count, "\(seen) producers in the row, \(count) in all")
        precondition(count <= producersMax, "more producers than allowed")
    }

    // MARK: The row

    private mutating func insert(_ id: Int64, _ window: ProducerWindow) -> Int {
        let slot = Slot(id: id, window: window, older: Self.none, newer: Self.none)
        let place: Int
        if let reused = free.popLast() {
            slots[reused] = slot
            place = reused
        } else {
            place = slots.count
            slots.append(slot)
        }
        places[id] = place
        return place
    }

    private mutating func unlink(_ place: Int) {
        let (older, newer) = (slots[place].older, slots[place].newer)
        if older == Self.none { oldest = newer } else { slots[older].newer = newer }
        if newer == Self.none { newest = older } else { slots[newer].older = older }
    }

    private mutating func linkNewest(_ place: Int) {
        slots[place].older = newest
        slots[place].newer = Self.none
        if newest == Self.none { oldest = place } else { slots[newest].newer = place }
        newest = place
    }

    private mutating func removeOldest() {
        let place = oldest
        unlink(place)
        places[slots[place].id] = nil
        free.append(place)
    }
}
