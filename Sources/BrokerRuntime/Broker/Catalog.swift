// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore

/// What callers look up: the topics of the metadata log, with their partitions.
///
/// Changed by the control thread, read by all: a few words behind a mutex.
struct Catalog {
    /// A topic, and what is asked of it often.
    struct Entry {
        var topic: ClusterState.Topic
        var description: TopicDescription
        /// By number.
        var partitions: [Partition]
    }

    private(set) var cluster: ClusterState
    private var entries: [String: Entry] = [:]
    private var names: [TopicID: String] = [:]
    var isClosed = false

    init(cluster: ClusterState) {
        self.cluster = cluster
    }

    /// All topics, by name.
    var topics: [TopicDescription] { cluster.topics.compactMap { entries[$0.name]?.description } }

    subscript(_ name: String) -> Entry? { entries[name] }

    subscript(_ id: TopicID) -> Entry? { names[id].flatMap { entries[$0] } }

    /// Shows a topic that is new, or has changed.
    mutating func show(_ entry: Entry, in cluster: ClusterState) {
        self.cluster = cluster
        entries[entry.topic.name] = entry
        names[entry.topic.id] = entry.topic.name
    }

    /// Shows a topic no more.
    mutating func remove(_ topic: ClusterState.Topic, in cluster: ClusterState) {
        self.cluster = cluster
        entries[topic.name] = nil
        names[topic.id] = nil
    }
}
