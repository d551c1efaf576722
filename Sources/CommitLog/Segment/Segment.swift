// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// A segment as readers see it: a store, as far as it holds whole frames, and the way to find
/// offsets and times in it.
///
/// A value that any thread may use; files are read through it, not kept.
struct Segment: Sendable {
    let directory: String
    let fileSystem: any FileSystem
    let store: any File
    let header: StoreHeader
    /// Bytes of the store that hold whole frames.
    var size: UInt64
    /// The highest timestamp of its records; `.none` without records.
    var maxTimestamp: Timestamp
    /// The index of an active segment; a closed one's is in its files.
    var sparseIndex: SparseIndexView?

    var baseOffset: Offset { header.baseOffset }

    /// What a look-up says.
    struct Place {
        /// Where to begin to read.
        var position: UInt64
        /// The index files did not help: they are missing or damaged.
        var indexIsDamaged = false
    }

    /// Where to begin to look for the frame that holds an offset.
    func place(of offset: Offset) throws(FileError) -> Place {
        let delta = offset.rawValue - baseOffset.rawValue
        if let sparseIndex {
            return try place(sparseIndex.entry(atOrBefore: delta))
        }
        return try place(suffix: .offset) { entry in
            Int64(IndexFile.integer(entry, at: 0, as: UInt32.self)) <= delta
        }
    }

    /// Where to begin to look for an entry.
    func place(of index: LogIndex) throws(FileError) -> Place {
        let delta =
            index < header.baseIndex
            ? -1 : Int64(clamping: index.rawValue - header.baseIndex.rawValue)
        if let sparseIndex {
            return try place(sparseIndex.entry(atOrBeforeIndex: delta))
        }
        return try place(suffix: .index) { entry in
            Int64(IndexFile.integer(entry, at: 4, as: UInt32.self)) <= delta
        }
    }

    /// Where to begin to look for the first record at or after a time.
    func place(of timestamp: Timestamp) throws(FileError) -> Place {
        if let sparseIndex {
            return try place(sparseIndex.entry(beforeAll: timestamp))
        }
        return try place(suffix: .time) { entry in
            IndexFile.integer(entry, at: 0, as: Int64.self) < timestamp.rawValue
        }
    }

    private func place(_ hit: SparseIndexView.Hit?) throws(FileError) -> Place {
        let start = Place(position: UInt64(StoreHeader.size))
        guard let hit else { return start }
        let entry = hit.entry
        guard hit.isRestored else { return Place(position: UInt64(entry.position)) }
        let frame = try frame(at: UInt64(entry.position), offsetDelta: entry.offsetDelta)
        guard frame?.checksum == entry.frameChecksum else { return start }
        return Place(position: UInt64(entry.position))
    }

    private enum Key {
        case offset
        case index
        case time
    }

    private func place(
        suffix key: Key, where isInRun: (ArraySlice<UInt8>) -> Bool
    ) throws(FileError) -> Place {
        let start = Place(position: UInt64(StoreHeader.size))
        let damaged = Place(position: UInt64(StoreHeader.size), indexIsDamaged: true)
        let offsetSize = IndexFile.offsetEntrySize
        guard let offsets = try reader(SegmentName.index(baseOffset), offsetSize) else {
            return damaged
        }
        var ordinal: Int?
        var checksum: UInt32?
        switch key {
        case .offset, .index:
            ordinal = try offsets.last(where: isInRun)
        case .time:
            let name = SegmentName.timeIndex(baseOffset)
            guard let times = try reader(name, IndexFile.timeEntrySize) else { return damaged }
            ordinal = try times.last(where: isInRun)
            if let ordinal, ordinal >= 0 {
                guard let entry = try times.entry(ordinal) else { return damaged }
                checksum = IndexFile.integer(entry, at: 12)
            }
        }
        guard let ordinal else { return damaged }
        guard ordinal >= 0 else { return start }
        guard let entry = try offsets.entry(ordinal) else { return damaged }
        let position = UInt64(IndexFile.integer(entry, at: 8, as: UInt32.self))
        let delta = IndexFile.integer(entry, at: 0, as: UInt32.self)
        let indexDelta = IndexFile.integer(entry, at: 4, as: UInt32.self)
        // Never evidence: the place counts only if that frame of this segment begins there.
        guard let frame = try frame(at: position, offsetDelta: delta),
            checksum == nil || checksum == frame.checksum,
            key != .index || frame.index == header.baseIndex.advanced(by: Int(indexDelta))
        else { return damaged }
        return Place(position: position)
    }

    private func reader(
        _ name: String, _ entrySize: Int
    ) throws(FileError) -> IndexReader? {
        do throws(FileError) {
            let file = try fileSystem.open(directory + "/" + name, .read)
            return try IndexReader(file, salt: header.salt, entrySize: entrySize)
        } catch {
            // An index that cannot be read is rebuilt; only the store's errors count.
            guard error.reason != .descriptors else { throw error }
            return nil
        }
    }

    /// The frame that begins at a position with an offset; `nil` if none does.
    private func frame(
        at position: UInt64, offsetDelta: UInt32
    ) throws(FileError) -> FrameHeader? {
        guard position >= UInt64(StoreHeader.size), position < size else { return nil }
        let frame = try FrameHeader.read(store, at: position, of: header)
        guard frame?.baseOffset.rawValue == baseOffset.rawValue + Int64(offsetDelta) else {
            return nil
        }
        return frame
    }
}

extension FrameHeader {
    /// The sound envelope that stands at a position of a store; `nil` if there is none.
    static func read(
        _ store: any File, at position: UInt64, of header: StoreHeader
    ) throws(FileError) -> FrameHeader? {
        let bytes = try store.bytes(at: position, count: FrameHeader.size)
        return unsafe bytes.withUnsafeBytes { buffer in
            do throws(FrameHeader.Flaw) {
                return try unsafe FrameHeader(
                    checking: buffer, group: header.group, salt: header.salt)
            } catch {
                return nil
            }
        }
    }
}
