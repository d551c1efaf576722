// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ClusterCore
internal import CommitLog
internal import Disk
public import Faults
internal import Logging
internal import Records

extension Broker {
    /// The most partitions that a topic may have.
    public static let partitionCountMax = 1024

    /// Creates a topic; returns once its partitions can be written.
    ///
    /// - Parameters:
    ///   - partitionCount: 1 to 1024; the broker's default when `nil`.
    ///   - settings: Those that differ from the broker's defaults.
    ///   - validateOnly: Check everything and create nothing.
    public func createTopic(
        _ name: String, partitionCount: Int?, settings overrides: [String: String],
        validateOnly: Bool = false
    ) async throws(Fault) -> TopicDescription {
        try TopicName.check(name)
        let count = partitionCount ?? settings.partitionCountDefault
        guard (1...Self.partitionCountMax).contains(count) else {
            throw Fault(
                .invalidPartitionCount,
                "a topic has 1 to \(Self.partitionCountMax) partitions, not \(count)")
        }
        let changes = try [TopicOverride]().changed(set: Self.sorted(overrides), reset: [])
        return try await control.run { () throws(Fault) in
            guard self.metadata.log.state.topic(name) == nil else {
                throw Fault(.topicExists, "there is a topic \(name) already")
            }
            var random = SystemRandomNumberGenerator()
            let topic = ClusterState.Topic(
                id: TopicID(high: random.next(), low: random.next()), name: name,
                partitionCount: count, overrides: changes)
            if validateOnly { return self.describe(topic) }
            if let refusal = self.host.refusal { throw refusal }
            try self.carryOutCreation(of: topic)
            return self.describe(topic)
        }
    }

    /// Makes the logs first and the fact last: what a crash leaves in between is nobody's.
    private func carryOutCreation(of topic: ClusterState.Topic) throws(Fault) {
        var opened: [(Partition, LogThread.Handover)] = []
        do throws(Fault) {
            for number in 0..<topic.partitionCount {
                do throws(FileError) {
                    try directory.makePartition(topic.id, number)
                } catch {
                    throw Fault(error)
                }
                opened.append(try openLog(of: topic, number))
            }
            try metadata.log.record(
                .topicCreated(
                    id: topic.id, name: topic.name, partitionCount: topic.partitionCount,
                    settings: topic.overrides))
        } catch {
            for number in 0..<topic.partitionCount { removeFiles(of: topic.id, number) }
            throw error
        }
        publish(metadata.log.state) { $0[topic.name] = opened.map(\.0) }
        for (partition, handover) in opened { adopt(partition, handover) }
    }

    /// Changes settings of a topic.
    ///
    /// - Parameters:
    ///   - set: Settings and their new values.
    ///   - reset: Settings to put back to the broker's defaults.
    public func configureTopic(
        _ name: String, set: [String: String], reset: [String]
    ) async throws(Fault) -> TopicDescription {
        let changes = Self.sorted(set)
        let (topic, partitions) = try await control.run { () throws(Fault) in
            var topic = try self.find(name)
            topic.overrides = try topic.overrides.changed(set: changes, reset: reset)
            try self.metadata.log.record(
                .topicConfigured(id: topic.id, settings: topic.overrides))
            self.publish(self.metadata.log.state) { _ in }
            return (topic, self.partitions(of: name))
        }
        let settings = effectiveSettings(of: topic)
        for partition in partitions {
            partition.setBatchSizeMax(settings.messageBytesMax)
            try await host.betweenRounds { thread in
                thread.configure(partition) { log throws(LogError) in
                    try log.log.configure(settings.logSettings)
                    log.durability = settings.durability
                }
            }
        }
        return describe(topic)
    }

    /// Deletes a topic with its records.
    ///
    /// Readers and writers of it end with ``Faults/ErrorCode/topicNotFound``.
    public func deleteTopic(_ name: String) async throws(Fault) {
        let (topic, partitions) = try await control.run { () throws(Fault) in
            let topic = try self.find(name)
            let partitions = self.partitions(of: name)
            try self.metadata.log.record(.topicDeleted(id: topic.id))
            self.publish(self.metadata.log.state) { $0[name] = nil }
            return (topic, partitions)
        }
        let fault = Fault(.topicNotFound, "the topic \(name) was deleted")
        for partition in partitions {
            try await host.betweenRounds { thread in
                thread.release(partition, because: fault)
                return .success(())
            }
        }
        for number in 0..<topic.partitionCount {
            host.syncers.submit { self.removeFiles(of: topic.id, number) }
        }
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
        for topic in state.topics {
            var partitions: [Partition] = []
            for number in 0..<topic.partitionCount {
                do throws(Fault) {
                    let (partition, handover) = try openLog(of: topic, number)
                    partitions.append(partition)
                    adopt(partition, handover)
                } catch {
                    partitions.append(unavailable(topic, number, error))
                }
            }
            publish(state) { $0[topic.name] = partitions }
        }
    }

    /// Opens one log.
    private func openLog(
        of topic: ClusterState.Topic, _ number: Int
    ) throws(Fault) -> (Partition, LogThread.Handover) {
        let settings = effectiveSettings(of: topic)
        let partition = makePartition(topic, number)
        var random = SystemRandomNumberGenerator()
        do throws(LogError) {
            let log = try Log(
                directory: directory.partition(topic.id, number),
                group: topic.id.groupHash(partition: number), on: directory.fileSystem,
                settings: settings.logSettings, now: host.clock.now, seed: random.next())
            report(log.recovery, of: partition)
            return (
                partition,
                LogThread.Handover(
                    log: PartitionLog(
                        partition: partition, log: log, durability: settings.durability))
            )
        } catch {
            throw Fault(error, of: partition.name)
        }
    }

    private func makePartition(_ topic: ClusterState.Topic, _ number: Int) -> Partition {
        Partition(
            topic: topic.name, number: number, host: host,
            batchSizeMax: effectiveSettings(of: topic).messageBytesMax,
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

    /// Hands a log to the log thread.
    ///
    /// The snapshot is there before anybody can look.
    private func adopt(_ partition: Partition, _ handover: LogThread.Handover) {
        handover.log.publish()
        host.queue.push(.run { $0.adopt(handover) })
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
