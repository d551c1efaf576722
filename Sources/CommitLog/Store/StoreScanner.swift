// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// Walks the frames of a store from front to back, through a window of the file.
///
/// Has one owner. A length is believed only once the envelope's checksum is right and the file is
/// long enough, so a lying one allocates nothing.
@safe
final class StoreScanner {
    /// What stands at a position.
    enum Item {
        /// A sound frame.
        case frame(FrameHeader)
        /// Something else; with the envelope if that is sound and only the payload is not.
        case flaw(FrameHeader.Flaw, FrameHeader?)
        /// Nothing: the position is the end.
        case end
    }

    private static let windowSize = 1 << 20

    let file: any File
    let group: UInt64
    let salt: UInt64?
    /// Where the scan ends: the file's length, or less.
    let end: UInt64
    /// Where the next item begins.
    private(set) var position: UInt64

    private var window: UnsafeMutableRawBufferPointer
    private var windowStart: UInt64 = 0
    private var windowCount = 0

    init(_ file: any File, group: UInt64, salt: UInt64?, from position: UInt64, end: UInt64) {
        self.file = file
        self.group = group
        self.salt = salt
        self.position = position
        self.end = end
        unsafe window = .allocate(
            byteCount: Int(min(UInt64(Self.windowSize), max(end, 4096))), alignment: 8)
    }

    deinit {
        unsafe window.deallocate()
    }

    /// The item at ``position``; moves past it if it is a frame.
    ///
    /// - Parameter checkingPayloads: Whether to verify payloads, too.
    func next(checkingPayloads: Bool = true) throws(FileError) -> Item {
        guard position < end else { return .end }
        let item = try item(at: position, checkingPayloads: checkingPayloads)
        if case .frame(let header) = item { position += UInt64(header.frameLength) }
        return item
    }

    /// Moves to the next sound frame at or behind `start`, or returns `nil` if none follows.
    func seekFrame(from start: UInt64) throws(FileError) -> FrameHeader? {
        var candidate = start
        while candidate + UInt64(FrameHeader.size) <= end {
            guard let found = try findMagic(from: candidate) else { return nil }
            if case .frame(let header) = try item(at: found, checkingPayloads: true) {
                position = found
                return header
            }
            candidate = found + 1
        }
        return nil
    }

    /// Calls `body` with some bytes of the file, which must lie before ``end``.
    func withBytes<Value>(
        at position: UInt64, count: Int, _ body: (UnsafeRawBufferPointer) -> Value
    ) throws(FileError) -> Value? {
        guard let bytes = try unsafe load(position, count) else { return nil }
        return unsafe body(bytes)
    }

    private func item(at position: UInt64, checkingPayloads: Bool) throws(FileError) -> Item {
        guard let envelope = try unsafe load(position, FrameHeader.size) else {
            return .flaw(.cutShort, nil)
        }
        let header: FrameHeader
        do throws(FrameHeader.Flaw) {
            header = try unsafe FrameHeader(checking: envelope, group: group, salt: salt)
        } catch {
            return .flaw(error, nil)
        }
        guard position + UInt64(header.frameLength) <= end else { return .flaw(.cutShort, header) }
        guard checkingPayloads else { return .frame(header) }
        guard let frame = try unsafe load(position, header.frameLength) else {
            return .flaw(.cutShort, header)
        }
        do throws(FrameHeader.Flaw) {
            try unsafe header.check(
                payload: UnsafeRawBufferPointer(rebasing: frame[FrameHeader.size...]))
        } catch {
            return .flaw(error, header)
        }
        return .frame(header)
    }

    /// The first place at or behind `start` where a frame could begin.
    private func findMagic(from start: UInt64) throws(FileError) -> UInt64? {
        var start = start
        while start + UInt64(FrameHeader.size) <= end {
            let count = Int(min(UInt64(Self.windowSize), end - start))
            guard let bytes = try unsafe load(start, count) else { return nil }
            var offset = 0
            while offset + 4 <= bytes.count {
                if unsafe bytes[offset] == 0x43,
                    unsafe bytes.bigEndian(at: offset, as: UInt32.self) == FrameHeader.magicValue
                {
                    return start + UInt64(offset)
                }
                offset += 1
            }
            start += UInt64(max(1, count - 3))
        }
        return nil
    }

    /// Makes sure that the window holds some bytes; `nil` if the file ends before.
    private func load(_ position: UInt64, _ count: Int) throws(FileError) -> UnsafeRawBufferPointer?
    {
        guard position + UInt64(count) <= end else { return nil }
        let windowEnd = windowStart + UInt64(windowCount)
        if position < windowStart || position + UInt64(count) > windowEnd {
            if unsafe count > window.count {
                unsafe window.deallocate()
                unsafe window = .allocate(byteCount: count, alignment: 8)
            }
            windowStart = position
            let wanted = unsafe Int(min(UInt64(window.count), end - position))
            windowCount = 0
            windowCount = try unsafe file.read(
                into: UnsafeMutableRawBufferPointer(rebasing: window[..<wanted]), at: position)
            guard windowCount >= count else { return nil }
        }
        let start = Int(position - windowStart)
        return unsafe UnsafeRawBufferPointer(rebasing: window[start..<(start + count)])
    }
}
