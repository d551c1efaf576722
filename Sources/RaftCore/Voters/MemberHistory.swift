// SPDX-License-Identifier: Apache-2.0

internal import Positions

/// The configurations that the log names, so that the one before can be had back.
struct MemberHistory: Sendable {
    /// Ascending; the first one is that of the log's start, or the oldest that is known.
    private(set) var entries: [RaftStart.IndexedConfiguration]

    init(_ start: RaftStart) {
        entries = [
            RaftStart.IndexedConfiguration(
                index: start.startIndex, configuration: start.configuration)
        ]
        for entry in start.configurations {
            if entry.index <= start.startIndex {
                entries[0].configuration = entry.configuration
            } else {
                precondition(entry.index > entries[entries.count - 1].index, "out of order")
                entries.append(entry)
            }
        }
    }

    /// The members as of the last entry, which count.
    var latest: Configuration { entries[entries.count - 1].configuration }

    /// The entry that names them.
    var latestIndex: LogIndex { entries[entries.count - 1].index }

    /// The members before the latest change, if the log still names them.
    var previous: Configuration? {
        entries.count > 1 ? entries[entries.count - 2].configuration : nil
    }

    /// The members as of the log's start.
    var first: Configuration { entries[0].configuration }

    mutating func append(_ configuration: Configuration, at index: LogIndex) {
        precondition(index > latestIndex || entries.count == 1, "configurations ascend")
        entries.append(
            RaftStart.IndexedConfiguration(index: index, configuration: configuration))
    }

    /// Takes back what entries from `index` on have named; whether there was any.
    mutating func truncate(from index: LogIndex) -> Bool {
        var isChanged = false
        while entries.count > 1, latestIndex >= index {
            entries.removeLast()
            isChanged = true
        }
        return isChanged
    }

    /// Forgets all but the last of those that entries up to `index` have named: the log begins there.
    mutating func removeFirst(upTo index: LogIndex) {
        while entries.count > 1, entries[1].index <= index { entries.removeFirst() }
    }

    mutating func reset(_ configuration: Configuration, at index: LogIndex) {
        entries = [RaftStart.IndexedConfiguration(index: index, configuration: configuration)]
    }
}
