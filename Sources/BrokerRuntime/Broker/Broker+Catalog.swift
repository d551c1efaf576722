// SPDX-License-Identifier: Apache-2.0

public import ClusterCore
internal import Disk
public import Faults
internal import Logging
internal import Synchronization

// MARK: Looking up

extension Broker {
    /// All topics, by name, those of the server included.
    public var topics: [TopicDescription] { catalog.withLock { $0.topics } }

    /// The topic of a name.
    public func topic(_ name: String) throws(Fault) -> TopicDescription {
        guard let entry = catalog.withLock({ $0[name] }) else { throw Self.noTopic(name) }
        return entry.description
    }

    /// The topic of an id.
    public func topic(id: TopicID) throws(Fault) -> TopicDescription {
        guard let entry = catalog.withLock({ $0[id] }) else {
            throw Fault(.topicNotFound, "there is no topic with the id \(id.text)")
        }
        return entry.description
    }

    /// A partition.
    ///
    /// Cheap; keep the result for a stream rather than asking for each message.
    public func partition(_ topic: String, _ number: Int) throws(Fault) -> Partition {
        let (entry, isClosed) = catalog.withLock { ($0[topic], $0.isClosed) }
        if isClosed { throw Self.stopping }
        guard let entry else { throw Self.noTopic(topic) }
        return try Self.partition(number, of: entry)
    }

    /// A partition of a topic's id.
    public func partition(id: TopicID, number: Int) throws(Fault) -> Partition {
        let (entry, isClosed) = catalog.withLock { ($0[id], $0.isClosed) }
        if isClosed { throw Self.stopping }
        guard let entry else {
            throw Fault(.topicNotFound, "there is no topic with the id \(id.text)")
        }
        return try Self.partition(number, of: entry)
    }

    /// Where everything is kept.
    public var dataDirectory: String { directory.path }

    /// How many bytes the disk holds, and how many may still be written to it.
    public func space() async throws(Fault) -> (total: UInt64, free: UInt64) {
        let directory = directory
        return try await host.readers.run { () throws(Fault) in
            do throws(FileError) {
                let space = try directory.fileSystem.space(at: directory.path)
                return (space.total, space.free)
            } catch {
                throw Fault(error)
            }
        }
    }

    private static func partition(
        _ number: Int, of entry: Catalog.Entry
    ) throws(Fault) -> Partition {
        guard entry.partitions.indices.contains(number) else {
            throw Fault(
                .partitionNotFound,
                "\(entry.topic.name) has partitions 0 to \(entry.partitions.count - 1), "
                    + "not \(number)")
        }
        return entry.partitions[number]
    }

    private static func noTopic(_ name: String) -> Fault {
        do throws(Fault) {
            try TopicName.check(name)
        } catch {
            return error
        }
        return Fault(.topicNotFound, "there is no topic \(name)")
    }

    func find(_ name: String) throws(Fault) -> Catalog.Entry {
        guard let entry = catalog.withLock({ $0[name] }) else { throw Self.noTopic(name) }
        return entry
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

    func describe(_ topic: ClusterState.Topic) -> TopicDescription {
        let settings = effectiveSettings(of: topic)
        let own = Set(topic.overrides.map(\.name))
        let stated = TopicSettings.facts.map(\.name).filter(own.contains)
        return TopicDescription(
            name: topic.name, topicID: topic.id, partitionCount: topic.partitionCount,
            isInternal: TopicName.isInternal(topic.name),
            settings: (TopicSettings.names + stated).sorted().map { name in
                SettingDescription(
                    name: name, value: settings.value(of: name) ?? "", isSet: own.contains(name))
            })
    }

    // MARK: Changing the catalog, on the control thread

    /// Shows callers a topic as it is now.
    func publish(
        _ topic: ClusterState.Topic, _ partitions: [Partition], in cluster: ClusterState
    ) -> TopicDescription {
        let description = describe(topic)
        catalog.withLock {
            $0.show(
                Catalog.Entry(topic: topic, description: description, partitions: partitions),
                in: cluster)
        }
        return description
    }
}
