// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// Walks the envelopes of a segment from a place on, and jumps over large payloads.
///
/// Bytes that are no frame are passed: what lies in them is reported where it is read.
struct EnvelopeWalk {
    /// As much as lies between two entries of an index, about.
    private static let chunkSize = 8 << 10

    private let segment: Segment
    /// Where the next frame begins.
    private(set) var position: UInt64
    private var chunk: [UInt8] = []
    private var chunkStart: UInt64 = 0

    init(_ segment: Segment, from position: UInt64) {
        self.segment = segment
        self.position = position
    }

    /// The next batch's envelope; `nil` at the segment's end.
    ///
    /// ``position`` is then behind its frame.
    mutating func nextBatch() throws(LogError) -> FrameHeader? {
        while let frame = try next() {
            if frame.kind == .batch { return frame }
        }
        return nil
    }

    /// The next batch's envelope and its own header; `nil` at the segment's end.
    ///
    /// Neither the header nor what follows it is checked.
    mutating func nextBatchHeader() throws(LogError) -> (FrameHeader, BatchHeader)? {
        guard let frame = try nextBatch() else { return nil }
        let payload = position - UInt64(frame.payloadLength)
        let size = BatchHeader.size
        if payload >= chunkStart, payload + UInt64(size) <= chunkStart + UInt64(chunk.count) {
            let start = Int(payload - chunkStart)
            let header = unsafe chunk.withUnsafeBytes { bytes in
                unsafe BatchHeader(
                    reading: UnsafeRawBufferPointer(rebasing: bytes[start..<(start + size)]))
            }
            return (frame, header)
        }
        let bytes = try onDisk { () throws(FileError) in
            try segment.store.bytes(at: payload, count: size)
        }
        guard bytes.count == size else { return nil }
        return (frame, unsafe bytes.withUnsafeBytes { unsafe BatchHeader(reading: $0) })
    }

    /// The bytes behind an envelope that was just walked over; `nil` if they are damaged.
    func payload(of frame: FrameHeader) throws(LogError) -> [UInt8]? {
        let start = position - UInt64(frame.payloadLength)
        guard position <= segment.size else { return nil }
        let bytes = try onDisk { () throws(FileError) in
            try segment.store.bytes(at: start, count: frame.payloadLength)
        }
        guard bytes.count == frame.payloadLength, CRC32C.checksum(bytes) == frame.payloadChecksum
        else { return nil }
        return bytes
    }

    /// The next envelope; `nil` at the segment's end.
    mutating func next() throws(LogError) -> FrameHeader? {
        guard position + UInt64(FrameHeader.size) <= segment.size else { return nil }
        if position < chunkStart
            || position + UInt64(FrameHeader.size) > chunkStart + UInt64(chunk.count)
        {
            try load()
        }
        let start = Int(position - chunkStart)
        let frame = unsafe chunk.withUnsafeBytes { bytes -> FrameHeader? in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[min(start, bytes.count)...])
            do throws(FrameHeader.Flaw) {
                return try unsafe FrameHeader(
                    checking: rest, group: segment.header.group, salt: segment.header.salt)
            } catch {
                return nil
            }
        }
        if let frame {
            position += UInt64(frame.frameLength)
            return frame
        }
        let scanner = StoreScanner(
            segment.store, group: segment.header.group, salt: segment.header.salt, from: position,
            end: segment.size)
        let damaged = position
        let sound = try onDisk { () throws(FileError) in
            try scanner.seekFrame(from: damaged + 1)
        }
        guard let sound else {
            position = segment.size
            return nil
        }
        position = scanner.position + UInt64(sound.frameLength)
        return sound
    }

    private mutating func load() throws(LogError) {
        let start = position
        let count = Int(min(UInt64(Self.chunkSize), segment.size - start))
        chunk = try onDisk { () throws(FileError) in
            try segment.store.bytes(at: start, count: count)
        }
        chunkStart = start
    }
}
