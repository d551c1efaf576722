// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Disk
internal import RaftCore
internal import Records
internal import Replication

extension PartitionHost {
    /// Opens the replica that this store has of a partition: for now all of its group.
    func openReplica(
        of partition: Partition, directory: String, logGroup: UInt64,
        on fileSystem: any FileSystem, settings: LogSettings, seed: UInt64
    ) throws(LogError) -> Replica {
        var replica = ReplicaSettings(
            id: identity.replica, group: partition.group,
            bootstrap: Configuration(voters: [identity.replica]), log: settings)
        // Nobody else waits for this clock, so it need not run.
        replica.raft.quietTicks = 1
        return try Replica(
            replica, directory: directory, logGroup: logGroup, on: fileSystem,
            record: records[partition.group], now: clock.now, seed: seed)
    }

    /// Hands a log to the log thread; the snapshot is there before anybody can look.
    func adopt(_ handover: LogThread.Handover) {
        handover.log.publish()
        let isTaken = queue.push(.run { $0.adopt(handover) })
        if !isTaken { handover.log.abandon(Broker.stopping) }
    }
}

/// The wait of an opener until a replica leads its group.
final class Settling: Sendable {
    private let queue = BlockingQueue<Void>()

    /// Ends the wait.
    func end() { queue.close() }

    /// Returns once the replica leads, or never will.
    ///
    /// Blocks.
    func wait() { _ = queue.takeOne() }
}
