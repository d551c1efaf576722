// SPDX-License-Identifier: Apache-2.0

internal import KafkaProtocol

/// The partitions that a client fetches again and again, so that a request names only changes and an
/// answer only what is new (KIP-227).
///
/// A session belongs to the connection that began it, which bounds how many there are: a client that
/// comes back over another connection is told that its session is gone, and begins anew.
struct FetchSession {
    /// What a client wants of a partition.
    struct Item: Sendable, Equatable {
        /// Empty in versions that name topics by id.
        var topic: String
        var topicID: KafkaUUID
        var partition: Int32
        var offset: Int64
        var leaderEpoch: Int32
        var bytesMax: Int

        func isSamePartition(as other: Item) -> Bool {
            partition == other.partition && topicID == other.topicID && topic == other.topic
        }
    }

    /// An item, and what was last said of it.
    struct Entry: Sendable {
        var item: Item
        var saidHighWatermark: Int64 = -1
        var saidLogStart: Int64 = -1
    }

    /// The most partitions of a session.
    static let entriesMax = 10_000

    let id: Int32
    /// What the next request has to carry.
    private(set) var epoch: Int32 = 1
    /// In the order in which they are served: those that were served last come last.
    private(set) var entries: [Entry]

    /// A session that begins with these.
    init(id: Int32, items: [Item]) {
        self.id = id
        entries = items.map { Entry(item: $0) }
    }

    /// Counts a request of the session; from the highest epoch it goes on with 1.
    mutating func countRequest() { epoch = epoch == Int32.max ? 1 : epoch + 1 }

    /// Takes over changed and new items, and drops those that are no longer wanted.
    ///
    /// - Returns: Whether the session can hold them all.
    mutating func change(_ changed: [Item], forgetting forgotten: [Item]) -> Bool {
        if !forgotten.isEmpty {
            let gone = Set(forgotten.map(Key.init))
            entries.removeAll { gone.contains(Key($0.item)) }
        }
        guard !changed.isEmpty else { return true }
        var places: [Key: Int] = [:]
        for (place, entry) in entries.enumerated() { places[Key(entry.item)] = place }
        for item in changed {
            if let place = places[Key(item)] {
                entries[place].item = item
            } else {
                guard entries.count < Self.entriesMax else { return false }
                places[Key(item)] = entries.count
                entries.append(Entry(item: item))
            }
        }
        return true
    }

    /// Takes note of what was said, and puts those that got records behind the others.
    mutating func note(
        _ said: [(place: Int, highWatermark: Int64, logStart: Int64, hasRecords: Bool)]
    ) {
        var served = Set<Int>()
        for row in said {
            entries[row.place].saidHighWatermark = row.highWatermark
            entries[row.place].saidLogStart = row.logStart
            if row.hasRecords { served.insert(row.place) }
        }
        guard !served.isEmpty, served.count < entries.count else { return }
        let numbered = entries.enumerated()
        entries =
            numbered.filter { !served.contains($0.offset) }.map(\.element)
            + numbered.filter { served.contains($0.offset) }.map(\.element)
    }

    private struct Key: Hashable {
        var topic: String
        var topicID: KafkaUUID
        var partition: Int32

        init(_ item: Item) {
            topic = item.topic
            topicID = item.topicID
            partition = item.partition
        }
    }
}
