// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

/// A replica of a story: the core, and a disk of paper.
struct ScenarioNode {
    /// An entry with the name by which the story knows it.
    struct Entry: Equatable {
        var info: EntryInfo
        var name: String
    }

    var raft: Raft
    var isRunning = true
    /// The log behind ``start``.
    var entries: [Entry] = []
    /// The last entry that is gone, and its term.
    var start = LogIndex.zero
    var startTerm = Term.zero
    /// The members as of there.
    var members: Configuration
    /// How far the log is synced.
    var synced = LogIndex.zero
    /// Hard states that are written and not saved, oldest first.
    var unsaved: [(state: HardState, version: UInt64)] = []
    var saved = HardState()
    var epoch: UInt64 = 0
    /// A sync under way: how far it goes, and its epoch.
    var sync: (through: LogIndex, epoch: UInt64)?
    /// A snapshot that is being installed.
    var installing: Snapshot?
    /// The next append finds no room.
    var isFull = false

    var last: LogIndex { start.advanced(by: entries.count) }

    /// An entry that is in the log.
    subscript(index: LogIndex) -> Entry? {
        guard index > start, index <= last else { return nil }
        return entries[index.distance(from: start) - 1]
    }

    mutating func truncate(after index: LogIndex) {
        guard index < last else { return }
        entries.removeLast(last.distance(from: index))
        synced = min(synced, index)
    }

    /// What the core finds at the next start.
    var found: RaftStart {
        var found = RaftStart()
        found.hardState = saved
        found.startIndex = start
        found.startTerm = startTerm
        found.lastIndex = last
        found.configuration = members
        var index = start
        for entry in entries {
            index = index.next
            if found.termStarts.last?.term != entry.info.term {
                found.termStarts.append(
                    RaftStart.TermStart(term: entry.info.term, first: index))
            }
            if let configuration = entry.info.configuration {
                found.configurations.append(
                    RaftStart.IndexedConfiguration(index: index, configuration: configuration))
            }
        }
        return found
    }

    /// The log as text: term and name of each entry, those that are not synced behind a bar.
    var logText: String {
        var text = start == .zero ? "" : "(\(start) gone) "
        var index = start
        for entry in entries {
            if index == synced { text += "| " }
            index = index.next
            text += "\(entry.info.term):\(entry.name) "
        }
        return text.isEmpty ? "nothing" : String(text.dropLast())
    }
}
