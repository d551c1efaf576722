// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import DequeModule
internal import Records

/// The last entries of a log with their content, so that followers are fed without reading files.
///
/// Entries that follow each other; the oldest go when there are more bytes than allowed.
struct EntryCache {
    private var entries: Deque<LogEntry> = []
    private var firstIndex = LogIndex(1)
    private var bytes = 0
    let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    private var endIndex: LogIndex { firstIndex.advanced(by: entries.count) }

    /// Adds an entry; begins anew with it if it does not follow the last one.
    mutating func add(_ entry: LogEntry, at index: LogIndex) {
        if index != endIndex || entries.isEmpty {
            removeAll()
            firstIndex = index
        }
        entries.append(entry)
        bytes += entry.size
        while bytes > bytesMax, entries.count > 1 {
            bytes -= entries.removeFirst().size
            firstIndex = firstIndex.next
        }
    }

    /// Forgets an entry and those behind it.
    mutating func truncate(from index: LogIndex) {
        while !entries.isEmpty, endIndex > index { bytes -= entries.removeLast().size }
    }

    /// Forgets the entries up to one: they are gone from the log.
    mutating func removeFirst(through index: LogIndex) {
        while !entries.isEmpty, firstIndex <= index {
            bytes -= entries.removeFirst().size
            firstIndex = firstIndex.next
        }
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        bytes = 0
    }

    /// Entries from one on; `nil` if not all of them are here.
    func entries(from first: LogIndex, count: Int) -> [LogEntry]? {
        guard count > 0, first >= firstIndex, first.advanced(by: count) <= endIndex else {
            return nil
        }
        let start = first.distance(from: firstIndex)
        return Array(entries[start..<(start + count)])
    }
}
