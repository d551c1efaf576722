// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// Finds out which idempotent producers a log knows, when it is opened.
///
/// ```
/// snapshot, sound and not ahead of the log ──▶ the frames behind it
/// a checkpoint that says there were none   ──▶ the frames behind it
/// neither                                  ──▶ all frames
/// ```
///
/// Only the frames' headers are read, and the batches' own; both were checked by recovery or vouched
/// for by the checkpoint.
struct ProducerRecovery {
    let directory: String
    let group: UInt64
    let fileSystem: any FileSystem
    let segments: [Segment]
    let nextIndex: LogIndex
    let checkpoint: Checkpoint?
    let now: Timestamp

    /// The table as of the last frame.
    func run() throws(LogError) -> ProducerTable {
        do throws(FileError) {
            if let snapshot = try readSnapshot() {
                return try replay(
                    onto: snapshot.table, segment: snapshot.segment, position: snapshot.position)
            }
            if let checkpoint, !checkpoint.hasProducers {
                return try replay(
                    onto: ProducerTable(), segment: checkpoint.segment,
                    position: checkpoint.position)
            }
            return try replay(onto: ProducerTable(), segment: .zero, position: 0)
        } catch {
            throw .file(error)
        }
    }

    private func readSnapshot() throws(FileError) -> ProducerSnapshot? {
        let path = directory + "/" + ProducerSnapshot.name
        guard let status = try fileSystem.status(of: path), status.kind == .file else { return nil }
        guard status.size <= UInt64(ProducerSnapshot.sizeMax) else { return nil }
        let bytes = try fileSystem.open(path, .read).bytes(at: 0, count: Int(status.size))
        guard let snapshot = ProducerSnapshot(bytes, group: group) else { return nil }
        guard snapshot.nextIndex <= nextIndex else {
            // Ahead of the log: it must not be taken for true once the log has grown past it.
            try fileSystem.remove(path)
            try fileSystem.syncDirectory(directory)
            return nil
        }
        return snapshot
    }

    private func replay(
        onto start: ProducerTable, segment first: Offset, position: UInt64
    ) throws(FileError) -> ProducerTable {
        var table = start
        for segment in segments where segment.baseOffset >= first {
            let from = segment.baseOffset == first ? position : 0
            try replay(segment, from: max(from, UInt64(StoreHeader.size)), into: &table)
        }
        table.expire(now: now)
        return table
    }

    private func replay(
        _ segment: Segment, from start: UInt64, into table: inout ProducerTable
    ) throws(FileError) {
        let scanner = StoreScanner(
            segment.store, group: group, salt: segment.header.salt, from: start, end: segment.size)
        while case .frame(let frame) = try scanner.next(checkingPayloads: false) {
            guard frame.kind == .batch, frame.payloadLength >= BatchHeader.size else { continue }
            let payload = scanner.position - UInt64(frame.payloadLength)
            let header = try unsafe scanner.withBytes(at: payload, count: BatchHeader.size) {
                unsafe BatchHeader(reading: $0)
            }
            guard let header, header.producerID >= 0, header.baseSequence >= 0,
                header.recordCount > 0
            else { continue }
            table.note(header, at: frame.baseOffset, now: now)
        }
    }
}
