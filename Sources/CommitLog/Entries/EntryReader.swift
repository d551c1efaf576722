// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
public import Records

/// Reads whole entries of a log as it was at one moment, those that are not committed included.
///
/// A value that any thread may keep and read from, while the log goes on. When the log is cut
/// meanwhile (``truncationCount`` grows), what is read of the entries behind the cut is damage, less
/// than was asked for, or entries that were written in their place: not to be used.
public struct EntryReader: Sendable {
    /// The first entry that was there.
    public let firstIndex: LogIndex
    /// The last entry that was there.
    public let lastIndex: LogIndex
    /// How often the log had been cut.
    public let truncationCount: UInt64

    let closed: [Segment]
    let active: Segment

    /// Room for the frames before the wanted one.
    private static let slack = 8 << 10

    init(log: Log) {
        firstIndex = log.firstIndex
        lastIndex = log.lastIndex
        truncationCount = log.truncationCount
        closed = log.closed
        active = log.active.view(in: log.directory, on: log.fileSystem, isClosed: false)
    }

    /// Reads entries, each checked against its checksums.
    ///
    /// Blocks on the disk where the page cache does not hold the bytes.
    ///
    /// - Parameters:
    ///   - first: The first entry.
    ///   - last: The last one at most.
    ///   - bytesMax: The most bytes of ``LogEntry/size``; the first entry comes in any case.
    /// - Returns: Entries that follow each other; none if the first one is gone or not there yet.
    /// - Throws: ``LogError/damaged(_:)`` if the first one cannot be read.
    public func read(
        from first: LogIndex, through last: LogIndex, bytesMax: Int
    ) throws(LogError) -> [LogEntry] {
        let last = min(last, lastIndex)
        guard first >= firstIndex, first <= last else { return [] }
        var row = Row(next: first, last: last, bytesLeft: bytesMax)
        var number = segmentNumber(of: first)
        while !row.isFull, number <= closed.count {
            let segment = segment(number)
            // The first frame of the first segment has to be looked for.
            let position: UInt64
            if row.entries.isEmpty {
                position = try onDisk { () throws(FileError) in
                    try segment.place(of: first).position
                }
            } else {
                position = UInt64(StoreHeader.size)
            }
            do throws(LogError) {
                try read(segment, from: position, into: &row)
                if !row.isFull, row.next < endIndex(number) {
                    throw damage(segment, at: segment.size, "entry \(row.next) is missing")
                }
            } catch {
                if row.entries.isEmpty { throw error }
                return row.entries
            }
            number += 1
        }
        return row.entries
    }

    /// Entries that were read, and what is still wanted.
    private struct Row {
        var entries: [LogEntry] = []
        var next: LogIndex
        let last: LogIndex
        var bytesLeft: Int
        var isFull = false

        mutating func add(_ frame: FrameHeader, _ payload: EntryBytes) {
            entries.append(LogEntry(frame, payload: payload))
            bytesLeft -= frame.frameLength
            next = next.next
            if next > last || bytesLeft <= 0 { isFull = true }
        }
    }

    /// Reads a segment in chunks until the row is full or the segment ends.
    private func read(
        _ segment: Segment, from start: UInt64, into row: inout Row
    ) throws(LogError) {
        var position = start
        var needed = FrameHeader.size
        while !row.isFull, position < segment.size {
            let wanted = max(needed, min(max(row.bytesLeft, 0), 1 << 20) + Self.slack)
            let count = Int(min(UInt64(wanted), segment.size - position))
            guard count >= needed else {
                throw damage(segment, at: position, "entry \(row.next) is cut short")
            }
            let memory = EntryMemory(count: count)
            let found = try onDisk { () throws(FileError) in
                try unsafe segment.store.read(into: memory.bytes, at: position)
            }
            let step = try parse(memory, found, of: segment, at: position, into: &row)
            guard found == count || row.isFull else {
                throw damage(segment, at: position, "entry \(row.next) is cut short")
            }
            position += UInt64(step.consumed)
            needed = step.needed
        }
    }

    /// Takes the entries of a chunk that begins at a frame: what need not be looked at again, and
    /// what the frame behind it needs.
    private func parse(
        _ memory: EntryMemory, _ count: Int, of segment: Segment, at position: UInt64,
        into row: inout Row
    ) throws(LogError) -> (consumed: Int, needed: Int) {
        let chunk = unsafe UnsafeRawBufferPointer(rebasing: memory.bytes[..<count])
        var cursor = 0
        while cursor + FrameHeader.size <= count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: chunk[cursor...])
            do throws(FrameHeader.Flaw) {
                let frame = try unsafe FrameHeader(
                    checking: rest, group: segment.header.group, salt: segment.header.salt)
                guard frame.kind.isEntry, frame.index >= row.next else {
                    guard frame.kind != .gap else { throw .outOfSequence }
                    cursor += frame.frameLength
                    continue
                }
                guard frame.index == row.next, frame.kind != .gap else { throw .outOfSequence }
                guard row.entries.isEmpty || frame.frameLength <= row.bytesLeft else {
                    row.isFull = true
                    return (cursor, 0)
                }
                guard frame.frameLength <= rest.count else {
                    return (cursor, frame.frameLength)
                }
                let payload = unsafe UnsafeRawBufferPointer(
                    rebasing: rest[FrameHeader.size..<frame.frameLength])
                try unsafe frame.check(payload: payload)
                unsafe row.add(frame, EntryBytes(payload, keptBy: memory))
                cursor += frame.frameLength
                if row.isFull { return (cursor, 0) }
            } catch {
                throw damage(
                    segment, at: position + UInt64(cursor), "entry \(row.next): \(error)")
            }
        }
        return (cursor, FrameHeader.size)
    }

    private func damage(_ segment: Segment, at position: UInt64, _ reason: String) -> LogError {
        .damaged(
            Damage(offsets: 0..<0, path: segment.store.path, position: position, reason: reason))
    }

    // MARK: Segments

    func segment(_ number: Int) -> Segment { number < closed.count ? closed[number] : active }

    /// The number of the segment that would hold an entry.
    func segmentNumber(of index: LogIndex) -> Int {
        if active.header.baseIndex <= index { return closed.count }
        var low = 0
        var high = closed.count
        while low < high {
            let middle = (low + high) / 2
            if closed[middle].header.baseIndex <= index { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    /// The index of the first entry behind a segment.
    private func endIndex(_ number: Int) -> LogIndex {
        number < closed.count ? segment(number + 1).header.baseIndex : lastIndex.next
    }

    /// The frame of an entry and where it begins; or, where that is damaged, the next one behind it,
    /// `nil` if none follows in its segment.
    func find(
        _ index: LogIndex
    ) throws(LogError) -> (frame: FrameHeader, position: UInt64)? {
        let segment = segment(segmentNumber(of: index))
        let place = try onDisk { () throws(FileError) in try segment.place(of: index) }
        var walk = EnvelopeWalk(segment, from: place.position)
        while let frame = try walk.next() {
            if frame.kind.isEntry, frame.index >= index {
                return (frame, walk.position - UInt64(frame.frameLength))
            }
        }
        return nil
    }

    /// The offset behind an entry: the next one's first.
    func endOffset(at index: LogIndex, nextOffset: Offset) throws(LogError) -> Offset {
        guard index < lastIndex else { return nextOffset }
        let number = segmentNumber(of: index.next)
        let header = segment(number).header
        if header.baseIndex >= index.next { return header.baseOffset }
        if let found = try find(index.next) { return found.frame.baseOffset }
        return number < closed.count ? segment(number + 1).baseOffset : nextOffset
    }
}
