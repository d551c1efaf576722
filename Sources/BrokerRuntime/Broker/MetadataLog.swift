// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import CommitLog
internal import Disk
internal import Faults
internal import Records

/// The log of what topics there are: the same engine as for records, synced at each event.
///
/// Owned by the broker's control thread.
final class MetadataLog {
    private let log: Log
    private(set) var state: ClusterState
    private let clock: BrokerClock
    /// The next id for a producer; those from the reserved end on are not reserved yet.
    private var nextProducerID: Int64

    /// Ids that one event reserves: a sync for so many producers.
    private static let producerIDBlock: Int64 = 1000

    /// The name of this log in its frames.
    private static let group: UInt64 = 0x636f_7264_6d65_7461

    /// Opens the log and replays its events.
    init(
        directory: String, fileSystem: any FileSystem, clock: BrokerClock
    ) throws(Fault) {
        self.clock = clock
        var random = SystemRandomNumberGenerator()
        do throws(LogError) {
            log = try Log(
                directory: directory, group: Self.group, on: fileSystem, settings: LogSettings(),
                now: clock.now, seed: random.next())
        } catch {
            throw Fault(error, of: "the metadata log")
        }
        guard !log.isReadOnly else {
            throw Fault(
                LogError.readOnly(log.recovery.damages), of: "the metadata log")
        }
        state = try Self.replay(log.snapshot)
        nextProducerID = state.producerIDsEnd
    }

    private static func replay(_ snapshot: LogSnapshot) throws(Fault) -> ClusterState {
        var state = ClusterState()
        var offset = snapshot.logStartOffset
        while offset < snapshot.highWatermark {
            let batches: FetchedBatches
            do throws(LogError) {
                batches = try snapshot.read(from: offset, bytesMax: 1 << 20, verifying: true)
                    .batches
            } catch {
                throw Fault(error, of: "the metadata log")
            }
            guard !batches.isEmpty else { break }
            do {
                try batches.forEachBatch { bytes in
                    let header = BatchHeader(reading: bytes)
                    let records = RecordBatch.records(of: bytes)
                    var cursor = RecordCursor(records)
                    while let view = try cursor.next() {
                        let record = Record(view, in: records, header: header)
                        guard let event = ClusterEvent(record.value ?? []) else {
                            throw Fault(
                                .unsupportedFormat,
                                "the metadata log holds an event that this version does not know")
                        }
                        state.apply(event)
                    }
                }
            } catch let fault as Fault {
                throw fault
            } catch {
                throw Fault(.dataLoss, "the metadata log holds a damaged event: \(error)")
            }
            offset = batches.nextOffset
        }
        return state
    }

    /// Makes an event durable, and then true.
    func record(_ event: ClusterEvent) throws(Fault) {
        var builder = BatchBuilder()
        builder.append(key: nil, value: event.encoded, timestamp: clock.now)
        let result = log.append([builder.finish()], now: clock.now)
        do throws(LogError) {
            if let failure = result.failure { throw failure }
            try log.sync()
        } catch {
            throw Fault(error, of: "the metadata log")
        }
        state.apply(event)
    }

    /// An id that no producer was given before, in this life or an earlier one.
    func allocateProducerID() throws(Fault) -> Int64 {
        if nextProducerID == state.producerIDsEnd {
            let (end, isOver) = nextProducerID.addingReportingOverflow(Self.producerIDBlock)
            guard !isOver else { throw Fault(.internalError, "all producer ids are given out") }
            try record(.producerIDsReserved(upTo: end))
        }
        defer { nextProducerID += 1 }
        return nextProducerID
    }

    /// Closes the log.
    func close() throws(Fault) {
        do throws(LogError) {
            try log.close()
        } catch {
            throw Fault(error, of: "the metadata log")
        }
    }
}
