// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import CommitLog
public import Disk
public import Faults
public import Logging
internal import RaftCore
internal import Records
internal import Replication
internal import Synchronization

/// Several nodes in one process, whose replicas reach each other through memory.
///
/// ```
///  node 1: log thread, disk ──┐
///  node 2: log thread, disk ──┼── router: messages of memory; a node can be cut off
///  node 3: log thread, disk ──┘
/// ```
///
/// The threads, the logs and the syncs are a server's; only the wire is missing. For benchmarks and
/// tests. Any thread may call.
public final class LocalCluster: Sendable {
    /// What a cluster is made of.
    public struct Settings: Sendable {
        /// A folder for each node, which exists.
        public var directories: [String]
        /// How many groups there are, each with a replica on every node.
        public var groupCount = 1
        /// Whether a record is synced before it is acknowledged.
        public var isSynced = true
        /// Ticks of 50 ms without work after which a group stops its clock; `nil` for never.
        public var quietTicks: Int? = 20

        /// A cluster with a node for each folder.
        public init(directories: [String]) { self.directories = directories }
    }

    private let hosts: [PartitionHost]
    private let threads: [DedicatedThread]
    private let partitions: [[Partition]]
    private let router: Router

    /// Carries messages between log threads.
    private final class Router: Sendable {
        struct State {
            var hosts: [UInt64: PartitionHost] = [:]
            var cut: Set<UInt64> = []
            var messageCount = 0
        }

        let state = Mutex(State())

        func deliver(_ message: NodeMessage) {
            let host = state.withLock { state -> PartitionHost? in
                guard !state.cut.contains(message.from), !state.cut.contains(message.to) else {
                    return nil
                }
                state.messageCount += 1
                return state.hosts[message.to]
            }
            host?.queue.push(.peer(message))
        }
    }

    /// Opens the replicas of all nodes and starts their threads.
    ///
    /// Blocks. Leaders are elected afterwards (``waitForLeaders(within:)``).
    public init(
        _ settings: Settings, on fileSystem: any FileSystem, logger: Logger,
        clock: BrokerClock = .system
    ) throws(Fault) {
        let router = Router()
        self.router = router
        var hosts: [PartitionHost] = []
        var threads: [DedicatedThread] = []
        var partitions: [[Partition]] = []
        var topic = TopicSettings()
        topic.durability = settings.isSynced ? .fsync : .os
        let voters = settings.directories.indices.map { ReplicaID(node: UInt64($0 + 1), life: 1) }
        for (number, directory) in settings.directories.enumerated() {
            var broker = BrokerSettings()
            broker.diskReserveBytes = 0
            let journal: HardStateJournal
            do throws(HardStateError) {
                journal = try HardStateJournal(directory: directory, on: fileSystem)
            } catch {
                throw Fault(.dataDirectoryUnusable, "\(error)")
            }
            let host = PartitionHost(
                settings: broker, clock: clock,
                identity: NodeIdentity(node: UInt64(number + 1), store: 1),
                sendToPeer: { router.deliver($0) })
            var opened: [LogThread.Handover] = []
            for group in 0..<settings.groupCount {
                opened.append(
                    try Self.open(
                        group, in: directory, of: host, voters: voters, journal: journal, topic,
                        quietTicks: settings.quietTicks, on: fileSystem))
            }
            hosts.append(host)
            partitions.append(opened.map(\.log.partition))
            threads.append(
                LogThread.start(
                    host: host, journal: journal,
                    guardian: DiskGuardian(
                        fileSystem: fileSystem, directory: directory, settings: broker,
                        state: SharedDiskState()), settings: broker, logger: logger))
            router.state.withLock { $0.hosts[UInt64(number + 1)] = host }
            for handover in opened { host.adopt(handover) }
        }
        self.hosts = hosts
        self.threads = threads
        self.partitions = partitions
    }

    private static func open(
        _ number: Int, in directory: String, of host: PartitionHost, voters: [ReplicaID],
        journal: HardStateJournal, _ topic: TopicSettings, quietTicks: Int?,
        on fileSystem: any FileSystem
    ) throws(Fault) -> LogThread.Handover {
        let group = GroupID(high: 1, low: UInt64(number), partition: 0)
        let partition = Partition(
            topic: "local", number: number, group: group, host: host, batchSizeMax: 64 << 20,
            onDamagedIndex: { _, _ in })
        let folder = directory + "/\(number)"
        var settings = ReplicaSettings(
            id: host.identity.replica, group: group, bootstrap: Configuration(voters: voters),
            log: topic.logSettings)
        settings.raft.quietTicks = quietTicks
        var random = SystemRandomNumberGenerator()
        do throws(FileError) {
            try fileSystem.createDirectory(folder)
            try fileSystem.syncDirectory(directory)
        } catch {
            throw Fault(error)
        }
        do throws(LogError) {
            let replica = try Replica(
                settings, directory: folder, logGroup: UInt64(number) + 1, on: fileSystem,
                record: journal.record(of: group, life: host.identity.store), now: host.clock.now,
                seed: random.next())
            return LogThread.Handover(
                log: PartitionLog(
                    partition: partition, replica: replica, durability: topic.durability))
        } catch {
            throw Fault(error, of: partition.name)
        }
    }

    /// A replica, as what reads and appends.
    public func partition(node: Int, group: Int = 0) -> Partition { partitions[node][group] }

    /// The node that leads a group and takes appends, if there is one that is not cut off.
    public func leader(of group: Int = 0) -> Int? {
        let cut = router.state.withLock { $0.cut }
        return partitions.indices.first {
            !cut.contains(UInt64($0 + 1)) && partitions[$0][group].isLeading
        }
    }

    /// How many groups nobody leads who could be reached.
    public var leaderlessCount: Int {
        partitions[0].indices.count { leader(of: $0) == nil }
    }

    /// How many messages were carried between nodes.
    public var messageCount: Int { router.state.withLock { $0.messageCount } }

    /// Loses all messages from and to a node, or of none any more.
    public func cut(_ node: Int?) {
        router.state.withLock { $0.cut = node.map { [UInt64($0 + 1)] } ?? [] }
    }

    /// Stops all nodes and closes their logs.
    public func close() async {
        for host in hosts {
            let handovers: [LogThread.Handover]
            do throws(Fault) {
                handovers = try await host.betweenRounds {
                    .success($0.stop(because: Broker.stopping))
                }
            } catch { continue }
            for handover in handovers {
                do throws(Fault) {
                    try await host.syncers.run { () throws(Fault) in
                        handover.close(because: Broker.stopping, logger: Logger(label: "local"))
                    }
                } catch { continue }
            }
        }
        for (host, thread) in zip(hosts, threads) {
            host.queue.close()
            thread.join()
            host.readers.close()
            host.syncers.close()
        }
    }
}
