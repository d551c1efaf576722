// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Records

/// How far a scrub has come in a log.
public struct ScrubCursor: Sendable, Equatable {
    var segment: Offset
    var position: UInt64
}

/// What one step of a scrub found.
public struct ScrubStep: Sendable, Equatable {
    /// Where to go on; `nil` at the end of the closed segments.
    public var next: ScrubCursor?
    /// Bytes that were read.
    public var byteCount: UInt64
    /// Frames that are not as they were written.
    public var damages: [Damage]
}

extension LogSnapshot {
    /// Reads some of the closed segments and checks every frame, so that damage is found while
    /// there are still copies elsewhere, and not when somebody needs the record.
    ///
    /// - Parameters:
    ///   - cursor: Where the last step ended; `nil` to begin.
    ///   - bytesMax: About how many bytes to read.
    public func scrub(
        from cursor: ScrubCursor?, bytesMax: UInt64
    ) throws(LogError) -> ScrubStep {
        var step = ScrubStep(next: nil, byteCount: 0, damages: [])
        // Retention may have removed the segment meanwhile: go on with the next one.
        let first = closed.firstIndex { $0.baseOffset >= cursor?.segment ?? .zero } ?? closed.count
        for segment in closed[first...] {
            let start =
                segment.baseOffset == cursor?.segment
                ? cursor?.position ?? UInt64(StoreHeader.size) : UInt64(StoreHeader.size)
            let reached = try scrub(segment, from: start, bytesMax: bytesMax, into: &step)
            if reached < segment.size {
                step.next = ScrubCursor(segment: segment.baseOffset, position: reached)
                return step
            }
            if step.byteCount >= bytesMax {
                step.next = ScrubCursor(segment: segment.baseOffset, position: segment.size)
                return step
            }
        }
        return step
    }

    private func scrub(
        _ segment: Segment, from start: UInt64, bytesMax: UInt64, into step: inout ScrubStep
    ) throws(LogError) -> UInt64 {
        let scanner = StoreScanner(
            segment.store, group: segment.header.group, salt: segment.header.salt, from: start,
            end: segment.size)
        var expected: Offset?
        while scanner.position < segment.size, step.byteCount < bytesMax {
            let before = scanner.position
            switch try onDisk({ () throws(FileError) in try scanner.next() }) {
            case .end:
                return segment.size
            case .frame(let frame):
                expected = frame.endOffset
            case .flaw(let flaw, let header):
                let behind = before + UInt64(header.map { $0.frameLength } ?? 1)
                let next = try onDisk { () throws(FileError) in
                    try scanner.seekFrame(from: behind)
                }
                let low = header?.baseOffset ?? expected ?? segment.baseOffset
                let high = header?.endOffset ?? next?.baseOffset ?? low
                step.damages.append(
                    Damage(
                        offsets: low.rawValue..<max(low, high).rawValue, path: segment.store.path,
                        position: before, reason: "\(flaw)"))
                if next == nil {
                    step.byteCount += segment.size - before
                    return segment.size
                }
            }
            step.byteCount += scanner.position - before
        }
        return scanner.position
    }
}
