// SPDX-License-Identifier: Apache-2.0

public import Faults

/// All facts that the metadata log has established: a pure function of its events.
public struct ClusterState: Sendable, Equatable {
    /// A topic that exists.
    public struct Topic: Sendable, Equatable {
        public var id: TopicID
        public var name: String
        public var partitionCount: Int
        /// Settings that were set for this topic, by name.
        public var overrides: [TopicOverride]

        /// A topic with these values.
        public init(
            id: TopicID, name: String, partitionCount: Int, overrides: [TopicOverride]
        ) {
            self.id = id
            self.name = name
            self.partitionCount = partitionCount
            self.overrides = overrides
        }

        /// The settings that act: the defaults, overridden.
        public func settings(over defaults: TopicSettings) throws(Fault) -> TopicSettings {
            var settings = defaults
            for override in overrides { try settings.set(override.name, to: override.value) }
            return settings
        }
    }

    /// The topics, by name.
    public private(set) var topics: [Topic] = []
    /// The ids of topics that were deleted, ascending: what is left of them may be removed.
    public private(set) var deleted: [TopicID] = []
    /// The first id that no producer can have been given.
    public private(set) var producerIDsEnd: Int64 = 0

    /// No topics.
    public init() {}

    /// The topic of a name.
    public func topic(_ name: String) -> Topic? {
        let place = position(of: name)
        return place < topics.count && topics[place].name == name ? topics[place] : nil
    }

    /// Takes note of an event.
    ///
    /// Events that do not fit the state change nothing: the log's order decides, so of two
    /// creations of one name the first holds.
    public mutating func apply(_ event: ClusterEvent) {
        switch event {
        case .topicCreated(let id, let name, let partitionCount, let settings):
            guard topic(name) == nil else { return }
            topics.insert(
                Topic(
                    id: id, name: name, partitionCount: partitionCount, overrides: settings),
                at: position(of: name))
        case .topicConfigured(let id, let settings):
            guard let place = topics.firstIndex(where: { $0.id == id }) else { return }
            topics[place].overrides = settings
        case .topicDeleted(let id):
            guard let place = topics.firstIndex(where: { $0.id == id }) else { return }
            topics.remove(at: place)
            deleted.append(id)
            deleted.sort()
        case .partitionsAdded(let id, let partitionCount):
            guard let place = topics.firstIndex(where: { $0.id == id }),
                partitionCount > topics[place].partitionCount
            else { return }
            topics[place].partitionCount = partitionCount
        case .producerIDsReserved(let end):
            producerIDsEnd = max(producerIDsEnd, end)
        }
        checkInvariants()
    }

    /// Where a name stands, or would.
    private func position(of name: String) -> Int {
        var low = 0
        var high = topics.count
        while low < high {
            let middle = (low + high) / 2
            if topics[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Checks what must hold after each event.
    public func checkInvariants() {
        assert(
            zip(topics, topics.dropFirst()).allSatisfy { $0.name < $1.name },
            "topics are sorted and their names differ")
        assert(
            topics.allSatisfy { !deleted.contains($0.id) }, "a topic exists or is deleted, not both"
        )
    }
}

extension [TopicOverride] {
    /// These overrides with some set and some taken away, by name.
    ///
    /// - Throws: ``Faults/ErrorCode/unknownSetting``, ``Faults/ErrorCode/invalidSetting``.
    public func changed(
        set: [TopicOverride], reset: [String]
    ) throws(Fault) -> [TopicOverride] {
        var trial = TopicSettings()
        for name in reset where trial.value(of: name) == nil {
            // Says which names there are.
            try trial.set(name, to: "")
        }
        var result = self.filter { !reset.contains($0.name) }
        for override in set {
            try trial.set(override.name, to: override.value)
            result.removeAll { $0.name == override.name }
            result.append(override)
        }
        return result.sorted { $0.name < $1.name }
    }
}
