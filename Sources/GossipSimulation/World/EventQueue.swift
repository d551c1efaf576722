// SPDX-License-Identifier: Apache-2.0

/// What is going to happen, by time, and at equal times in the order in which it was planned.
struct EventQueue<Event> {
    // Events are large and stay where they are; only these are moved.
    private struct Entry {
        var time: Int64
        var number: UInt64
        var place: Int

        func comes(before other: Entry) -> Bool { (time, number) < (other.time, other.number) }
    }

    private var heap: [Entry] = []
    private var events: [Event?] = []
    private var freePlaces: [Int] = []
    private var planned: UInt64 = 0

    var nextTime: Int64? { heap.first?.time }

    mutating func plan(_ event: Event, at time: Int64) {
        planned += 1
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            events[place] = event
        } else {
            place = events.count
            events.append(event)
        }
        heap.append(Entry(time: time, number: planned, place: place))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].comes(before: heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> (time: Int64, event: Event)? {
        guard let first = popEntry(), let event = events[first.place] else { return nil }
        events[first.place] = nil
        freePlaces.append(first.place)
        return (first.time, event)
    }

    private mutating func popEntry() -> Entry? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in (2 * parent + 1)...(2 * parent + 2)
            where child < heap.count && heap[child].comes(before: heap[least]) {
                least = child
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
