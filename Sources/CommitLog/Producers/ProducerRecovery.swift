// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// Finds out which idempotent producers a log knows, when it is opened.
///
/// ```
/// snapshot, sound and not ahead of the log ──▶ the frames behind it
/// a checkpoint that says there were none   ──▶ the frames behind it
/// neither                                  ──▶ all frames that are not too old to matter
/// ```
///
/// Only the frames' envelopes are read, and the batches' headers; both were checked by recovery or
/// vouched for by the checkpoint.
struct ProducerRecovery {
    let directory: String
    let group: UInt64
    let fileSystem: any FileSystem
    let segments: [Segment]
    let nextIndex: LogIndex
    let checkpoint: Checkpoint?
    let lineage: Lineage
    let limits: ProducerTable.Limits
    let now: Timestamp

    /// The table as of the last frame.
    func run() throws(LogError) -> ProducerTable {
        let snapshot = try onDisk { () throws(FileError) in try readSnapshot() }
        if let checkpoint, !checkpoint.hasProducers,
            snapshot.map({ $0.nextIndex < checkpoint.nextIndex }) ?? true
        {
            return try replay(
                onto: ProducerTable(limits: limits), segment: checkpoint.segment,
                position: checkpoint.position)
        }
        if let snapshot {
            return try replay(
                onto: snapshot.table, segment: snapshot.segment, position: snapshot.position)
        }
        return try replay(onto: ProducerTable(limits: limits), segment: .zero, position: 0)
    }

    private func readSnapshot() throws(FileError) -> ProducerSnapshot? {
        let path = directory + "/" + ProducerSnapshot.name
        guard let status = try fileSystem.status(of: path), status.kind == .file else { return nil }
        guard status.size <= UInt64(ProducerSnapshot.sizeMax) else { return nil }
        let bytes = try fileSystem.open(path, .read).bytes(at: 0, count: Int(status.size))
        guard let snapshot = ProducerSnapshot(bytes, group: group, limits: limits) else {
            return nil
        }
        guard fits(snapshot) else {
            // Ahead of the log: it must not be taken for true once the log has grown past it.
            try fileSystem.remove(path)
            try fileSystem.syncDirectory(directory)
            return nil
        }
        return snapshot
    }

    /// Whether the log holds all that a snapshot speaks of.
    private func fits(_ snapshot: ProducerSnapshot) -> Bool {
        guard snapshot.nextIndex <= nextIndex else { return false }
        // Entries are the same if index and term are (Raft section 5.3): otherwise it speaks of some
        // that were taken back.
        if let term = snapshot.lastTerm, term > .zero,
            term != lineage.term(at: snapshot.nextIndex.previous)
        {
            return false
        }
        guard let segment = segments.first(where: { $0.baseOffset >= snapshot.segment }) else {
            return false
        }
        // If its own segment is gone, retention took it, and with it only what the snapshot knows.
        return segment.baseOffset == snapshot.segment
            ? snapshot.position <= segment.size
            : segment.header.baseIndex >= snapshot.nextIndex
    }

    private func replay(
        onto start: ProducerTable, segment first: Offset, position: UInt64
    ) throws(LogError) -> ProducerTable {
        var table = start
        for (number, segment) in segments.enumerated() where segment.baseOffset >= first {
            let from = segment.baseOffset == first ? position : 0
            // The next segment was begun when this one got no more: its frames are no younger.
            var newest = now
            if number + 1 < segments.count {
                let closed = segments[number + 1].header.created
                if closed.rawValue >= 0 { newest = min(now, closed) }
            }
            guard now.rawValue &- newest.rawValue <= limits.expiry else { continue }
            var walk = EnvelopeWalk(segment, from: max(from, UInt64(StoreHeader.size)))
            while let (frame, header) = try walk.nextBatchHeader() {
                guard header.isOfProducer else { continue }
                table.note(header, at: frame.baseOffset, now: newest)
                table.commit()
            }
        }
        table.expire(now: now)
        return table
    }
}

extension BatchHeader {
    /// Whether the batch is an idempotent producer's, and its numbers can be.
    var isOfProducer: Bool {
        producerID >= 0 && producerEpoch >= 0 && baseSequence >= 0 && recordCount > 0
    }
}
