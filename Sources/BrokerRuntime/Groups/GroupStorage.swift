// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import CommitLog
internal import Disk
internal import Faults
internal import Logging
internal import Records
internal import Replication
internal import Synchronization

/// Where the log of groups lies, and how it is opened, read and cut.
struct GroupStorage: Sendable {
    let directory: DataDirectory
    let host: PartitionHost
    let control: JobPool
    let logger: Logger
    /// The folder's name in the data directory.
    var folder = "groups"

    /// The name of the partition in messages.
    static let topic = "__cordwood_groups"
    /// The name of this log in its frames.
    private static let group: UInt64 = 0x636f_7264_6772_7073
    /// The name of its group of replicas, which no topic has: ids of topics are drawn at random.
    private static let replicas = GroupID(high: 0x636f_7264_6772_7073, low: 0, partition: 0)
    /// Small, so that what a snapshot replaces is soon given back.
    private static let segmentSize = 1 << 20

    private var path: String { directory.path + "/" + folder }

    /// Opens the log if there is one.
    ///
    /// Blocks.
    func openExisting() throws(Fault) -> GroupLog.Opened? {
        do throws(FileError) {
            guard try directory.fileSystem.status(of: path) != nil else { return nil }
        } catch {
            throw Fault(error)
        }
        return try recover()
    }

    /// Makes the log, on a thread that may wait for the disk.
    func create(_ completion: @escaping @Sendable (Result<GroupLog.Opened, Fault>) -> Void) {
        let storage = self
        let isTaken = control.submit {
            do throws(Fault) {
                do throws(FileError) {
                    try storage.directory.fileSystem.createDirectory(storage.path)
                    try storage.directory.fileSystem.syncDirectory(storage.directory.path)
                } catch {
                    throw Fault(error)
                }
                completion(.success(try storage.recover()))
            } catch {
                completion(.failure(error))
            }
        }
        if !isTaken { completion(.failure(Broker.stopping)) }
    }

    private func recover() throws(Fault) -> GroupLog.Opened {
        var random = SystemRandomNumberGenerator()
        var settings = LogSettings()
        settings.segmentSizeMax = Self.segmentSize
        settings.checkpointInterval = UInt64(Self.segmentSize)
        let partition = Partition(
            topic: Self.topic, number: 0, group: Self.replicas, host: host,
            batchSizeMax: GroupLog.batchSizeMax,
            onDamagedIndex: { partition, segment in
                partition.host.queue.push(
                    .run { $0.rebuildIndex(of: partition, segment: segment) })
            })
        do throws(LogError) {
            let replica = try host.openReplica(
                of: partition, directory: path, logGroup: Self.group, on: directory.fileSystem,
                settings: settings, seed: random.next())
            guard !replica.isDamaged else { throw .readOnly(replica.log.recovery.damages) }
            let settled = Settling()
            return GroupLog.Opened(
                partition: partition,
                handover: LogThread.Handover(
                    log: PartitionLog(
                        partition: partition, replica: replica, durability: .fsync,
                        whenSettled: { settled.end() })), settled: settled)
        } catch {
            throw Fault(error, of: partition.name)
        }
    }

    /// Hands the log to the log thread, and waits until it shows all that is committed.
    func adopt(_ opened: GroupLog.Opened) {
        host.adopt(opened.handover)
        opened.settled.wait()
    }

    /// Gives all facts in order.
    ///
    /// Blocks.
    func replay(_ partition: Partition, _ body: (GroupLog.Fact) -> Void) throws(Fault) {
        let bounds = try partition.bounds
        var offset = bounds.lowerBound
        while offset < bounds.upperBound {
            let batches = try partition.readBlocking(from: offset, bytesMax: 1 << 20)
            guard !batches.isEmpty else { break }
            do throws(BatchError) {
                try batches.forEachBatch { bytes throws(BatchError) in
                    let header = BatchHeader(reading: bytes)
                    let records = RecordBatch.records(of: bytes)
                    var cursor = RecordCursor(records)
                    while let view = try cursor.next() {
                        let record = Record(view, in: records, header: header)
                        // The log may begin inside of a batch.
                        guard record.offset >= offset else { continue }
                        body((record.key ?? [], record.value))
                    }
                }
            } catch {
                throw Fault(.dataLoss, "\(partition.name) holds a damaged record: \(error)")
            }
            offset = batches.nextOffset
        }
    }

    /// The bytes of the log.
    func size(of partition: Partition) -> Int {
        partition.published.withLock { Int(clamping: $0.snapshot?.size ?? 0) }
    }

    /// One batch of facts.
    func batch(of facts: [GroupLog.Fact]) -> BatchBuffer {
        var builder = BatchBuilder()
        let now = host.clock.now
        for fact in facts { builder.append(key: fact.key, value: fact.value, timestamp: now) }
        return builder.finish(nextCapacity: 0)
    }

    /// Lets the log begin at an offset; its files are removed once that is durable.
    func deleteFacts(of partition: Partition, before offset: Offset) {
        let logger = logger
        host.queue.push(
            .run { thread in
                if case .failure(let fault) = thread.deleteRecords(of: partition, before: offset) {
                    logger.warning(
                        "old states of groups are kept; the next snapshot tries again",
                        metadata: ["error": "\(fault)"])
                }
            })
    }

    func reportSnapshotFailure(_ fault: Fault) {
        logger.warning(
            "the state of the groups could not be written anew; old states are kept meanwhile",
            metadata: ["error": "\(fault)"])
    }
}
