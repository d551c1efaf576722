// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Records

/// Frames that go to the store in one write.
@safe
struct FrameBatch {
    private(set) var pieces: [UnsafeRawBufferPointer] = unsafe []
    private(set) var headers: [FrameHeader] = []
    private(set) var byteCount: UInt64 = 0
    private(set) var nextIndex: LogIndex
    private(set) var nextOffset: Offset
    private let group: UInt64
    private let salt: UInt64
    private let term: Term
    private let durableIndex: LogIndex
    /// Keeps the memory that the pieces point to.
    private var buffers: [BatchBuffer] = []
    /// Room for the envelopes of entries that came without.
    private var envelopes: EntryMemory?

    init(log: Log) {
        group = log.group
        salt = log.active.header.salt
        term = log.term
        durableIndex = log.syncedIndex
        nextIndex = log.nextIndex
        nextOffset = log.nextOffset
    }

    /// Stamps a batch and puts its envelope in front of it, both in place.
    mutating func add(_ batch: BatchBuffer, _ header: BatchHeader) {
        let bytes = unsafe batch.mutableBytes
        unsafe BatchHeader.stamp(
            bytes, baseOffset: nextOffset, leaderEpoch: Int32(truncatingIfNeeded: term.rawValue))
        precondition(header.totalSize == batch.count, "a batch that was not checked")
        let frame = FrameHeader(
            kind: .batch, payloadLength: batch.count, recordCount: Int(header.lastOffsetDelta) + 1,
            group: group, salt: salt, index: nextIndex, term: term, baseOffset: nextOffset,
            maxTimestamp: header.maxTimestamp, durableIndex: durableIndex,
            payloadChecksum: header.checksum)
        let room = unsafe batch.frame
        unsafe frame.write(to: UnsafeMutableRawBufferPointer(rebasing: room[..<FrameHeader.size]))
        unsafe pieces.append(UnsafeRawBufferPointer(room))
        buffers.append(batch)
        note(frame)
    }

    /// Adds entries that have their places already; they outlive this value.
    mutating func add(_ entries: ArraySlice<LogEntry>) {
        precondition(envelopes == nil, "one row of entries a write")
        let room = EntryMemory(count: entries.count * FrameHeader.size)
        envelopes = room
        for (number, entry) in entries.enumerated() {
            precondition(
                entry.baseOffset == nextOffset,
                "entry \(nextIndex) at offset \(entry.baseOffset), not \(nextOffset)")
            let frame = FrameHeader(
                kind: entry.kind, payloadLength: entry.payload.count,
                recordCount: entry.recordCount, group: group, salt: salt, index: nextIndex,
                term: entry.term, baseOffset: nextOffset, maxTimestamp: entry.maxTimestamp,
                durableIndex: durableIndex, payloadChecksum: entry.payloadChecksum)
            precondition(frame.isPlausible, "entry \(nextIndex) was not checked")
            let start = number * FrameHeader.size
            let envelope = unsafe UnsafeMutableRawBufferPointer(
                rebasing: room.bytes[start..<(start + FrameHeader.size)])
            unsafe frame.write(to: envelope)
            unsafe pieces.append(UnsafeRawBufferPointer(envelope))
            if entry.payload.count > 0 { unsafe pieces.append(entry.payload.bytes) }
            note(frame)
        }
    }

    private mutating func note(_ frame: FrameHeader) {
        headers.append(frame)
        byteCount += UInt64(frame.frameLength)
        nextIndex = nextIndex.next
        nextOffset = frame.endOffset
    }
}
