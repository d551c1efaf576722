// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Records

/// Grows the index of a segment while frames are appended to it or found in it.
struct IndexBuilder: Sendable {
    let baseOffset: Offset
    let baseIndex: LogIndex
    private(set) var index = SparseIndex()
    /// The highest timestamp of the frames so far; `Int64.min` without any.
    private(set) var maxTimestamp = Int64.min
    private var bytesSinceEntry = Int.max
    /// How many entries are in the files already.
    private(set) var savedCount = 0
    /// The files may hold entries of an earlier life behind the saved ones.
    private var hasRest = false

    init(baseOffset: Offset, baseIndex: LogIndex) {
        self.baseOffset = baseOffset
        self.baseIndex = baseIndex
    }

    /// Takes note of a frame; it gets an entry if the last one is far enough.
    mutating func note(_ frame: FrameHeader, at position: UInt64, interval: Int) {
        guard frame.kind.isEntry else { return }
        if bytesSinceEntry >= interval {
            index.append(
                IndexEntry(
                    offsetDelta: UInt32(clamping: frame.baseOffset.distance(from: baseOffset)),
                    indexDelta: UInt32(clamping: frame.index.rawValue - baseIndex.rawValue),
                    position: UInt32(clamping: position), maxTimestampBefore: maxTimestamp,
                    frameChecksum: frame.checksum))
            bytesSinceEntry = 0
        }
        bytesSinceEntry += frame.frameLength
        if frame.kind == .batch {
            maxTimestamp = max(maxTimestamp, frame.maxTimestamp.rawValue)
        }
    }

    /// Makes the next frame get an entry: it does not follow the one before.
    mutating func breakRun() {
        bytesSinceEntry = Int.max
    }

    /// Takes over an entry that was read from the files.
    mutating func restore(_ entry: IndexEntry) {
        index.restore(entry)
        maxTimestamp = entry.maxTimestampBefore
        savedCount = index.count
        bytesSinceEntry = 0
    }

    /// Takes note of the frame of the last entry that was read from the files.
    mutating func noteRestored(_ frame: FrameHeader) {
        bytesSinceEntry = frame.frameLength
        if frame.kind == .batch { maxTimestamp = max(maxTimestamp, frame.maxTimestamp.rawValue) }
    }

    /// Forgets the entries at or behind a position: the segment was cut there.
    ///
    /// ``catchUp(with:header:end:interval:)`` is to follow.
    mutating func cut(to end: UInt64) {
        var kept = index.count
        while kept > 0, UInt64(index[kept - 1].position) >= end { kept -= 1 }
        index.removeAll(from: kept)
        savedCount = min(savedCount, kept)
        hasRest = true
    }

    /// Takes note of the frames from the last entry on, as if they were appended only now.
    mutating func catchUp(
        with store: any File, header: StoreHeader, end: UInt64, interval: Int
    ) throws(FileError) {
        let last = index.count > 0 ? index[index.count - 1] : nil
        maxTimestamp = last?.maxTimestampBefore ?? .min
        bytesSinceEntry = last == nil ? .max : 0
        let scanner = StoreScanner(
            store, group: header.group, salt: header.salt,
            from: last.map { UInt64($0.position) } ?? UInt64(StoreHeader.size), end: end)
        var isKnown = last != nil
        while true {
            switch try scanner.next(checkingPayloads: false) {
            case .end: return
            case .flaw:
                guard try scanner.seekFrame(from: scanner.position + 1) != nil else { return }
                breakRun()
                isKnown = false
            case .frame(let frame):
                if isKnown {
                    noteRestored(frame)
                    isKnown = false
                } else {
                    note(
                        frame, at: scanner.position - UInt64(frame.frameLength), interval: interval)
                }
            }
        }
    }

    /// Takes over the highest timestamp that the checkpoint knows.
    mutating func restore(maxTimestamp known: Timestamp) {
        maxTimestamp = max(maxTimestamp, known.rawValue)
    }

    /// The highest timestamp as users see it.
    var maxTimestampOrNone: Timestamp {
        maxTimestamp == .min ? .none : Timestamp(rawValue: maxTimestamp)
    }

    /// Writes the entries that are not in the files yet.
    ///
    /// Not synced: an index is never evidence.
    mutating func save(in directory: String, of salt: UInt64, on fileSystem: any FileSystem)
        throws(FileError)
    {
        guard savedCount < index.count || hasRest else { return }
        var entries: [IndexEntry] = []
        entries.reserveCapacity(index.count - savedCount)
        for number in savedCount..<index.count { entries.append(index[number]) }
        let offsets = IndexFile.encodeOffsets(entries, firstOrdinal: savedCount, salt: salt)
        let times = IndexFile.encodeTimes(entries, firstOrdinal: savedCount, salt: salt)
        try write(
            offsets, to: directory + "/" + SegmentName.index(baseOffset),
            at: savedCount * IndexFile.offsetEntrySize, on: fileSystem)
        try write(
            times, to: directory + "/" + SegmentName.timeIndex(baseOffset),
            at: savedCount * IndexFile.timeEntrySize, on: fileSystem)
        savedCount = index.count
        hasRest = false
    }

    private func write(
        _ bytes: [UInt8], to path: String, at place: Int, on fileSystem: any FileSystem
    ) throws(FileError) {
        let file: any File
        if try fileSystem.status(of: path) == nil {
            file = try fileSystem.open(path, .create)
        } else {
            file = try fileSystem.open(path, .readWrite)
        }
        // What stands behind the saved entries belongs to a life that ended; drop it.
        let position = UInt64(place)
        if try file.size() > position { try file.truncate(to: position) }
        try file.write(bytes, at: position)
    }

    /// Reads back the leading entries of the files that are sound and lie before `end`.
    static func load(
        header: StoreHeader, of store: any File, end: UInt64, in directory: String,
        on fileSystem: any FileSystem
    ) throws(FileError) -> IndexBuilder {
        var builder = IndexBuilder(baseOffset: header.baseOffset, baseIndex: header.baseIndex)
        builder.hasRest = true
        let offsetsPath = directory + "/" + SegmentName.index(header.baseOffset)
        let timesPath = directory + "/" + SegmentName.timeIndex(header.baseOffset)
        guard let offsets = try readAll(offsetsPath, on: fileSystem),
            let times = try readAll(timesPath, on: fileSystem)
        else { return builder }
        let (offsetSize, timeSize) = (IndexFile.offsetEntrySize, IndexFile.timeEntrySize)
        var entries: [IndexEntry] = []
        for ordinal in 0..<min(offsets.count / offsetSize, times.count / timeSize) {
            let offset = offsets[(ordinal * offsetSize)..<((ordinal + 1) * offsetSize)]
            let time = times[(ordinal * timeSize)..<((ordinal + 1) * timeSize)]
            guard IndexFile.check(offset, salt: header.salt, ordinal: ordinal),
                IndexFile.check(time, salt: header.salt, ordinal: ordinal)
            else { break }
            let entry = IndexEntry(
                offsetDelta: IndexFile.integer(offset, at: 0),
                indexDelta: IndexFile.integer(offset, at: 4),
                position: IndexFile.integer(offset, at: 8),
                maxTimestampBefore: IndexFile.integer(time, at: 0),
                frameChecksum: IndexFile.integer(time, at: 12))
            guard UInt64(entry.position) < end, entry.position >= UInt32(StoreHeader.size),
                entry.offsetDelta == IndexFile.integer(time, at: 8),
                entries.last.map({
                    $0.position < entry.position && $0.offsetDelta <= entry.offsetDelta
                }) ?? true
            else { break }
            entries.append(entry)
        }
        // Entries to come follow the last of these, so that one must be the frame it says it is;
        // the others are looked at when they are used.
        while let last = entries.last {
            let frame = try FrameHeader.read(store, at: UInt64(last.position), of: header)
            if let frame, frame.checksum == last.frameChecksum {
                for entry in entries { builder.restore(entry) }
                builder.noteRestored(frame)
                break
            }
            entries.removeLast()
        }
        return builder
    }

    private static func readAll(
        _ path: String, on fileSystem: any FileSystem
    ) throws(FileError) -> [UInt8]? {
        guard let status = try fileSystem.status(of: path), status.kind == .file,
            status.size <= UInt64(UInt32.max)
        else { return nil }
        let file = try fileSystem.open(path, .read)
        let bytes = try file.bytes(at: 0, count: Int(status.size))
        return bytes.count == Int(status.size) ? bytes : nil
    }
}
