// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CommitLog
internal import Positions
internal import RaftCore
internal import Records
internal import Replication
internal import SimulatedDisk

// What records say, and what a log says that it holds.
extension FullNode {
    /// A batch of records, each with its number as value.
    static func batch(_ proposal: Proposal) -> BatchBuffer {
        var builder = BatchBuilder()
        let filler = max(0, (proposal.bytes - 128) / proposal.count - 8)
        for number in 0..<proposal.count {
            var value: [UInt8] = []
            value.appendBigEndian(proposal.value + UInt64(number))
            value += repeatElement(0x2e, count: filler)
            builder.append(key: nil, value: value, timestamp: Timestamp(milliseconds: 1))
        }
        return builder.finish()
    }

    /// The numbers of a batch's records.
    static func values(of batch: UnsafeRawBufferPointer) throws(Violation) -> [UInt64] {
        var values: [UInt64] = []
        var cursor = unsafe RecordCursor(RecordBatch.records(of: batch))
        while true {
            let record: RecordView?
            do throws(BatchError) {
                record = try cursor.next()
            } catch {
                throw Violation("a batch that cannot be read: \(error)")
            }
            guard let record else { return values }
            guard let value = record.value, value.count >= 8 else {
                throw Violation("a record without its number")
            }
            values.append(unsafe batch.bigEndian(at: BatchHeader.size + value.lowerBound))
        }
    }

    func poll(from offset: Int64, recordsMax: Int) throws(Violation) -> PollAnswer {
        guard let log = replica?.log else { throw Violation("a log of a node that is down") }
        let snapshot = log.snapshot
        // Somebody who has read further elsewhere has nothing to get here yet.
        guard offset <= snapshot.highWatermark.rawValue else { return .records([], next: offset) }
        guard offset >= snapshot.logStartOffset.rawValue else {
            return .outOfRange(start: snapshot.logStartOffset.rawValue)
        }
        let found: FetchedBatches
        do throws(LogError) {
            found = try snapshot.read(
                from: Offset(offset), bytesMax: 4096, verifying: true
            ).batches
        } catch {
            if disk.isStopped || hasFailed { return .records([], next: offset) }
            throw Violation("offset \(offset) cannot be read: \(error)")
        }
        var records: [(offset: Int64, value: UInt64)] = []
        try found.forEachBatch { (batch: UnsafeRawBufferPointer) throws(Violation) in
            let base = unsafe BatchHeader(reading: batch).baseOffset.rawValue
            for (number, value) in try unsafe Self.values(of: batch).enumerated()
            where base + Int64(number) >= offset {
                records.append((base + Int64(number), value))
            }
        }
        return .records(records, next: (records.last?.offset ?? offset - 1) + 1)
    }

    func describe(_ packet: NodeMessage) -> String {
        packet.messages.isEmpty
            ? "\(packet.from) is there"
            : packet.messages.map { CoreNode.describe($0.message) }.joined(separator: "; ")
    }
}

/// The entries of a log that were read last.
///
/// A class, so that looking changes nothing; each node has its own.
final class EntryWindow {
    private var first = LogIndex.zero
    private var contents: [EntryContent] = []

    func forget() { contents = [] }

    func forget(from index: LogIndex) {
        let count = index.distance(from: first)
        if count < contents.count { contents.removeLast(contents.count - count) }
    }

    func content(at index: LogIndex, in log: Log) throws(Violation) -> EntryContent {
        if index >= first, index.distance(from: first) < contents.count {
            return contents[index.distance(from: first)]
        }
        let entries: [LogEntry]
        do throws(LogError) {
            entries = try log.entryReader().read(
                from: index, through: index.advanced(by: 63), bytesMax: 1 << 16)
        } catch {
            throw Violation("entry \(index) cannot be read: \(error)")
        }
        first = index
        contents = []
        for entry in entries { contents.append(try Self.content(of: entry)) }
        guard let content = contents.first else { throw Violation("entry \(index) is not there") }
        return content
    }

    private static func content(of entry: LogEntry) throws(Violation) -> EntryContent {
        var content = EntryContent(
            term: entry.term, value: 0, count: 0, baseOffset: entry.baseOffset.rawValue)
        switch entry.kind {
        case .configuration:
            guard let configuration = Configuration(encoded: entry.payload.array[...]) else {
                throw Violation("a configuration that names nobody")
            }
            content.configuration = configuration
        case .noOp: break
        default:
            let values = try entry.payload.withBytes { (bytes) throws(Violation) in
                try unsafe FullNode.values(of: bytes)
            }
            guard let value = values.first else { throw Violation("a batch without records") }
            content.value = value
            content.count = values.count
        }
        return content
    }
}
