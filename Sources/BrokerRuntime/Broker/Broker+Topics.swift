// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import ClusterCore
internal import CommitLog
internal import Disk
public import Faults
internal import Logging
internal import Records
internal import Replication
internal import Synchronization

extension Broker {
    /// The most partitions that a topic may have.
    public static let partitionCountMax = 1024

    /// Creates a topic; returns once its partitions can be written.
    ///
    /// - Parameters:
    ///   - partitionCount: 1 to 1024; the broker's default when `nil`.
    ///   - settings: Those that differ from the broker's defaults.
    ///   - validateOnly: Check everything and create nothing.
    ///   - isInternal: The server makes the topic for itself, under a name that users cannot give:
    ///     one that begins with ``ClusterCore/TopicName/internalPrefix``.
    public func createTopic(
        _ name: String, partitionCount: Int?, settings overrides: [String: String],
        validateOnly: Bool = false, isInternal: Bool = false
    ) async throws(Fault) -> TopicDescription {
        try TopicName.check(name)
        guard TopicName.isInternal(name) == isInternal else {
            throw Fault(
                .invalidTopicName,
                "names that begin with \(TopicName.internalPrefix) are those of the server's own "
                    + "topics, and \(name) was to be \(isInternal ? "one" : "a user's")")
        }
        let count = partitionCount ?? settings.partitionCountDefault
        try Self.check(partitionCount: count)
        let changes = try [TopicOverride]().changed(set: Self.sorted(overrides), reset: [])
        try check(changes)
        // Most who come here twice need not wait for the control thread.
        guard catalog.withLock({ $0[name] }) == nil else { throw Self.exists(name) }
        return try await control.run { () throws(Fault) in
            guard self.metadata.log.state.topic(name) == nil else { throw Self.exists(name) }
            var random = SystemRandomNumberGenerator()
            let topic = ClusterState.Topic(
                id: TopicID(high: random.next(), low: random.next()), name: name,
                partitionCount: count, overrides: changes)
            if validateOnly { return self.describe(topic) }
            return try self.carryOutGrowth(
                of: topic, from: 0, keeping: [],
                as: .topicCreated(
                    id: topic.id, name: name, partitionCount: count, settings: changes))
        }
    }

    /// Gives a topic more partitions; returns once they can be written.
    ///
    /// Records with keys that were written before stay where they are.
    ///
    /// - Parameters:
    ///   - count: How many there are to be in all, up to 1024.
    ///   - validateOnly: Check everything and change nothing.
    public func createPartitions(
        _ name: String, count: Int, validateOnly: Bool = false
    ) async throws(Fault) -> TopicDescription {
        try Self.check(partitionCount: count)
        return try await control.run { () throws(Fault) in
            let entry = try self.findForChange(name)
            var topic = entry.topic
            let before = topic.partitionCount
            guard count > before else {
                throw Fault(
                    .invalidPartitionCount,
                    "\(name) has \(before) partitions, and \(count) is not more")
            }
            topic.partitionCount = count
            if validateOnly { return self.describe(topic) }
            return try self.carryOutGrowth(
                of: topic, from: before, keeping: entry.partitions,
                as: .partitionsAdded(id: topic.id, partitionCount: count))
        }
    }

    /// Makes the logs first and the fact last: what a crash leaves in between is nobody's.
    private func carryOutGrowth(
        of topic: ClusterState.Topic, from first: Int, keeping partitions: [Partition],
        as event: ClusterEvent
    ) throws(Fault) -> TopicDescription {
        if let refusal = host.refusal { throw refusal }
        let numbers = first..<topic.partitionCount
        var opened: [Opened] = []
        do throws(Fault) {
            for number in numbers {
                // An attempt that a crash ended may have left a log here.
                if first > 0 { removeFiles(of: topic.id, number) }
                do throws(FileError) {
                    try directory.makePartition(topic.id, number)
                } catch {
                    throw Fault(error)
                }
                opened.append(try openLog(of: topic, number))
            }
        } catch {
            for number in numbers { removeFiles(of: topic.id, number) }
            throw error
        }
        do throws(Fault) {
            try metadata.log.record(event)
        } catch {
            // After any other failure the fact may be on the disk, and the logs with it.
            if error.code == .diskFull {
                for number in numbers { removeFiles(of: topic.id, number) }
            }
            throw error
        }
        // Who finds a partition can read and write it at once.
        adopt(opened)
        return publish(topic, partitions + opened.map(\.partition), in: metadata.log.state)
    }

    /// Changes settings of a topic.
    ///
    /// - Parameters:
    ///   - set: Settings and their new values.
    ///   - reset: Settings to put back to the broker's defaults.
    ///   - replacesAll: Whether all others are put back to the broker's defaults as well.
    ///   - validateOnly: Check everything and change nothing.
    public func configureTopic(
        _ name: String, set: [String: String], reset: [String], replacesAll: Bool = false,
        validateOnly: Bool = false
    ) async throws(Fault) -> TopicDescription {
        let changes = Self.sorted(set)
        try check(changes)
        let (description, partitions) = try await control.run { () throws(Fault) in
            let entry = try self.findForChange(name)
            var topic = entry.topic
            let kept = replacesAll ? [] : topic.overrides
            topic.overrides = try kept.changed(set: changes, reset: reset)
            if validateOnly || topic == entry.topic {
                return (self.describe(topic), [Partition]())
            }
            try self.metadata.log.record(
                .topicConfigured(id: topic.id, settings: topic.overrides))
            let description = self.publish(topic, entry.partitions, in: self.metadata.log.state)
            return (description, entry.partitions)
        }
        for partition in partitions {
            try await host.betweenRounds { thread in
                // Of two changes the later is seen by whoever comes last.
                guard let topic = self.catalog.withLock({ $0[description.topicID] })?.topic else {
                    return .success(())
                }
                let settings = self.effectiveSettings(of: topic)
                partition.setBatchSizeMax(settings.messageBytesMax)
                return thread.configure(partition, settings.logSettings, settings.durability)
            }
        }
        return description
    }

    /// Deletes a topic with its records.
    ///
    /// Readers and writers of it end with ``Faults/ErrorCode/topicNotFound``.
    ///
    /// - Parameter id: The identity that the topic must have, if that matters.
    public func deleteTopic(_ name: String, id: TopicID? = nil) async throws(Fault) {
        let entry = try await control.run { () throws(Fault) in
            let entry = try self.findForChange(name)
            if let id, entry.topic.id != id {
                throw Fault(.topicNotFound, "there is no topic \(name) with the id \(id.text)")
            }
            try self.metadata.log.record(.topicDeleted(id: entry.topic.id))
            let cluster = self.metadata.log.state
            self.catalog.withLock { $0.remove(entry.topic, in: cluster) }
            return entry
        }
        groups.topicDeleted(entry.topic.id.number)
        let fault = Fault(.topicNotFound, "the topic \(name) was deleted")
        for partition in entry.partitions {
            try await host.betweenRounds { thread in
                thread.release(partition, because: fault)
                return .success(())
            }
        }
        for number in 0..<entry.topic.partitionCount {
            host.syncers.submit { self.removeFiles(of: entry.topic.id, number) }
        }
    }

    /// An id that no producer was given before, nor will be again.
    ///
    /// Blocks of ids are made durable before the first of one is handed out; what is left of a block
    /// when the server stops is not used.
    public func allocateProducerID() async throws(Fault) -> Int64 {
        try await control.run { () throws(Fault) in try self.metadata.log.allocateProducerID() }
    }

    // MARK: Checks

    private static func check(partitionCount: Int) throws(Fault) {
        guard (1...partitionCountMax).contains(partitionCount) else {
            throw Fault(
                .invalidPartitionCount,
                "a topic has 1 to \(partitionCountMax) partitions, not \(partitionCount)")
        }
    }

    /// Refuses what the settings of this server do not allow.
    private func check(_ overrides: [TopicOverride]) throws(Fault) {
        for override in overrides where override.name == "max.message.bytes" {
            guard let bytes = Int(override.value), bytes > settings.messageBytesLimit else {
                continue
            }
            throw Fault(
                .invalidSetting,
                "max.message.bytes can be at most \(settings.messageBytesLimit), the largest "
                    + "record that this server is set to take, not \(bytes)")
        }
    }

    /// A topic that users may change, as it is now; on the control thread.
    private func findForChange(_ name: String) throws(Fault) -> Catalog.Entry {
        let entry = try find(name)
        guard !entry.description.isInternal else {
            throw Fault(
                .invalidTopicName, "\(name) is the server's own topic, which only it changes")
        }
        return entry
    }

    private static func exists(_ name: String) -> Fault {
        Fault(.topicExists, "there is a topic \(name) already")
    }

    private func removeFiles(of id: TopicID, _ number: Int) {
        do throws(FileError) {
            try directory.removePartition(id, number)
        } catch  where error.reason == .notFound {
            // It was not made yet, or is gone already.
        } catch {
            logger.warning(
                "cannot remove the files of a deleted topic; the next start tries again",
                metadata: ["topic_id": "\(id.text)", "error": "\(error)"])
        }
    }

    private static func sorted(_ settings: [String: String]) -> [TopicOverride] {
        settings.map { TopicOverride(name: $0.key, value: $0.value) }
            .sorted { $0.name < $1.name }
    }
}

// MARK: - Opening

extension Broker {
    /// Opens the logs of all topics, and removes what is left of deleted ones.
    func openPartitions(_ state: ClusterState) throws(Fault) {
        let folders = try directory.partitions()
        for stray in folders.strays {
            logger.warning("a stray file in the data directory", metadata: ["name": "\(stray)"])
        }
        for (id, number) in folders.known where !state.topics.contains(where: { $0.id == id }) {
            if state.deleted.contains(id) {
                removeFiles(of: id, number)
            } else {
                logger.warning(
                    "a partition of no topic is left alone",
                    metadata: ["folder": "\(directory.partition(id, number))"])
            }
        }
        var opened: [Opened] = []
        var all: [[Partition]] = []
        for topic in state.topics {
            var partitions: [Partition] = []
            for number in 0..<topic.partitionCount {
                do throws(Fault) {
                    let log = try openLog(of: topic, number)
                    partitions.append(log.partition)
                    opened.append(log)
                } catch {
                    partitions.append(unavailable(topic, number, error))
                }
            }
            all.append(partitions)
        }
        // All of them are elected together: a few syncs, however many there are.
        adopt(opened)
        for (topic, partitions) in zip(state.topics, all) {
            _ = publish(topic, partitions, in: state)
        }
    }

    /// A replica that was opened and leads nothing yet.
    private struct Opened {
        let partition: Partition
        let handover: LogThread.Handover
        let settled: Settling
    }

    /// Opens one log.
    private func openLog(
        of topic: ClusterState.Topic, _ number: Int
    ) throws(Fault) -> Opened {
        let settings = effectiveSettings(of: topic)
        let partition = makePartition(topic, number)
        var random = SystemRandomNumberGenerator()
        do throws(LogError) {
            let replica = try host.openReplica(
                of: partition, directory: directory.partition(topic.id, number),
                logGroup: topic.id.groupHash(partition: number), on: directory.fileSystem,
                settings: settings.logSettings, seed: random.next())
            report(replica.log.recovery, of: partition)
            let settled = Settling()
            return Opened(
                partition: partition,
                handover: LogThread.Handover(
                    log: PartitionLog(
                        partition: partition, replica: replica, durability: settings.durability,
                        whenSettled: { settled.end() })),
                settled: settled)
        } catch {
            throw Fault(error, of: partition.name)
        }
    }

    private func makePartition(_ topic: ClusterState.Topic, _ number: Int) -> Partition {
        Partition(
            topic: topic.name, number: number,
            group: GroupID(
                high: topic.id.high, low: topic.id.low,
                partition: UInt32(truncatingIfNeeded: number)),
            host: host, batchSizeMax: effectiveSettings(of: topic).messageBytesMax,
            onDamagedIndex: { partition, segment in
                partition.host.queue.push(
                    .run { $0.rebuildIndex(of: partition, segment: segment) })
            })
    }

    /// A partition whose log cannot be opened: it says why to all who call.
    private func unavailable(
        _ topic: ClusterState.Topic, _ number: Int, _ fault: Fault
    ) -> Partition {
        let partition = makePartition(topic, number)
        logger.critical(
            "a partition cannot be opened",
            metadata: [
                "partition": "\(partition.name)", "error": "\(fault.message)",
                "err_code": "\(fault.code.text)",
            ])
        partition.withdraw(fault, state: .failed)
        return partition
    }

    /// Hands logs to the log thread, and waits until each leads its group and shows what is committed.
    private func adopt(_ opened: [Opened]) {
        for log in opened { host.adopt(log.handover) }
        for log in opened { log.settled.wait() }
    }

    private func report(_ recovery: RecoveryReport, of partition: Partition) {
        let name: Logger.MetadataValue = "\(partition.name)"
        if recovery.cutBytes > 0 {
            logger.notice(
                "cut a torn tail that was never acknowledged under durability fsync",
                metadata: ["partition": name, "bytes": "\(recovery.cutBytes)"])
        }
        for stray in recovery.strayNames {
            logger.warning("a stray file", metadata: ["partition": name, "name": "\(stray)"])
        }
        if recovery.checkpointWasLost, !recovery.isNew {
            logger.warning(
                "the checkpoint was lost; all of the log was scanned", metadata: ["partition": name]
            )
        }
        for damage in recovery.damages {
            logger.critical(
                "damaged: the partition takes no records until it is repaired",
                metadata: [
                    "partition": name, "damage": "\(damage)",
                    "err_code": "\(ErrorCode.dataLoss.text)",
                ])
        }
    }
}
