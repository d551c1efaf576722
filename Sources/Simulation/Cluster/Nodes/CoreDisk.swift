// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Positions
internal import RaftCore

/// A disk that knows entries and votes instead of files: what is written, and what of it a power cut
/// leaves.
struct CoreDisk {
    struct Entry {
        var info: EntryInfo
        var value: UInt64
        var count: Int
        var baseOffset: Int64

        var endOffset: Int64 { baseOffset + Int64(count) }
    }

    private(set) var start = LogStart(index: .zero, term: .zero, offset: 0)
    /// The members as of the start.
    private(set) var startMembers: Configuration
    private(set) var entries: [Entry] = []
    /// The last entry that a power cut leaves in any case.
    private(set) var syncedIndex = LogIndex.zero
    /// Hard states that are written and not synced, oldest first.
    private(set) var writtenStates: [(state: HardState, version: UInt64)] = []
    private(set) var savedState = HardState()
    /// A late guess of what is committed.
    var commitHint = LogIndex.zero
    var damaged: [RaftStart.DamagedRange] = []
    var isFull = false

    init(members: Configuration) { startMembers = members }

    var lastIndex: LogIndex { start.index.advanced(by: entries.count) }

    func holds(_ index: LogIndex) -> Bool { index > start.index && index <= lastIndex }

    func entry(at index: LogIndex) -> Entry { entries[index.distance(from: start.index) - 1] }

    var endOffset: Int64 { entries.last?.endOffset ?? start.offset }

    func endOffset(at index: LogIndex) -> Int64 {
        index <= start.index ? start.offset : entry(at: min(index, lastIndex)).endOffset
    }

    /// The number of the first entry whose records end behind an offset.
    func entryNumber(at offset: Int64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].endOffset <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: The log

    mutating func append(_ info: EntryInfo, value: UInt64, count: Int) {
        entries.append(Entry(info: info, value: value, count: count, baseOffset: endOffset))
    }

    /// Removes an entry and all behind it; durable at once.
    mutating func truncate(from index: LogIndex) {
        entries.removeLast(lastIndex.distance(from: index.previous))
        syncedIndex = min(syncedIndex, index.previous)
        damaged = damaged.compactMap { range in
            guard range.first < index else { return nil }
            var kept = range
            kept.last = min(range.last, index.previous)
            return kept
        }
    }

    mutating func removeFirst(upTo index: LogIndex) {
        for entry in entries.prefix(index.distance(from: start.index)) {
            if let configuration = entry.info.configuration { startMembers = configuration }
        }
        let last = entry(at: index)
        entries.removeFirst(index.distance(from: start.index))
        start = LogStart(index: index, term: last.info.term, offset: last.endOffset)
        syncedIndex = max(syncedIndex, index)
        damaged = damaged.compactMap { range in
            guard range.last > index else { return nil }
            var kept = range
            kept.first = max(range.first, index.next)
            return kept
        }
    }

    mutating func reset(_ start: LogStart, members: Configuration) {
        self.start = start
        startMembers = members
        entries = []
        syncedIndex = start.index
        damaged = []
    }

    mutating func sync(through index: LogIndex) {
        syncedIndex = max(syncedIndex, min(index, lastIndex))
    }

    mutating func repair(first: LogIndex, last: LogIndex) {
        damaged = damaged.compactMap { range in
            guard range.first == first else { return range }
            guard range.last > last else { return nil }
            var kept = range
            kept.first = last.next
            return kept
        }
    }

    // MARK: Term and vote

    mutating func write(_ state: HardState, version: UInt64) {
        writtenStates.append((state, version))
    }

    mutating func save(version: UInt64) {
        while let first = writtenStates.first, first.version <= version {
            savedState = first.state
            writtenStates.removeFirst()
        }
    }

    // MARK: Crashes

    /// The process has ended: what was written is in the page cache, and is synced at the next start.
    mutating func kill() {
        if let last = writtenStates.last { savedState = last.state }
        writtenStates = []
        syncedIndex = lastIndex
    }

    /// Of what was not synced some first part is left.
    mutating func cutPower(_ random: inout SplitMix64) {
        let states = Int.random(in: 0...writtenStates.count, using: &random)
        if states > 0 { savedState = writtenStates[states - 1].state }
        writtenStates = []
        let unsynced = lastIndex.distance(from: syncedIndex)
        if unsynced > 0 {
            // All or nothing now and then: those are the cases that differ most.
            let lost =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: 0
                case 1: unsynced
                default: Int.random(in: 0...unsynced, using: &random)
                }
            entries.removeLast(lost)
        }
        syncedIndex = lastIndex
        commitHint = min(commitHint, lastIndex)
    }

    /// What recovery finds.
    func recovered(_ random: inout SplitMix64) -> RaftStart {
        var found = RaftStart()
        found.hardState = savedState
        found.startIndex = start.index
        found.startTerm = start.term
        found.lastIndex = lastIndex
        found.configuration = startMembers
        found.damaged = damaged
        let hint = max(start.index, commitHint)
        found.commit = LogIndex(
            UInt64.random(in: start.index.rawValue...hint.rawValue, using: &random))
        var term = start.term
        for (number, entry) in entries.enumerated() {
            let index = start.index.advanced(by: number + 1)
            if entry.info.term > term || found.termStarts.isEmpty {
                term = entry.info.term
                found.termStarts.append(RaftStart.TermStart(term: term, first: index))
            }
            if let configuration = entry.info.configuration {
                found.configurations.append(
                    RaftStart.IndexedConfiguration(index: index, configuration: configuration))
            }
        }
        return found
    }
}
