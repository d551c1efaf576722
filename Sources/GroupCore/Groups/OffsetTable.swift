// SPDX-License-Identifier: Apache-2.0

internal import Records

/// The committed offsets of a group, by topic and partition.
///
/// In two steps, so that a group of a hundred thousand partitions is not moved for each new one.
struct OffsetTable: Sendable {
    private(set) var topics = SortedMap<String, SortedMap<Int32, CommittedOffset>>()
    private(set) var count = 0
    /// What the records of all offsets take, about, without the group's id.
    private(set) var bytes = 0

    var isEmpty: Bool { count == 0 }

    subscript(partition: TopicPartition) -> CommittedOffset? {
        topics.index(of: partition.topic).flatMap { topics.values[$0][partition.partition] }
    }

    /// Sets or, with `nil`, forgets what is committed of a partition.
    mutating func set(_ partition: TopicPartition, _ committed: CommittedOffset?) {
        guard let committed else { return remove(partition) }
        if !topics.contains(partition.topic) { topics.set(partition.topic, SortedMap()) }
        guard let index = topics.index(of: partition.topic) else { return }
        let former = topics.values[index].set(partition.partition, committed)
        if former == nil { count += 1 }
        bytes += Self.size(partition.topic, committed.metadata)
        bytes -= former.map { Self.size(partition.topic, $0.metadata) } ?? 0
    }

    /// What the record of an offset takes, about, without the group's id.
    static func size(_ topic: String, _ metadata: String) -> Int {
        64 + topic.utf8.count + metadata.utf8.count
    }

    private mutating func remove(_ partition: TopicPartition) {
        guard let index = topics.index(of: partition.topic),
            let former = topics.values[index].remove(partition.partition)
        else { return }
        count -= 1
        bytes -= Self.size(partition.topic, former.metadata)
        if topics.values[index].isEmpty { topics.remove(partition.topic) }
    }

    /// All partitions for which a condition holds, in order.
    func partitions(where holds: (CommittedOffset) -> Bool = { _ in true }) -> [TopicPartition] {
        var found: [TopicPartition] = []
        walk { partition, committed in if holds(committed) { found.append(partition) } }
        return found
    }

    /// Calls with each partition and what is committed of it, in order.
    func walk(_ body: (TopicPartition, CommittedOffset) -> Void) {
        for (topic, rows) in zip(topics.keys, topics.values) {
            for (partition, committed) in zip(rows.keys, rows.values) {
                body(TopicPartition(topic: topic, partition: partition), committed)
            }
        }
    }
}
