// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import GroupCore

/// What topics and this broker are set to, as Kafka names it.
extension RequestHandlers {
    /// The configurations of a topic, by name.
    func entries(of topic: TopicDescription) -> [ConfigEntry] {
        let own = Dictionary(
            topic.settings.filter(\.isSet).map { ($0.name, $0.value) },
            uniquingKeysWith: { first, _ in first })
        let facts = Set(TopicSettings.facts.map(\.name))
        return (TopicSettings.names + facts).sorted().compactMap { name in
            guard let definition = TopicConfigDefinition(name) else { return nil }
            var synonyms = brokerSynonyms(of: name, definition)
            if let value = own[name] {
                synonyms.insert(
                    ConfigEntry.Synonym(name: name, value: value, source: .topic), at: 0)
            }
            guard let acting = synonyms.first else { return nil }
            return ConfigEntry(
                name: name, value: acting.value, source: acting.source, kind: definition.kind,
                isReadOnly: facts.contains(name), documentation: definition.documentation,
                synonyms: synonyms)
        }
    }

    /// What the broker says of a topic's setting: its file, and what it is without one.
    private func brokerSynonyms(
        of name: String, _ definition: TopicConfigDefinition
    ) -> [ConfigEntry.Synonym] {
        guard let value = broker.settings.topicDefaults.value(of: name),
            let original = TopicSettings().value(of: name)
        else { return [] }
        let fallback = ConfigEntry.Synonym(
            name: definition.brokerName, value: original, source: .default)
        guard value != original else { return [fallback] }
        return [
            ConfigEntry.Synonym(
                name: definition.brokerName, value: value, source: .configurationFile), fallback,
        ]
    }

    /// What this broker is set to, by name: each of these acts, or is a fact.
    func brokerEntries(advertised: KafkaSettings.Address) -> [ConfigEntry] {
        let topics = (TopicSettings.names + TopicSettings.facts.map(\.name)).compactMap { name in
            TopicConfigDefinition(name).map { definition in
                (brokerSynonyms(of: name, definition), definition)
            }
        }.compactMap { synonyms, definition in
            synonyms.first.map { acting in
                ConfigEntry(
                    name: acting.name, value: acting.value, source: acting.source,
                    kind: definition.kind, isReadOnly: true,
                    documentation: definition.documentation, synonyms: synonyms)
            }
        }
        return (topics + ownBrokerEntries(advertised)).sorted { $0.name < $1.name }
    }

    private func ownBrokerEntries(_ advertised: KafkaSettings.Address) -> [ConfigEntry] {
        let unset = KafkaSettings()
        let unsetBroker = BrokerSettings()
        let entries = [
            entry("node.id", .int, "\(settings.nodeID)", nil, "The number of this broker."),
            entry("broker.id", .int, "\(settings.nodeID)", nil, "The number of this broker."),
            entry("log.dirs", .list, broker.dataDirectory, nil, "Where all records are kept."),
            entry(
                "advertised.listeners", .list,
                "PLAINTEXT://\(advertised.host):\(advertised.port)", nil,
                "What clients are told to connect to."),
            entry(
                "num.partitions", .int, "\(broker.settings.partitionCountDefault)",
                "\(unsetBroker.partitionCountDefault)",
                "Partitions of a topic whose creator does not say how many."),
            entry(
                "log.retention.check.interval.ms", .long,
                "\(broker.settings.housekeepingMilliseconds)",
                "\(unsetBroker.housekeepingMilliseconds)",
                "Milliseconds between looks at what retention asks for."),
            entry(
                "default.replication.factor", .int, "1", "1", "Replicas of a topic's partitions."),
            entry(
                "delete.topic.enable", .boolean, "true", "true", "Whether topics can be deleted."),
            entry(
                "auto.create.topics.enable", .boolean, "\(settings.autoCreateTopics)",
                "\(unset.autoCreateTopics)",
                "Whether a topic that is asked for, and is not there, is created."),
            entry(
                "socket.request.max.bytes", .int, "\(settings.requestBytesMax)",
                "\(unset.requestBytesMax)", "The largest request, in bytes."),
            entry(
                "fetch.max.bytes", .int, "\(settings.fetchBytesMax)", "\(unset.fetchBytesMax)",
                "The largest answer to a fetch, in bytes, but for a larger first batch."),
            entry(
                "queued.max.request.bytes", .long, "\(settings.serverBytesMax)",
                "\(unset.serverBytesMax)",
                "Bytes of requests under way beyond which no more are read."),
            entry(
                "connections.max.idle.ms", .long, "\(settings.idleMax)", "\(unset.idleMax)",
                "Milliseconds after which a connection without requests is closed."),
            entry(
                "max.connections", .int, "\(settings.connectionsMax)", "\(unset.connectionsMax)",
                "Connections at a time."),
            entry(
                "max.connections.per.ip", .int, "\(settings.connectionsPerAddressMax)",
                "\(unset.connectionsPerAddressMax)", "Connections at a time from one address."),
        ]
        return entries + groupEntries(broker.settings.groups, unset: unsetBroker.groups)
    }

    private func groupEntries(
        _ groups: GroupSettings, unset: GroupSettings
    ) -> [ConfigEntry] {
        [
            entry(
                "group.initial.rebalance.delay.ms", .int, "\(groups.initialRebalanceDelay)",
                "\(unset.initialRebalanceDelay)",
                "Milliseconds that an empty group waits for more members before it shares out."),
            entry(
                "group.max.session.timeout.ms", .int, "\(groups.sessionTimeoutMax)",
                "\(unset.sessionTimeoutMax)",
                "The greatest session timeout that a member may ask for, in milliseconds."),
            entry(
                "group.min.session.timeout.ms", .int, "\(groups.sessionTimeoutMin)",
                "\(unset.sessionTimeoutMin)",
                "The least session timeout that a member may ask for, in milliseconds."),
            entry(
                "group.max.size", .int, "\(groups.membersMax)", "\(unset.membersMax)",
                "The most members of a group."),
            entry(
                "offset.metadata.max.bytes", .int, "\(groups.offsetMetadataSizeMax)",
                "\(unset.offsetMetadataSizeMax)", "The most bytes beside a committed offset."),
        ]
    }

    /// A configuration of the broker alone.
    ///
    /// - Parameter original: What it is without a configuration file; `nil` if there is no such value.
    private func entry(
        _ name: String, _ kind: ConfigEntry.Kind, _ value: String, _ original: String?,
        _ documentation: String
    ) -> ConfigEntry {
        var synonyms: [ConfigEntry.Synonym] = []
        if value != original {
            synonyms.append(
                ConfigEntry.Synonym(name: name, value: value, source: .configurationFile))
        }
        if let original {
            synonyms.append(ConfigEntry.Synonym(name: name, value: original, source: .default))
        }
        return ConfigEntry(
            name: name, value: value, source: synonyms.first?.source ?? .default, kind: kind,
            isReadOnly: true, documentation: documentation, synonyms: synonyms)
    }
}
