// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ClusterCore
internal import CommitLog
public import Disk
public import Faults
public import Logging
internal import Records
internal import Replication
internal import Synchronization

/// Everything that a node stores: its topics, their partitions, and the threads that write them.
///
/// Any thread may call. Changes of topics are carried out one after the other by a control thread,
/// which owns the metadata log; partitions are owned by the log thread (``PartitionHost``).
public final class Broker: Sendable {
    /// The node's name.
    public let nodeID: String
    /// The identity of the data directory, 32 hexadecimal digits, made once.
    public let storeID: String

    /// What the broker is set to.
    public let settings: BrokerSettings
    let logger: Logger
    let directory: DataDirectory
    /// Keeps other servers out of the directory until the broker is closed.
    private let lock: Mutex<(any FileLock)?>
    let host: PartitionHost
    let control: JobPool
    /// The consumer groups.
    public let groups: GroupCoordinator
    private let logThread: DedicatedThread
    private let sharedDiskState: SharedDiskState
    let catalog: Mutex<Catalog>
    let metadata: ControlOwned

    /// The metadata log, for the control thread alone.
    ///
    /// `@unchecked Sendable`: the one thread of the control pool is the only one that touches it
    /// after the broker was opened.
    final class ControlOwned: @unchecked Sendable {
        let log: MetadataLog
        init(_ log: MetadataLog) { self.log = log }
    }

    /// Opens a data directory, making it if need be.
    ///
    /// Blocks while logs are recovered.
    ///
    /// - Throws: ``Faults/ErrorCode/dataDirectoryLocked``,
    ///   ``Faults/ErrorCode/dataDirectoryUnusable``, ``Faults/ErrorCode/unsupportedFormat`` and what
    ///   the metadata log may meet. A partition that cannot be opened does not keep the others from
    ///   being served: its state says so.
    public static func open(
        dataDirectory: String, fileSystem: any FileSystem, settings: BrokerSettings,
        logger: Logger, clock: BrokerClock = .system
    ) throws(Fault) -> Broker {
        let lock = try DataDirectory.lock(dataDirectory, on: fileSystem)
        let directory = try DataDirectory(dataDirectory, on: fileSystem)
        let metadata = try MetadataLog(
            directory: directory.metadata, fileSystem: fileSystem, clock: clock)
        let journal = try directory.openJournal(logger: logger)
        let broker = Broker(
            directory: directory, lock: lock, metadata: metadata, journal: journal,
            settings: settings, logger: logger, clock: clock)
        try broker.openPartitions(metadata.state)
        broker.groups.start(of: broker)
        return broker
    }

    private init(
        directory: DataDirectory, lock: any FileLock, metadata: MetadataLog,
        journal: HardStateJournal,
        settings: BrokerSettings, logger: Logger, clock: BrokerClock
    ) {
        nodeID = settings.nodeID
        storeID = directory.storeID
        self.settings = settings
        self.logger = logger
        self.directory = directory
        self.lock = Mutex(lock)
        self.metadata = ControlOwned(metadata)
        catalog = Mutex(Catalog(cluster: metadata.state))
        control = JobPool(threadCount: 1)
        sharedDiskState = SharedDiskState()
        let identity = NodeIdentity(name: settings.nodeID, storeID: directory.storeID)
        var records: [GroupID: HardStateRecord] = [:]
        for record in journal.records where record.life == identity.store {
            records[record.group] = record
        }
        let host = PartitionHost(
            settings: settings, clock: clock, identity: identity, records: records)
        self.host = host
        groups = GroupCoordinator(
            GroupStorage(directory: directory, host: host, control: control, logger: logger),
            settings: settings.groups, snapshotSizeMin: settings.groupSnapshotBytes)
        let guardian = DiskGuardian(
            fileSystem: directory.fileSystem, directory: directory.path, settings: settings,
            state: sharedDiskState)
        logThread = LogThread.start(
            host: host, journal: journal, guardian: guardian, settings: settings, logger: logger)
    }

    /// Whether the disk has room.
    public var diskState: DiskState { sharedDiskState.value }

    static let stopping = Fault(.shuttingDown, "the server is stopping")

    // MARK: Stopping

    /// Refuses new work, finishes what is queued, makes everything durable and closes the files.
    ///
    /// Calls that wait end with ``Faults/ErrorCode/shuttingDown``. Closing twice does nothing.
    public func close() async {
        let wasClosed = catalog.withLock { catalog in
            defer { catalog.isClosed = true }
            return catalog.isClosed
        }
        guard !wasClosed else { return }
        await groups.stop()
        await closeLogs()
        await closeMetadata()
        host.queue.close()
        logThread.join()
        host.readers.close()
        host.syncers.close()
        control.close()
        lock.withLock { $0 = nil }
    }

    private func closeLogs() async {
        let handovers: [LogThread.Handover]
        do throws(Fault) {
            handovers = try await host.betweenRounds { .success($0.stop(because: Self.stopping)) }
        } catch {
            return
        }
        let logger = logger
        let host = host
        await withTaskGroup { group in
            for handover in handovers {
                group.addTask {
                    do throws(Fault) {
                        try await host.syncers.run { () throws(Fault) in
                            handover.close(because: Self.stopping, logger: logger)
                        }
                    } catch {
                        logger.error("a log was not closed", metadata: ["error": "\(error)"])
                    }
                }
            }
        }
    }

    private func closeMetadata() async {
        let metadata = metadata
        do throws(Fault) {
            try await control.run { () throws(Fault) in try metadata.log.close() }
        } catch {
            logger.error("the metadata log was not closed", metadata: ["error": "\(error)"])
        }
    }
}

extension LogThread.Handover {
    /// Closes a log that the log thread has given up, and answers all who wait for it.
    func close(because fault: Fault, logger: Logger) {
        do throws(LogError) {
            try log.replica.close(now: .none)
        } catch {
            logger.error(
                "a log was not closed in order; the next start recovers it",
                metadata: ["partition": "\(log.partition.name)", "error": "\(error)"])
        }
        log.publish()
        log.abandon(fault)
    }
}
