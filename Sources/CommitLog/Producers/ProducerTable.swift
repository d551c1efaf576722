// SPDX-License-Identifier: Apache-2.0

internal import Records

/// The idempotent producers that a log knows.
///
/// ```
/// places: id ──▶ slot      slots in a row:  oldest ⇄ … ⇄ newest      journal: slots as they were
/// ```
///
/// Owned by the log. It holds a bounded number of producers; whoever has not appended for the longest
/// time goes first, and may go on with any sequence number, as a new producer may.
///
/// Batches are noted before they are written, so that those of one write are judged by each other;
/// ``undo()`` makes a write that failed as if it had never been tried.
struct ProducerTable: Sendable {
    /// How much is remembered.
    struct Limits: Sendable, Equatable {
        var producersMax = LogSettings.producersLimit
        var batchesMax = ProducerWindow.batchesMax
        /// In milliseconds.
        var expiry: Int64 = 7 * 86_400_000
    }

    /// A producer, in the row of those that appended before and after it.
    private struct Slot: Sendable {
        var id: Int64
        var window: ProducerWindow
        var older: Int32
        var newer: Int32
    }

    /// A slot before a batch was noted in it.
    private struct Entry: Sendable {
        var id: Int64
        var place: Int32
        /// `nil` if the producer was not known.
        var window: ProducerWindow?
    }

    /// Stands for no slot.
    private static let none: Int32 = -1
    /// A journal that grew longer than this is not kept for the next write.
    private static let journalKeptMax = 64

    /// How much is remembered, from the next batch on.
    var limits: Limits
    private var slots: [Slot] = []
    private var free: [Int32] = []
    /// Looked up only, never walked: its order is not repeatable.
    private var places: [Int64: Int32] = [:]
    private var oldest = none
    private var newest = none
    private var journal: [Entry] = []

    init(limits: Limits = Limits()) {
        precondition(limits.producersMax > 0, "a table holds at least one producer")
        self.limits = limits
    }

    /// How many producers are known.
    var count: Int { places.count }
    /// Whether no producer is known.
    var isEmpty: Bool { places.isEmpty }

    /// What is known of a producer.
    func window(of id: Int64) -> ProducerWindow? {
        places[id].map { slots[Int($0)].window }
    }

    /// Judges a batch; of a producer that is not known any sequence number is as good.
    func judge(_ header: BatchHeader) -> ProducerVerdict {
        guard let place = places[header.producerID] else { return .new }
        return slots[Int(place)].window.judge(header)
    }

    /// Takes note of a batch that is about to be written.
    mutating func note(_ header: BatchHeader, at baseOffset: Offset, now: Timestamp) {
        let place: Int32
        if let known = places[header.producerID] {
            place = known
            journal.append(
                Entry(id: header.producerID, place: place, window: slots[Int(place)].window))
            unlink(place)
        } else {
            while count >= limits.producersMax { removeOldest() }
            place = insert(
                header.producerID, ProducerWindow(epoch: header.producerEpoch, lastUse: now))
            journal.append(Entry(id: header.producerID, place: place, window: nil))
        }
        slots[Int(place)].window.note(
            header, at: baseOffset, now: now, batchesMax: limits.batchesMax)
        linkNewest(place)
    }

    /// What was noted is in the log.
    mutating func commit() {
        journal.removeAll(keepingCapacity: journal.count <= Self.journalKeptMax)
    }

    /// What was noted since the last ``commit()`` did not get into the log after all.
    mutating func undo() {
        while let entry = journal.popLast() {
            // Others may have taken its place since.
            guard places[entry.id] == entry.place else { continue }
            if var window = entry.window {
                // It is alive, and keeps its place in the row.
                window.lastUse = slots[Int(entry.place)].window.lastUse
                slots[Int(entry.place)].window = window
            } else {
                remove(entry.place)
            }
        }
    }

    /// Puts a producer behind all others, as a snapshot has it; false if it was there already.
    mutating func restore(_ id: Int64, _ window: ProducerWindow) -> Bool {
        guard places[id] == nil else { return false }
        while count >= limits.producersMax { removeOldest() }
        linkNewest(insert(id, window))
        return true
    }

    /// Forgets producers that have not appended for too long.
    ///
    /// Costs nothing if there are none.
    mutating func expire(now: Timestamp) {
        while oldest != Self.none,
            now.rawValue &- slots[Int(oldest)].window.lastUse.rawValue > limits.expiry
        {
            removeOldest()
        }
    }

    /// Calls `body` with each producer, those that appended longest ago first.
    func visit(_ body: (Int64, ProducerWindow) -> Void) {
        var place = oldest
        while place != Self.none {
            body(slots[Int(place)].id, slots[Int(place)].window)
            place = slots[Int(place)].newer
        }
    }

    /// Checks what must hold between any two calls; cheap enough for each step of a simulation.
    func checkInvariants() {
        var seen = 0
        var previous = Self.none
        var place = oldest
        while place != Self.none {
            let slot = slots[Int(place)]
            precondition(slot.older == previous, "a broken row of producers")
            precondition(places[slot.id] == place, "a producer that cannot be found")
            precondition(slot.window.count > 0, "a producer without a batch")
            for number in 1..<slot.window.count {
                let (before, after) = (slot.window.batch(number - 1), slot.window.batch(number))
                precondition(before.baseOffset < after.baseOffset, "batches out of order")
            }
            previous = place
            place = slot.newer
            seen += 1
        }
        precondition(previous == newest, "a row without its end")
        precondition(seen == count, "\(seen) producers in the row, \(count) in all")
        precondition(seen + free.count == slots.count, "a slot that is neither used nor free")
        precondition(journal.isEmpty, "batches that are neither in the log nor taken back")
    }

    // MARK: The row

    private mutating func insert(_ id: Int64, _ window: ProducerWindow) -> Int32 {
        let slot = Slot(id: id, window: window, older: Self.none, newer: Self.none)
        let place: Int32
        if let reused = free.popLast() {
            slots[Int(reused)] = slot
            place = reused
        } else {
            place = Int32(slots.count)
            slots.append(slot)
        }
        places[id] = place
        return place
    }

    private mutating func unlink(_ place: Int32) {
        let (older, newer) = (slots[Int(place)].older, slots[Int(place)].newer)
        if older == Self.none { oldest = newer } else { slots[Int(older)].newer = newer }
        if newer == Self.none { newest = older } else { slots[Int(newer)].older = older }
    }

    private mutating func linkNewest(_ place: Int32) {
        slots[Int(place)].older = newest
        slots[Int(place)].newer = Self.none
        if newest == Self.none { oldest = place } else { slots[Int(newest)].newer = place }
        newest = place
    }

    private mutating func removeOldest() { remove(oldest) }

    private mutating func remove(_ place: Int32) {
        unlink(place)
        places[slots[Int(place)].id] = nil
        free.append(place)
    }
}
