// SPDX-License-Identifier: Apache-2.0

internal import DequeModule
internal import Positions

/// What the core knows of its log: each entry's term, and of the last ones size and kind.
///
/// ```
///             startIndex                    tailFirst        lastIndex
/// ─ gone ─────────┤├──── terms only ───────────┤├── sizes too ──┤
/// ```
struct EntryTable: Sendable {
    /// The last entry that is gone.
    private(set) var startIndex: LogIndex
    private(set) var startTerm: Term
    private(set) var lastIndex: LogIndex
    /// Where each term begins, ascending in both.
    private(set) var termStarts: [RaftStart.TermStart]
    private var tail: Deque<EntryInfo> = []
    /// Bytes up to and with each entry of the tail, since the replica started.
    private var ends: Deque<UInt64> = []
    /// Bytes before the tail's first entry.
    private var bytesBeforeTail: UInt64 = 0

    init(_ start: RaftStart) {
        startIndex = start.startIndex
        startTerm = start.startTerm
        lastIndex = start.lastIndex
        termStarts = start.termStarts
        precondition(startIndex <= lastIndex, "the log ends at \(lastIndex) before it begins")
        checkInvariants()
    }

    /// The first entry whose size is known.
    var tailFirst: LogIndex { LogIndex(lastIndex.rawValue + 1 - UInt64(tail.count)) }

    /// The last entry's term.
    var lastTerm: Term { lastIndex == startIndex ? startTerm : termStarts.last?.term ?? startTerm }

    /// An entry's term; `nil` where it is not known: before the start and behind the end.
    func term(at index: LogIndex) -> Term? {
        if index == startIndex { return startTerm }
        guard index > startIndex, index <= lastIndex else { return nil }
        if let last = termStarts.last, index >= last.first { return last.term }
        let number = termNumber(at: index)
        return number < 0 ? nil : termStarts[number].term
    }

    /// The number of the last term that begins at or before an entry, or -1.
    private func termNumber(at index: LogIndex) -> Int {
        var low = 0
        var high = termStarts.count
        while low < high {
            let middle = (low + high) / 2
            if termStarts[middle].first <= index { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    /// The last entry at or before `index` whose term is not above `term`; the start if none is,
    /// and `index` itself if that lies before the start.
    func lastIndex(upTo index: LogIndex, ofTermUpTo term: Term) -> LogIndex {
        guard index > startIndex else { return index }
        var result = min(index, lastIndex)
        while result > startIndex {
            let number = termNumber(at: result)
            // Whether an entry of an unknown term is the same nobody can say.
            guard number >= 0 else { return startIndex }
            if termStarts[number].term <= term { return result }
            result = termStarts[number].first.previous
        }
        return startIndex
    }

    /// The entry, if it is in the tail.
    func entry(at index: LogIndex) -> EntryInfo? {
        guard index >= tailFirst, index <= lastIndex else { return nil }
        return tail[Int(index.rawValue - tailFirst.rawValue)]
    }

    /// The bytes of all entries up to one, since the replica started; those before the tail count 0.
    func bytes(upTo index: LogIndex) -> UInt64 {
        guard index >= tailFirst else { return bytesBeforeTail }
        guard let last = ends.last else { return bytesBeforeTail }
        return index >= lastIndex ? last : ends[Int(index.rawValue - tailFirst.rawValue)]
    }

    // MARK: Changes

    mutating func append(_ entry: EntryInfo) {
        precondition(entry.term >= lastTerm, "term \(entry.term) behind term \(lastTerm)")
        let before = ends.last ?? bytesBeforeTail
        lastIndex = lastIndex.next
        if termStarts.last?.term != entry.term {
            termStarts.append(RaftStart.TermStart(term: entry.term, first: lastIndex))
        }
        tail.append(entry)
        // An entry costs something even if it is empty.
        ends.append(before + UInt64(max(0, entry.size)) + 32)
    }

    /// Forgets an entry and all behind it.
    mutating func truncate(from index: LogIndex) {
        precondition(index > startIndex, "the log begins behind \(index)")
        guard index <= lastIndex else { return }
        let count = Int(lastIndex.rawValue - index.rawValue) + 1
        if count >= tail.count {
            tail.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        } else {
            tail.removeLast(count)
            ends.removeLast(count)
        }
        lastIndex = index.previous
        while let last = termStarts.last, last.first > lastIndex { termStarts.removeLast() }
    }

    /// Forgets the sizes of entries at the tail's front.
    mutating func trimTail(to count: Int, keepingFrom index: LogIndex) {
        while tail.count > count, tailFirst < index {
            tail.removeFirst()
            bytesBeforeTail = ends.removeFirst()
        }
    }

    /// Forgets entries up to one, which are gone from the log.
    mutating func removeFirst(upTo index: LogIndex) {
        guard index > startIndex else { return }
        precondition(index <= lastIndex, "entries up to \(index) of \(lastIndex) gone")
        // An unknown term stays unknown: nobody can be asked for it.
        startTerm = term(at: index) ?? startTerm
        startIndex = index
        let number = termNumber(at: index.next)
        if number >= 0 {
            termStarts.removeFirst(number)
            termStarts[0].first = max(termStarts[0].first, index.next)
        }
        if let last = termStarts.last, last.first > lastIndex { termStarts.removeAll() }
        while tailFirst <= startIndex, !tail.isEmpty {
            tail.removeFirst()
            bytesBeforeTail = ends.removeFirst()
        }
    }

    /// Begins anew behind an entry.
    mutating func reset(after index: LogIndex, term: Term) {
        startIndex = index
        startTerm = term
        lastIndex = index
        termStarts = []
        tail = []
        ends = []
    }

    func checkInvariants() {
        precondition(tail.count == ends.count, "sizes of other entries")
        precondition(
            tail.isEmpty || tailFirst > startIndex, "the tail begins in front of the log")
        if let first = termStarts.first {
            precondition(first.first > startIndex, "term \(first.term) begins before the log")
            precondition(first.term >= startTerm, "term \(first.term) behind \(startTerm)")
        }
        if let last = termStarts.last {
            precondition(last.first <= lastIndex, "term \(last.term) begins behind the log")
        }
        for (left, right) in zip(termStarts, termStarts.dropFirst()) {
            precondition(left.term < right.term, "terms ascend")
            precondition(left.first < right.first, "terms begin one behind the other")
        }
    }
}
