// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
public import Records

/// Entries that were durable and cannot be read: others may have them (Alagappan et al.,
/// "Protocol-Aware Recovery for Consensus-Based Storage", FAST '18).
public struct DamagedEntries: Sendable, Equatable {
    /// The first one.
    public var first: LogIndex
    /// The last one.
    public var last: LogIndex
    /// Every one's term is sure: by its envelope, or by those of its neighbours.
    public var termsAreKnown: Bool

    /// Entries with these values.
    public init(first: LogIndex, last: LogIndex, termsAreKnown: Bool) {
        self.first = first
        self.last = last
        self.termsAreKnown = termsAreKnown
    }
}

extension Log {
    /// Entries that the log had and cannot read, ascending.
    ///
    /// They count as held. A log that is read-only cannot have them written anew, one by one; it can be
    /// begun anew behind a snapshot.
    public var damagedEntries: [DamagedEntries] {
        if state == .readOnly {
            return [
                DamagedEntries(
                    first: firstIndex, last: max(firstIndex, lastIndex), termsAreKnown: false)
            ]
        }
        return regions.map {
            DamagedEntries(first: $0.first, last: $0.last, termsAreKnown: $0.termsAreKnown)
        }
    }

    /// Writes an entry in the place of a damaged one; durable when this returns.
    ///
    /// Those of one range are written in their order. Does nothing to an entry that is not among the
    /// ``damagedEntries``. The entry was checked before (``LogEntry/check()``).
    ///
    /// - Throws: ``LogError/unusable(path:reason:)`` if the entry cannot be the one that was there, and
    ///   failures as of ``append(_:now:)``.
    public func rewrite(_ entry: LogEntry, at index: LogIndex) throws(LogError) {
        requireCaller()
        try requireWritable()
        guard let place = regions.firstIndex(where: { $0.first <= index && index <= $0.last })
        else { return }
        let region = regions[place]
        let number = segments.firstIndex { $0.baseOffset == region.segment }
        guard let number, index == region.first, entry.baseOffset == region.offset,
            entry.endOffset <= region.endOffset,
            index != region.last || entry.endOffset == region.endOffset
        else {
            throw .unusable(
                path: directory, reason: "has no place for entry \(index) yet, or for this one")
        }
        do throws(FileError) {
            try put(entry, into: place, number)
        } catch {
            if error.reason == .noSpace { throw .diskFull(error) }
            state = .failed(error)
            throw .failed(error)
        }
        regions[place].first = index.next
        regions[place].offset = entry.endOffset
        if index == region.last { try finish(place, number) }
        noteDamages()
    }

    /// Writes an entry's frame at the start of a region, and syncs it.
    private func put(_ entry: LogEntry, into place: Int, _ number: Int) throws(FileError) {
        let region = regions[place]
        let segment = segments[number]
        let frame = FrameHeader(
            kind: entry.kind, payloadLength: entry.payload.count, recordCount: entry.recordCount,
            group: group, salt: segment.header.salt, index: region.first, term: entry.term,
            baseOffset: entry.baseOffset, maxTimestamp: entry.maxTimestamp,
            durableIndex: region.first.previous, payloadChecksum: entry.payloadChecksum)
        var bytes = [UInt8](repeating: 0, count: FrameHeader.size)
        unsafe bytes.withUnsafeMutableBytes { unsafe frame.write(to: $0) }
        bytes += entry.payload.array
        let end = region.start + UInt64(bytes.count)
        if end > region.end, region.end < segment.size {
            // No room: the bytes that were there are gone, and with them the place.
            try replace(region.start..<region.end, of: number, with: bytes)
        } else {
            if end > segment.size { try setSize(of: number, to: end) }
            try segment.store.write(bytes, at: region.start)
            try segment.store.sync()
        }
        regions[place].start = end
        regions[place].end = max(region.end, end)
    }

    /// What is left of a region when its last entry is there: marks were in it, or nothing.
    private func finish(_ place: Int, _ number: Int) throws(LogError) {
        let region = regions.remove(at: place)
        let segment = segments[number]
        do throws(FileError) {
            if region.start < region.end {
                let rest = region.end - region.start
                if region.end == segment.size {
                    try segment.store.truncate(to: region.start)
                    try segment.store.sync()
                    try setSize(of: number, to: region.start)
                } else if rest % UInt64(FrameHeader.size) == 0 {
                    let count = Int(rest) / FrameHeader.size
                    try segment.store.write(marks(count, behind: region, segment), at: region.start)
                    try segment.store.sync()
                } else {
                    try replace(region.start..<region.end, of: number, with: [])
                }
            }
            try rebuildIndex(number)
        } catch {
            state = .failed(error)
            throw .failed(error)
        }
        guard regions.isEmpty else { return }
        lineage = try recoverLineage()
        try recoverProducers()
        checkpointIsDue = true
    }

    private func marks(_ count: Int, behind region: DamagedRegion, _ segment: Segment) -> [UInt8] {
        let mark = FrameHeader(
            kind: .mark, payloadLength: 0, recordCount: 0, group: group, salt: segment.header.salt,
            index: region.last, term: lineage.term(at: region.last) ?? .zero,
            baseOffset: region.endOffset, maxTimestamp: .none, durableIndex: region.last,
            payloadChecksum: 0)
        var bytes = [UInt8](repeating: 0, count: FrameHeader.size)
        unsafe bytes.withUnsafeMutableBytes { unsafe mark.write(to: $0) }
        return Array(repeatElement(bytes, count: count).joined())
    }

    // MARK: Segments

    /// Puts other bytes in the place of some of a store: in a new file, which takes the old one's name
    /// once it is on the disk.
    private func replace(
        _ range: Range<UInt64>, of number: Int, with bytes: [UInt8]
    ) throws(FileError) {
        let segment = segments[number]
        let path = directory + "/" + SegmentName.rewritten
        if try fileSystem.status(of: path) != nil { try fileSystem.remove(path) }
        let file = try fileSystem.open(path, .create)
        var end = try Self.copy(0..<range.lowerBound, of: segment.store, to: file, at: 0)
        try file.write(bytes, at: end)
        end += UInt64(bytes.count)
        end = try Self.copy(range.upperBound..<segment.size, of: segment.store, to: file, at: end)
        try file.sync()
        // First, since a store that is shorter than its successor says is looked at more closely, and
        // one that is longer would be cut.
        if end > segment.size { try setSize(of: number, to: end) }
        let store = directory + "/" + SegmentName.store(segment.baseOffset)
        try fileSystem.rename(path, to: store)
        try fileSystem.syncDirectory(directory)
        try setSize(of: number, to: end)
        let opened = try fileSystem.open(store, .readWrite)
        if number < closed.count {
            closed[number] = Segment(
                directory: directory, fileSystem: fileSystem, store: opened,
                header: segment.header, size: end, maxTimestamp: segment.maxTimestamp,
                sparseIndex: SparseIndex().view)
        } else {
            active = ActiveSegment(
                store: opened, header: active.header, size: end,
                builder: IndexBuilder(
                    baseOffset: active.baseOffset, baseIndex: active.header.baseIndex))
        }
        let change = Int64(bytes.count) - Int64(range.upperBound - range.lowerBound)
        for other in regions.indices
        where regions[other].segment == segment.baseOffset
            && regions[other].start >= range.upperBound && !range.isEmpty
        {
            regions[other].start = UInt64(Int64(regions[other].start) + change)
            regions[other].end = UInt64(Int64(regions[other].end) + change)
        }
        try rebuildIndex(number)
    }

    /// Copies some bytes of a file behind those of another; where they end.
    static func copy(
        _ range: Range<UInt64>, of source: any File, to target: any File, at start: UInt64
    ) throws(FileError) -> UInt64 {
        var position = range.lowerBound
        var end = start
        while position < range.upperBound {
            let count = Int(min(1 << 20, range.upperBound - position))
            let bytes = try source.bytes(at: position, count: count)
            guard bytes.count == count else {
                throw FileError(.read, source.path, code: 0, reason: .inputOutput)
            }
            try target.write(bytes, at: end)
            position += UInt64(count)
            end += UInt64(count)
        }
        return end
    }

    /// Takes note of a segment's size, and has its successor vouch for it.
    private func setSize(of number: Int, to size: UInt64) throws(FileError) {
        guard number < closed.count else {
            active.size = size
            return
        }
        closed[number].size = size
        forgetClosedSize()
        let next = segments[number + 1]
        var header = next.header
        guard header.previous?.size != size else { return }
        header.previous = StoreHeader.Previous(
            baseOffset: closed[number].baseOffset, size: size,
            maxTimestamp: closed[number].maxTimestamp)
        try next.store.write(header.encoded, at: 0)
        try next.store.sync()
        if number + 1 < closed.count {
            closed[number + 1] = Segment(
                directory: directory, fileSystem: fileSystem, store: next.store, header: header,
                size: next.size, maxTimestamp: next.maxTimestamp, sparseIndex: next.sparseIndex)
        } else {
            active = ActiveSegment(
                store: active.store, header: header, size: active.size, builder: active.builder)
        }
    }

    /// Makes a segment's index anew, in memory until the next save.
    private func rebuildIndex(_ number: Int) throws(FileError) {
        let segment = segments[number]
        var builder = IndexBuilder(
            baseOffset: segment.baseOffset, baseIndex: segment.header.baseIndex)
        builder.cut(to: 0)
        try builder.catchUp(
            with: segment.store, header: segment.header, end: segment.size,
            interval: settings.indexInterval)
        if number < closed.count {
            closed[number].sparseIndex = builder.index.view
            closed[number].maxTimestamp = builder.maxTimestampOrNone
        } else {
            active.builder = builder
        }
    }

    // MARK: While something is damaged

    /// What cannot be read, as readers are told.
    func noteDamages() {
        guard state != .readOnly else { return }
        damages = regions.map(damage)
    }

    func damage(of region: DamagedRegion) -> Damage {
        Damage(
            offsets: region.offset.rawValue..<region.endOffset.rawValue,
            path: directory + "/" + SegmentName.store(region.segment), position: region.start,
            reason: "entries \(region.first) to \(region.last) are missing or damaged")
    }

    /// A checkpoint that says what the last one said: as long as entries are damaged, the next start has
    /// to find that out again.
    func heldCheckpoint() -> Checkpoint {
        var checkpoint =
            lastCheckpoint
            ?? Checkpoint(
                sequence: 0, group: group, isClean: false, hasProducers: true, term: .zero,
                logStartOffset: logStartOffset, segment: segments[0].baseOffset,
                position: UInt64(StoreHeader.size), nextIndex: firstIndex,
                nextOffset: segments[0].baseOffset, maxTimestamp: .none)
        checkpoint.sequence = checkpointSequence
        checkpoint.isClean = false
        checkpoint.logStartOffset = max(logStartOffset, checkpoint.logStartOffset)
        return checkpoint
    }
}
