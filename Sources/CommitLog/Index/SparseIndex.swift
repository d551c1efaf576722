// SPDX-License-Identifier: Apache-2.0

internal import Records

/// A place in a segment that can be jumped to: a frame whose position is known.
///
/// One in-memory table serves both files, ``Index`` (offset → position) and ``TimeIndex``
/// (timestamp → offset). Values are relative to the segment's base, so 32 bits do for each.
struct IndexEntry: Sendable, Equatable, BitwiseCopyable {
    /// The frame's base offset less the segment's.
    var offsetDelta: UInt32
    /// The frame's index less the segment's.
    var indexDelta: UInt32
    /// Where the frame begins in the store.
    var position: UInt32
    /// The highest timestamp in the segment before this frame; `Int64.min` for "no frame".
    var maxTimestampBefore: Int64
    /// The checksum of the frame's envelope.
    var frameChecksum: UInt32
}

/// The entries of an active segment, appended by the log's owner and read by any thread.
///
/// `@unchecked Sendable`: the owner writes only behind every count that it has handed out, readers
/// read only below the count that they were handed, and handing out goes through a lock. A full
/// buffer is replaced, never moved, so older views keep theirs.
@safe
final class IndexBuffer: @unchecked Sendable {
    private let slots: UnsafeMutablePointer<IndexEntry>
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        unsafe slots = .allocate(capacity: capacity)
    }

    convenience init(growing other: IndexBuffer, count: Int) {
        self.init(capacity: max(16, other.capacity * 2))
        unsafe slots.initialize(from: other.slots, count: count)
    }

    convenience init(copying other: IndexBuffer, count: Int) {
        self.init(capacity: max(16, count))
        unsafe slots.initialize(from: other.slots, count: count)
    }

    deinit {
        unsafe slots.deallocate()
    }

    subscript(position: Int) -> IndexEntry {
        get {
            precondition(position >= 0 && position < capacity, "slot \(position) of \(capacity)")
            return unsafe slots[position]
        }
        set {
            precondition(position >= 0 && position < capacity, "slot \(position) of \(capacity)")
            unsafe (slots + position).initialize(to: newValue)
        }
    }
}

/// The sparse index of an active segment, in memory, in the order of the log.
struct SparseIndex: Sendable {
    private var buffer = IndexBuffer(capacity: 0)
    private(set) var count = 0
    /// How many entries, from the first on, were read from the files: they count only where the
    /// frame is found to be there.
    private(set) var restoredCount = 0

    /// A view of the entries so far, for readers; costs nothing.
    var view: SparseIndexView {
        SparseIndexView(buffer: buffer, count: count, restoredCount: restoredCount)
    }

    /// Appends an entry that was read from the files.
    mutating func restore(_ entry: IndexEntry) {
        append(entry)
        restoredCount = count
    }

    mutating func append(_ entry: IndexEntry) {
        if count > 0 {
            let last = buffer[count - 1]
            precondition(
                last.position < entry.position && last.offsetDelta <= entry.offsetDelta,
                "index entries ascend: \(last) then \(entry)")
        }
        if count == buffer.capacity { buffer = IndexBuffer(growing: buffer, count: count) }
        buffer[count] = entry
        count += 1
    }

    /// Forgets the entries from one on.
    ///
    /// Those that readers have in hand are left alone: what comes goes to other memory.
    mutating func removeAll(from position: Int) {
        guard position < count else { return }
        count = position
        restoredCount = min(restoredCount, position)
        buffer = IndexBuffer(copying: buffer, count: count)
    }

    subscript(position: Int) -> IndexEntry {
        precondition(position < count, "entry \(position) of \(count)")
        return buffer[position]
    }
}

/// The entries that a sparse index had at one moment.
struct SparseIndexView: Sendable {
    fileprivate let buffer: IndexBuffer
    let count: Int
    let restoredCount: Int

    /// A place that was found, and whether it was read from the files and never looked at.
    struct Hit {
        var entry: IndexEntry
        var isRestored: Bool
    }

    /// Where to begin to look for an offset: the last known frame that begins at or before it.
    func entry(atOrBefore offsetDelta: Int64) -> Hit? {
        last { Int64($0.offsetDelta) <= offsetDelta }
    }

    /// Where to begin to look for an entry: the last known frame at or before it.
    func entry(atOrBeforeIndex indexDelta: Int64) -> Hit? {
        last { Int64($0.indexDelta) <= indexDelta }
    }

    /// Where to begin to look for a time: the last known frame before which all are older.
    func entry(beforeAll timestamp: Timestamp) -> Hit? {
        last { $0.maxTimestampBefore < timestamp.rawValue }
    }

    /// The last entry of the leading run that satisfies a predicate.
    private func last(where isInRun: (IndexEntry) -> Bool) -> Hit? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isInRun(buffer[middle]) { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        return Hit(entry: buffer[low - 1], isRestored: low <= restoredCount)
    }
}
