// SPDX-License-Identifier: Apache-2.0

/// Which group wants to be looked at when: a binary heap, the earliest first.
///
/// An entry that was overtaken by an earlier one of its group stays until it comes up; whoever takes
/// it out sees that the group waits for another time by now.
struct DeadlineQueue: Sendable {
    struct Entry: Sendable, Equatable {
        var deadline: Int64
        var group: String

        fileprivate func comes(before other: Entry) -> Bool {
            (deadline, group) < (other.deadline, other.group)
        }
    }

    private var heap: [Entry] = []

    var count: Int { heap.count }
    var first: Entry? { heap.first }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].comes(before: heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes out the earliest entry if it is due.
    mutating func popFirst(dueAt now: Int64) -> Entry? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].comes(before: heap[least]) {
                least = child
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    /// Keeps only the entries that still mean something.
    mutating func keep(_ isMeant: (Entry) -> Bool) {
        var kept = DeadlineQueue()
        for entry in heap where isMeant(entry) { kept.insert(entry) }
        self = kept
    }
}
