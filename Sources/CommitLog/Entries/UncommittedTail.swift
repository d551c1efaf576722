// SPDX-License-Identifier: Apache-2.0

internal import Records

/// Where the entries that are not committed yet end: what turns a commit index into a high watermark
/// without a look at the disk.
///
/// A ring with eight bytes an entry. Entries that an earlier life of the log wrote are not in it.
struct UncommittedTail: Sendable {
    private var ring: [Offset] = []
    private var start = 0
    private(set) var count = 0
    /// The index of the first entry in it, or of the next one to come.
    private(set) var firstIndex: LogIndex

    init(firstIndex: LogIndex) {
        self.firstIndex = firstIndex
    }

    /// The index of the entry that comes next.
    var nextIndex: LogIndex { firstIndex.advanced(by: count) }

    /// Adds the entry that comes next.
    mutating func append(endOffset: Offset) {
        if count == ring.count { grow() }
        ring[(start + count) & (ring.count - 1)] = endOffset
        count += 1
    }

    /// The offset behind an entry; `nil` for one that is not in here.
    func endOffset(at index: LogIndex) -> Offset? {
        guard index >= firstIndex, index < nextIndex else { return nil }
        return ring[(start + index.distance(from: firstIndex)) & (ring.count - 1)]
    }

    /// Forgets the entries up to and with an index: they are committed.
    mutating func removeThrough(_ index: LogIndex) {
        let gone = min(count, index.next.distance(from: firstIndex))
        guard gone > 0 else { return }
        start = (start + gone) & (ring.count - 1)
        count -= gone
        firstIndex = firstIndex.advanced(by: gone)
    }

    /// Forgets the entries behind an index: they are cut.
    mutating func truncate(after index: LogIndex) {
        if index.next <= firstIndex {
            firstIndex = index.next
            count = 0
        } else {
            count = min(count, index.next.distance(from: firstIndex))
        }
    }

    private mutating func grow() {
        var larger = [Offset](repeating: .zero, count: max(16, ring.count * 2))
        for step in 0..<count { larger[step] = ring[(start + step) & (ring.count - 1)] }
        ring = larger
        start = 0
    }
}
