// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ClusterCore
internal import CommitLog
public import Disk
public import Faults
public import Logging
internal import Records
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

    let settings: BrokerSettings
    let logger: Logger
    let directory: DataDirectory
    /// Keeps other servers out of the directory until the broker is closed.
    private let lock: Mutex<(any FileLock)?>
    let host: PartitionHost
    let control: JobPool
    /// The consumer groups.
    public let groups = GroupCoordinator()
    private let logThread: DedicatedThread
    private let sharedDiskState: SharedDiskState
    private let catalog: Mutex<Catalog>
    let metadata: ControlOwned

    /// The metadata log, for the control thread alone.
    ///
    /// `@unchecked Sendable`: the one thread of the control pool is the only one that touches it
    /// after the broker was opened.
    final class ControlOwned: @unchecked Sendable {
        let log: MetadataLog
        init(_ log: MetadataLog) { self.log = log }
    }

    /// What callers look up.
    struct Catalog {
        var cluster: ClusterState
        /// By topic name and then number.
        var partitions: [String: [Partition]] = [:]
        var isClosed = false
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
        let broker = Broker(
            directory: directory, lock: lock, metadata: metadata, settings: settings,
            logger: logger, clock: clock)
        try broker.openPartitions(metadata.state)
        return broker
    }

    private init(
        directory: DataDirectory, lock: any FileLock, metadata: MetadataLog,
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
        let host = PartitionHost(settings: settings, clock: clock)
        self.host = host
        let guardian = DiskGuardian(
            fileSystem: directory.fileSystem, directory: directory.path, settings: settings,
            state: sharedDiskState)
        logThread = DedicatedThread {
            var thread = LogThread(
                host: host, guardian: guardian, settings: settings, logger: logger)
            thread.run()
        }
    }

    /// Whether the disk has room.
    public var diskState: DiskState { sharedDiskState.value }

    // MARK: Looking up

    /// All topics, by name.
    public var topics: [TopicDescription] {
        catalog.withLock { $0.cluster.topics }.map(describe)
    }

    /// The topic of a name.
    public func topic(_ name: String) throws(Fault) -> TopicDescription {
        describe(try find(name))
    }

    /// A partition.
    ///
    /// Cheap; keep the result for a stream rather than asking for each message.
    public func partition(_ topic: String, _ number: Int) throws(Fault) -> Partition {
        let found = catalog.withLock { catalog -> (Partition?, count: Int?, isClosed: Bool) in
            guard let partitions = catalog.partitions[topic] else {
                return (nil, nil, catalog.isClosed)
            }
            let partition = partitions.indices.contains(number) ? partitions[number] : nil
            return (partition, partitions.count, catalog.isClosed)
        }
        if found.isClosed { throw Self.stopping }
        if let partition = found.0 { return partition }
        guard let count = found.count else {
            try TopicName.check(topic)
            throw Fault(.topicNotFound, "there is no topic \(topic)")
        }
        throw Fault(
            .partitionNotFound,
            "\(topic) has partitions 0 to \(count - 1), not \(number)")
    }

    func find(_ name: String) throws(Fault) -> ClusterState.Topic {
        guard let topic = catalog.withLock({ $0.cluster.topic(name) }) else {
            try TopicName.check(name)
            throw Fault(.topicNotFound, "there is no topic \(name)")
        }
        return topic
    }

    func describe(_ topic: ClusterState.Topic) -> TopicDescription {
        let settings = effectiveSettings(of: topic)
        return TopicDescription(
            name: topic.name, id: topic.id.text, partitionCount: topic.partitionCount,
            settings: TopicSettings.names.map { name in
                SettingDescription(
                    name: name, value: settings.value(of: name) ?? "",
                    isSet: topic.overrides.contains { $0.name == name })
            })
    }

    /// The settings that act for a topic.
    ///
    /// Overrides were checked when they were set.
    func effectiveSettings(of topic: ClusterState.Topic) -> TopicSettings {
        do throws(Fault) {
            return try topic.settings(over: settings.topicDefaults)
        } catch {
            logger.error(
                "a topic has a setting that this version does not take; its defaults act",
                metadata: ["topic": "\(topic.name)", "error": "\(error)"])
            return settings.topicDefaults
        }
    }

    static let stopping = Fault(.shuttingDown, "the server is stopping")

    // MARK: Changing the catalog, on the control thread

    func publish(_ cluster: ClusterState, _ change: (inout [String: [Partition]]) -> Void) {
        catalog.withLock { catalog in
            catalog.cluster = cluster
            change(&catalog.partitions)
        }
    }

    func partitions(of topic: String) -> [Partition] {
        catalog.withLock { $0.partitions[topic] ?? [] }
    }

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
    fileprivate func close(because fault: Fault, logger: Logger) {
        do throws(LogError) {
            try log.log.close()
        } catch {
            logger.error(
                "a log was not closed in order; the next start recovers it",
                metadata: ["partition": "\(log.partition.name)", "error": "\(error)"])
        }
        log.publish()
        log.abandon(fault)
    }
}
