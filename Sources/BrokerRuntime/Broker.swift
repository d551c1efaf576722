// SPDX-License-Identifier: Apache-2.0

public import CommitLog
public import Disk
public import Faults
public import Logging
public import Records

/// Everything that a node stores: its topics, their partitions and the threads that write them.
public final class Broker: Sendable {
    /// The node's name.
    public var nodeID: String { fatalError("contract") }
    /// The identity of the data directory, 32 hexadecimal digits, made once.
    public var storeID: String { fatalError("contract") }

    /// Opens a data directory, making it if need be. Blocks while logs are recovered.
    public static func open(
        dataDirectory: String, fileSystem: any FileSystem, settings: BrokerSettings, logger: Logger
    ) throws(Fault) -> Broker { fatalError("contract") }

    /// Refuses new work, finishes what is queued, makes everything durable and closes the files.
    public func close() async { fatalError("contract") }

    /// All topics, by name.
    public var topics: [TopicDescription] { fatalError("contract") }

    /// Creates a topic; returns once its partitions can be written.
    public func createTopic(
        _ name: String, partitionCount: Int?, settings: [String: String], validateOnly: Bool = false
    ) async throws(Fault) -> TopicDescription { fatalError("contract") }

    /// The topic of a name.
    public func topic(_ name: String) throws(Fault) -> TopicDescription { fatalError("contract") }

    /// Changes settings of a topic.
    public func configureTopic(
        _ name: String, set: [String: String], reset: [String]
    ) async throws(Fault) -> TopicDescription { fatalError("contract") }

    /// Deletes a topic with its records.
    public func deleteTopic(_ name: String) async throws(Fault) { fatalError("contract") }

    /// A partition. Cheap; keep the result for a stream rather than asking for each message.
    public func partition(_ topic: String, _ number: Int) throws(Fault) -> Partition {
        fatalError("contract")
    }

    /// Whether the disk has room.
    public var diskState: DiskState { fatalError("contract") }
}

/// How full the disk is.
public enum DiskState: Sendable, Equatable {
    case ok
    case low(free: UInt64)
    /// Writes are refused with ``Faults/ErrorCode/diskFull``.
    case critical(free: UInt64)
}

/// A topic as users see it.
public struct TopicDescription: Sendable, Equatable {
    public var name: String
    /// 32 hexadecimal digits.
    public var id: String
    public var partitionCount: Int
    /// All settings by name, defaults included.
    public var settings: [SettingDescription]
}

/// A setting as users see it.
public struct SettingDescription: Sendable, Equatable {
    public var name: String
    public var value: String
    public var isSet: Bool
}

/// A partition as users see it.
public struct PartitionDescription: Sendable, Equatable {
    public var number: Int
    public var logStartOffset: Offset
    public var highWatermark: Offset
    public var sizeBytes: UInt64
    public var segmentCount: Int
    /// `online`, `read-only` or `failed`.
    public var state: String
    public var damaged: [Range<Int64>]
}

/// What an append did.
public struct Appended: Sendable, Equatable {
    public var baseOffset: Offset
    public var recordCount: Int
    /// The term under which the batch was appended.
    public var term: Term
    public var appendTime: Timestamp
}

/// Where to look in a partition.
public enum OffsetQuery: Sendable, Equatable {
    case earliest
    case latest
    case offset(Offset)
    /// The first record at or after a time.
    case timestamp(Timestamp)
    /// So many records before the end.
    case last(Int64)
}

/// An offset that was found.
public struct FoundOffset: Sendable, Equatable {
    public var offset: Offset
    public var timestamp: Timestamp?
    public var logStartOffset: Offset
    public var highWatermark: Offset
}

/// One partition of a topic on this node.
public final class Partition: Sendable {
    public var topic: String { fatalError("contract") }
    public var number: Int { fatalError("contract") }
    /// The first offset that is still there.
    public var logStartOffset: Offset { fatalError("contract") }
    /// The offset behind the last committed record: what readers may see.
    public var highWatermark: Offset { fatalError("contract") }
    /// The most bytes that a batch may have.
    public var batchSizeMax: Int { fatalError("contract") }

    /// Checks a batch on the calling thread and queues it; the completion runs on a storage thread
    /// once the batch is as durable as the topic says. Batches of one caller keep their order.
    public func append(
        _ batch: BatchBuffer,
        completion: @escaping @Sendable (Result<Appended, Fault>) -> Void
    ) { fatalError("contract") }

    /// Appends a batch and waits until it is as durable as the topic says.
    public func append(_ batch: BatchBuffer) async throws(Fault) -> Appended {
        fatalError("contract")
    }

    /// Queues a record; records of all callers share batches, writes and syncs. Never blocks.
    /// Throws ``ErrorCode/overloaded`` when the queue is full, and for a record over the limit.
    public func append(_ record: Record) throws(Fault) -> PendingRecord { fatalError("contract") }

    /// Waits until there is room in the partition's queue again.
    public func waitForRoom() async throws(Fault) { fatalError("contract") }

    /// Reads whole batches from the one that holds `offset` on, up to the high watermark.
    ///
    /// - Parameter bytesMax: About how much; the first batch comes whole even if it is larger.
    /// - Returns: Nothing if `offset` is the high watermark.
    /// - Throws: ``ErrorCode/offsetOutOfRange`` outside of the log.
    public func read(from offset: Offset, bytesMax: Int) async throws(Fault) -> FetchedBatches {
        fatalError("contract")
    }

    /// Returns once the high watermark is beyond `offset`; without polling.
    /// Throws ``ErrorCode/cancelled`` when the task is cancelled, ``ErrorCode/shuttingDown`` and
    /// ``ErrorCode/topicNotFound`` when the partition goes away.
    public func waitForRecords(beyond offset: Offset) async throws(Fault) { fatalError("contract") }

    /// Finds an offset.
    public func find(_ query: OffsetQuery) async throws(Fault) -> FoundOffset {
        fatalError("contract")
    }

    /// Moves the log start offset up; `nil` for the high watermark.
    public func deleteRecords(before offset: Offset?) async throws(Fault) -> Offset {
        fatalError("contract")
    }

    /// Bounds, size and state.
    public func describe() async -> PartitionDescription { fatalError("contract") }
}

/// A record on its way: its batch is shared with others.
public struct PendingRecord: Sendable {
    /// Waits for the record's offset, until it is as durable as the topic says.
    public var offset: Offset {
        get async throws(Fault) { fatalError("contract") }
    }
    /// The offset if it is known already, without waiting.
    public var completed: Result<Appended, Fault>? { fatalError("contract") }
    /// The record's place in its batch: its offset is the batch's base offset and this.
    public var offsetDelta: Int { fatalError("contract") }
}

/// What a broker is set to.
public struct BrokerSettings: Sendable, Equatable {
    public var nodeID: String = "cordwood-1"
    /// Settings of topics that do not say otherwise.
    public var topicDefaults: TopicSettings = .init()
    /// Partitions of a topic that does not say how many.
    public var partitionCountDefault: Int = 1
    /// Free bytes under which a warning is logged.
    public var diskLowBytes: UInt64 = 1 << 30
    /// Free bytes under which appends are refused.
    public var diskCriticalBytes: UInt64 = 256 << 20
    /// Bytes of a file that is kept to be given up when the disk is full.
    public var diskReserveBytes: UInt64 = 16 << 20
    /// Bytes that may wait in one partition's queue.
    public var queueBytesMax: Int = 32 << 20
    /// Whether a read checks each batch against its checksum.
    public var verifyReads: Bool = true
    public init() {}
}

/// A topic's settings, with Kafka's names where Kafka has them.
public struct TopicSettings: Sendable, Equatable {
    public enum Durability: Sendable, Equatable {
        case fsync
        case interval(milliseconds: Int)
        case os
    }
    public var durability: Durability = .fsync        // "durability": fsync | interval(1000) | os
    public var segmentBytes: Int = 128 << 20           // "segment.bytes"
    public var segmentMilliseconds: Int64 = 7 * 86_400_000  // "segment.ms"
    public var retentionMilliseconds: Int64 = -1       // "retention.ms", -1 for ever
    public var retentionBytes: Int64 = -1              // "retention.bytes", -1 for unlimited
    public var messageBytesMax: Int = 1 << 20          // "max.message.bytes"
    public init() {}
}
