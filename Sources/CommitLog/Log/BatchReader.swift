// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// One read of batches from one segment.
struct BatchReader {
    let segment: Segment
    let snapshot: LogSnapshot
    /// Batches that end at or before this offset are left out.
    let wanted: Offset
    let verifying: Bool
    /// Give up rather than wait for the disk.
    let cachedOnly: Bool
    let memorySource: BatchMemory.Source

    private var slices: [Range<Int>] = []
    private var nextOffset: Offset
    private var byteCount = 0
    /// The bytes that the frame at the cursor needs, if the chunk does not hold all of it.
    private var frameLengthNeeded = 0
    private var damage: Damage?
    /// Bytes that are no frame, where the cursor stands.
    private var flaw: (reason: FrameHeader.Flaw, position: UInt64)?
    /// The offset behind the last frame that was passed.
    private var reached: Offset

    /// Room for the envelopes of a chunk, and for the frames before the wanted one.
    private static let slack = 8 << 10

    init(
        segment: Segment, snapshot: LogSnapshot, wanted: Offset, verifying: Bool,
        cachedOnly: Bool = false, memory: @escaping BatchMemory.Source
    ) {
        memorySource = memory
        self.cachedOnly = cachedOnly
        self.segment = segment
        self.snapshot = snapshot
        self.wanted = wanted
        self.verifying = verifying
        nextOffset = wanted
        reached = segment.baseOffset
    }

    /// Reads a chunk, or the next ones until there is a batch; `nil` if the segment has no more.
    mutating func read(
        from start: UInt64, bytesMax: Int
    ) throws(LogError) -> FetchedBatches? {
        var position = start
        var chunkSize = max(bytesMax, 1024) + Self.slack
        while position < segment.size {
            let count = Int(min(UInt64(chunkSize), segment.size - position))
            let memory = memorySource(count)
            var isHandedOver = false
            defer { if !isHandedOver { memory.release() } }
            let read = try onDisk { () throws(FileError) in
                try unsafe fill(memory.bytes, from: position)
            }
            // Only a reader of the cache gets nothing.
            guard let read else { return nil }
            // The file may have been cut since, but never below what is committed.
            let consumed = unsafe parse(
                UnsafeRawBufferPointer(rebasing: memory.bytes[..<read]), at: position,
                bytesMax: bytesMax)
            if !slices.isEmpty {
                isHandedOver = true
                return FetchedBatches(
                    memory: memory, slices: slices, nextOffset: nextOffset,
                    logStartOffset: snapshot.logStartOffset, highWatermark: snapshot.highWatermark)
            }
            if let damage { throw .damaged(damage) }
            guard read == count else {
                throw .file(
                    FileError(.read, segment.store.path, code: 0, reason: .inputOutput))
            }
            if let flaw {
                guard !cachedOnly else { return nil }
                guard let next = try positionBehind(flaw.position, flaw.reason) else { return nil }
                position = next
                continue
            }
            // Skip damage that was found when the log was opened: it is reported there.
            guard consumed > 0 || frameLengthNeeded > count else { return nil }
            position += UInt64(consumed)
            chunkSize = max(chunkSize, frameLengthNeeded)
        }
        return nil
    }

    private func fill(
        _ memory: UnsafeMutableRawBufferPointer, from position: UInt64
    ) throws(FileError) -> Int? {
        guard cachedOnly else { return try unsafe segment.store.read(into: memory, at: position) }
        let read = try unsafe segment.store.readIfCached(into: memory, at: position)
        return read == memory.count ? read : nil
    }

    /// Takes the batches of a chunk that begins at a frame.
    ///
    /// - Returns: The bytes that need not be looked at again.
    private mutating func parse(
        _ chunk: UnsafeRawBufferPointer, at position: UInt64, bytesMax: Int
    ) -> Int {
        var cursor = 0
        frameLengthNeeded = 0
        flaw = nil
        while cursor + FrameHeader.size <= chunk.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: chunk[cursor...])
            let header: FrameHeader
            do throws(FrameHeader.Flaw) {
                header = try unsafe FrameHeader(
                    checking: rest, group: segment.header.group, salt: segment.header.salt)
            } catch {
                flaw = (error, position + UInt64(cursor))
                return cursor
            }
            guard header.kind == .batch, header.endOffset > wanted else {
                cursor += header.frameLength
                reached = max(reached, header.endOffset)
                continue
            }
            guard header.endOffset <= snapshot.highWatermark else { return cursor }
            guard header.frameLength <= rest.count else {
                frameLengthNeeded = header.frameLength
                return cursor
            }
            guard
                slices.isEmpty
                    || header.baseOffset == nextOffset
                        && byteCount + header.payloadLength <= bytesMax
            else {
                return cursor
            }
            let payload = (cursor + FrameHeader.size)..<(cursor + header.frameLength)
            if verifying {
                do throws(FrameHeader.Flaw) {
                    try unsafe header.check(
                        payload: UnsafeRawBufferPointer(rebasing: chunk[payload]))
                } catch {
                    note(error, header, at: position + UInt64(cursor))
                    return cursor
                }
            }
            slices.append(payload)
            byteCount += header.payloadLength
            nextOffset = header.endOffset
            cursor += header.frameLength
        }
        if cursor < chunk.count { frameLengthNeeded = FrameHeader.size }
        return cursor
    }

    /// Remembers a damaged batch; what was read before it is served first.
    private mutating func note(
        _ flaw: FrameHeader.Flaw, _ header: FrameHeader, at position: UInt64
    ) {
        damage = Damage(
            offsets: header.baseOffset.rawValue..<header.endOffset.rawValue,
            path: segment.store.path, position: position, reason: "\(flaw)")
    }

    /// Where the next sound frame begins behind bytes that are none; `nil` at the segment's end.
    ///
    /// - Throws: ``LogError/damaged(_:)`` if what was wanted lies in between.
    private func positionBehind(
        _ position: UInt64, _ reason: FrameHeader.Flaw
    ) throws(LogError) -> UInt64? {
        let scanner = StoreScanner(
            segment.store, group: segment.header.group, salt: segment.header.salt, from: position,
            end: segment.size)
        let next: FrameHeader?
        do throws(FileError) {
            next = try scanner.seekFrame(from: position + 1)
        } catch { throw .file(error) }
        let end = min(next?.baseOffset ?? endOfSegment, snapshot.highWatermark)
        guard wanted >= end else {
            throw .damaged(
                Damage(
                    offsets: min(reached, end).rawValue..<end.rawValue, path: segment.store.path,
                    position: position, reason: "\(reason)"))
        }
        return next == nil ? nil : scanner.position
    }

    /// The first offset that belongs to the next segment.
    private var endOfSegment: Offset {
        let following = snapshot.closed.first { $0.baseOffset > segment.baseOffset }
        if let following { return following.baseOffset }
        let isActive = snapshot.active.baseOffset == segment.baseOffset
        return isActive ? snapshot.highWatermark : snapshot.active.baseOffset
    }
}
