// SPDX-License-Identifier: Apache-2.0

/// Timers in the order in which they fire: the earlier one first, and of two of one moment the one
/// that was set first.
///
/// A binary heap of slots that know their places, so that setting and cancelling cost O(log n) and
/// no cancelled timer stays: the first deadline is exact.
struct TimerQueue<Purpose: Sendable>: Sendable {
    /// A timer that was set.
    ///
    /// It is good until the timer has fired or was cancelled.
    struct ID: Hashable, Sendable {
        fileprivate var slot: Int
        fileprivate var serial: UInt64
    }

    private struct Slot: Sendable {
        var deadline: Moment
        var serial: UInt64
        /// Where it is in the heap; negative when the slot is free.
        var place: Int
        var purpose: Purpose?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []
    private var heap: [Int] = []
    private var lastSerial: UInt64 = 0

    var count: Int { heap.count }

    /// When the first one fires.
    var nextDeadline: Moment? { heap.first.map { slots[$0].deadline } }

    mutating func set(_ purpose: Purpose, at deadline: Moment) -> ID {
        lastSerial += 1
        let timer = Slot(
            deadline: deadline, serial: lastSerial, place: heap.count, purpose: purpose)
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            slots[slot] = timer
        } else {
            slot = slots.count
            slots.append(timer)
        }
        heap.append(slot)
        rise(from: heap.count - 1)
        return ID(slot: slot, serial: lastSerial)
    }

    /// Takes a timer away; nothing if it has fired or was cancelled.
    mutating func cancel(_ id: ID) {
        guard isSet(id) else { return }
        _ = remove(at: slots[id.slot].place)
    }

    func isSet(_ id: ID) -> Bool {
        slots[id.slot].serial == id.serial && slots[id.slot].place >= 0
    }

    func deadline(of id: ID) -> Moment? { isSet(id) ? slots[id.slot].deadline : nil }

    /// Takes the first timer whose deadline has come.
    mutating func popDue(at now: Moment) -> (purpose: Purpose, deadline: Moment)? {
        guard let deadline = nextDeadline, deadline <= now else { return nil }
        return remove(at: 0).map { ($0, deadline) }
    }

    private mutating func remove(at place: Int) -> Purpose? {
        let slot = heap[place]
        let last = heap.count - 1
        heap.swapAt(place, last)
        slots[heap[place]].place = place
        heap.removeLast()
        let purpose = slots[slot].purpose
        slots[slot].purpose = nil
        slots[slot].place = -1
        free.append(slot)
        if place < heap.count {
            sink(from: place)
            rise(from: place)
        }
        return purpose
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (slots[heap[left]], slots[heap[right]])
        if left.deadline != right.deadline { return left.deadline < right.deadline }
        return left.serial < right.serial
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        slots[heap[left]].place = left
        slots[heap[right]].place = right
    }

    private mutating func rise(from start: Int) {
        var place = start
        while place > 0, isBefore(place, (place - 1) / 2) {
            exchange(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(from start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < heap.count && isBefore(child, least) {
                least = child
            }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    /// Checks what must hold between any two calls.
    func checkInvariants() {
        precondition(heap.count + free.count == slots.count, "a slot that is neither used nor free")
        for place in heap.indices {
            precondition(slots[heap[place]].place == place, "a timer that is elsewhere")
            precondition(place == 0 || !isBefore(place, (place - 1) / 2), "timers out of order")
        }
    }
}
