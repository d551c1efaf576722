// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// Finds out the lineage of a log from its files.
///
/// ```
/// the file that the checkpoint names  ──▶ the frames behind the checkpoint
/// the newest segment with a head      ──▶ the frames behind its head
/// neither: a log of before            ──▶ the frames of those segments in which a term begins
/// ```
struct LineageRecovery {
    let directory: String
    let fileSystem: any FileSystem
    let segments: [Segment]

    /// The name of the file, and of what becomes it.
    static let name = "lineage"
    static let newName = "lineage.new"

    /// The lineage as of the last frame, if nothing but the frames can be asked.
    func run() throws(LogError) -> Lineage {
        for number in segments.indices.reversed() {
            var walk = EnvelopeWalk(segments[number], from: UInt64(StoreHeader.size))
            guard let frame = try walk.next(), frame.kind == .head,
                let payload = try walk.payload(of: frame), let known = Lineage(payload[...])
            else { continue }
            return try replay(onto: known, from: number, position: walk.position)
        }
        var lineage = Lineage()
        var first: Term?
        for number in segments.indices {
            var term = first
            if term == nil { term = try firstTerm(number) }
            let next = number + 1 < segments.count ? try firstTerm(number + 1) : nil
            first = next
            if let term, term == next {
                // Terms do not fall, so this segment is of one; nor does one without a head, with
                // another such behind it, hold anything but batches.
                let header = segments[number].header
                lineage.note(term: term, index: header.baseIndex, offset: header.baseOffset)
            } else {
                try replay(number, from: UInt64(StoreHeader.size), onto: &lineage)
            }
        }
        return lineage
    }

    /// The lineage as of the last frame, by the file that a checkpoint relies on.
    func run(_ checkpoint: Checkpoint?) throws(LogError) -> Lineage {
        guard let checkpoint, let checksum = checkpoint.lineageChecksum,
            let known = try readFile(checksum),
            let number = segments.firstIndex(where: { $0.baseOffset == checkpoint.segment })
        else { return try run() }
        return try replay(onto: known, from: number, position: checkpoint.position)
    }

    /// The file's content, if it is what a checkpoint speaks of.
    private func readFile(_ checksum: UInt32) throws(LogError) -> Lineage? {
        try onDisk { () throws(FileError) -> Lineage? in
            let path = directory + "/" + Self.name
            guard let status = try fileSystem.status(of: path), status.kind == .file,
                status.size <= UInt64(Lineage.sizeMax + 4), status.size > 4
            else { return nil }
            let bytes = try fileSystem.open(path, .read).bytes(at: 0, count: Int(status.size))
            let content = Array(bytes.dropLast(4))
            let stated = bytes.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard bytes.count == Int(status.size), stated == checksum,
                CRC32C.checksum(content) == checksum
            else { return nil }
            return Lineage(content[...])
        }
    }

    private func firstTerm(_ number: Int) throws(LogError) -> Term? {
        var walk = EnvelopeWalk(segments[number], from: UInt64(StoreHeader.size))
        while let frame = try walk.next() {
            if frame.kind.isEntry, frame.kind != .gap { return frame.term }
        }
        return nil
    }

    private func replay(
        onto start: Lineage, from first: Int, position: UInt64
    ) throws(LogError) -> Lineage {
        var lineage = start
        for number in first..<segments.count {
            try replay(
                number, from: number == first ? position : UInt64(StoreHeader.size),
                onto: &lineage)
        }
        return lineage
    }

    private func replay(
        _ number: Int, from position: UInt64, onto lineage: inout Lineage
    ) throws(LogError) {
        var walk = EnvelopeWalk(segments[number], from: position)
        var nextIndex = LogIndex.zero
        while let frame = try walk.next() {
            // What a repair has put in its place has no term of its own; older bytes are no entries.
            guard frame.kind.isEntry, frame.kind != .gap, frame.index >= nextIndex else { continue }
            nextIndex = frame.index.next
            lineage.note(term: frame.term, index: frame.index, offset: frame.baseOffset)
            if frame.kind == .configuration, let payload = try walk.payload(of: frame) {
                lineage.noteConfiguration(payload, at: frame.index)
            }
        }
    }
}
