// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
public import Records

/// What readers see of a log at one moment: whole, committed batches.
///
/// A value that any thread may keep and read from, while the log goes on. Reading takes no lock and
/// changes nothing; it blocks on the disk where the page cache does not hold the bytes.
public struct LogSnapshot: Sendable {
    /// The first offset that is still there.
    public let logStartOffset: Offset
    /// The offset behind the last committed record: nothing is read beyond.
    public let highWatermark: Offset
    /// Ranges that cannot be read.
    public let damages: [Damage]
    /// Bytes of all stores.
    public let size: UInt64

    let closed: [Segment]
    let active: Segment

    /// The number of segments.
    public var segmentCount: Int { closed.count + 1 }

    /// What a read found.
    public struct ReadResult: Sendable {
        /// The batches.
        public var batches: FetchedBatches
        /// A closed segment whose index has to be rebuilt.
        public var damagedIndex: Offset?
    }

    /// Reads whole batches from the one that holds `offset` on.
    ///
    /// - Parameters:
    ///   - bytesMax: About how much; the first batch comes whole even if it is larger.
    ///   - verifying: Whether to check each batch against its checksum.
    /// - Returns: No batches if `offset` is the high watermark.
    public func read(
        from offset: Offset, bytesMax: Int, verifying: Bool,
        into memory: @escaping BatchMemory.Source = BatchMemory.heap
    ) throws(LogError) -> ReadResult {
        guard offset >= logStartOffset, offset <= highWatermark else {
            throw .offsetOutOfRange(
                offset, valid: logStartOffset.rawValue..<highWatermark.rawValue)
        }
        if let damage = damages.first(where: { $0.offsets.contains(offset.rawValue) }) {
            throw .damaged(damage)
        }
        var damagedIndex: Offset?
        var number = segmentNumber(of: offset)
        while offset < highWatermark, number < segmentCount {
            let segment = segment(number)
            let place: Segment.Place
            do throws(FileError) {
                place = try segment.place(of: max(offset, segment.baseOffset))
            } catch { throw .file(error) }
            if place.indexIsDamaged { damagedIndex = segment.baseOffset }
            var reader = BatchReader(
                segment: segment, snapshot: self, wanted: offset, verifying: verifying,
                memory: memory)
            if let batches = try reader.read(from: place.position, bytesMax: bytesMax) {
                return ReadResult(batches: batches, damagedIndex: damagedIndex)
            }
            number += 1
        }
        let nothing = FetchedBatches(
            memory: BatchMemory.heap(0), slices: [],
            nextOffset: highWatermark,
            logStartOffset: logStartOffset, highWatermark: highWatermark)
        return ReadResult(batches: nothing, damagedIndex: damagedIndex)
    }

    /// Reads batches from the end of the log if that needs no disk: for callers that must not wait.
    ///
    /// - Returns: `nil` where ``read(from:bytesMax:verifying:)`` has to be asked, on a thread that
    ///   may wait: the offset lies further back, is none, or its bytes left the page cache.
    public func readCached(
        from offset: Offset, bytesMax: Int, verifying: Bool,
        into memory: @escaping BatchMemory.Source = BatchMemory.heap
    ) throws(LogError) -> FetchedBatches? {
        guard offset >= max(logStartOffset, active.baseOffset), offset < highWatermark,
            damages.isEmpty, let index = active.sparseIndex
        else { return nil }
        let delta = offset.rawValue - active.baseOffset.rawValue
        // An entry that was read from a file has to be looked at first, which may wait.
        guard let hit = index.entry(atOrBefore: delta), !hit.isRestored else { return nil }
        var reader = BatchReader(
            segment: active, snapshot: self, wanted: offset, verifying: verifying,
            cachedOnly: true, memory: memory)
        return try reader.read(
            from: UInt64(hit.entry.position), bytesMax: bytesMax)
    }

    /// The number of the segment that would hold an offset.
    func segmentNumber(of offset: Offset) -> Int {
        if active.baseOffset <= offset { return closed.count }
        var low = 0
        var high = closed.count
        while low < high {
            let middle = (low + high) / 2
            if closed[middle].baseOffset <= offset { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    func segment(_ number: Int) -> Segment {
        number < closed.count ? closed[number] : active
    }
}
