// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

/// An entry, as the oracle remembers it.
struct ShadowEntry {
    var term: Term
    /// A number for the entry and all before it.
    var chain: UInt64
    var value: UInt64
    var count: Int
    var baseOffset: Int64
    var isConfiguration: Bool

    var endOffset: Int64 { baseOffset + Int64(count) }
}

/// What a node's log holds, as far as its node has said.
struct ShadowLog {
    var start = LogStart(index: .zero, term: .zero, offset: 0)
    /// The chain up to the start.
    var startChain: UInt64 = 0
    var entries: [ShadowEntry] = []
    /// The last entry that the disk has promised to somebody.
    var promised = LogIndex.zero
    /// The highest term that was named to somebody.
    var promisedTerm = Term.zero

    // Of the life of one process.

    var commit = LogIndex.zero
    /// The role and term that were last told.
    var report = RoleReport(role: .follower, term: .zero, leader: nil)
    var configuration: Configuration
    /// The configurations of the entries, and that of the start.
    var configurations: [(index: LogIndex, configuration: Configuration)]

    init(members: Configuration) {
        configuration = members
        configurations = [(.zero, members)]
    }

    var lastIndex: LogIndex { start.index.advanced(by: entries.count) }

    var leads: Bool { report.role == .leader }

    func entry(at index: LogIndex) -> ShadowEntry? {
        guard index > start.index, index <= lastIndex else { return nil }
        return entries[index.distance(from: start.index) - 1]
    }

    /// The number for all entries up to one; `nil` where it is not known.
    func chain(at index: LogIndex) -> UInt64? {
        index == start.index ? startChain : entry(at: index)?.chain
    }

    mutating func removeLast(from index: LogIndex) {
        entries.removeLast(lastIndex.distance(from: index.previous))
        promised = min(promised, index.previous)
        while configurations.count > 1, let last = configurations.last, last.index >= index {
            configurations.removeLast()
        }
    }

    mutating func removeFirst(upTo new: LogStart, chain: UInt64) {
        entries.removeFirst(new.index.distance(from: start.index))
        start = new
        startChain = chain
        while configurations.count > 1, configurations[1].index <= new.index {
            configurations.removeFirst()
        }
    }
}
