// SPDX-License-Identifier: Apache-2.0

/// What one log is set to.
///
/// All may be changed while the log is open.
public struct LogSettings: Sendable, Equatable {
    /// When readers see a record and its producer is answered.
    public enum CommitRule: Sendable, Equatable {
        /// Once it was synced to the disk.
        case whenSynced
        /// Once it was handed to the operating system.
        case whenWritten
        /// Once the owner says so, with ``Log/commit(upTo:)``: the log is a replica's.
        ///
        /// A log has this rule for as long as it is open, or never.
        case byCaller
    }

    /// When a record counts as committed.
    public var commitRule: CommitRule = .whenSynced
    /// Whether damage of what may be committed is mended with the entries of other replicas.
    ///
    /// The log then goes on beside it, and its owner sees to ``Log/damagedEntries`` from the first
    /// moment on. Otherwise, as where nobody else has a copy, a damaged log takes nothing.
    public var isMended = false
    /// The size at which a new segment is begun, in bytes: 1 KiB to 2 GiB.
    ///
    /// A batch that is larger still goes into a segment of its own.
    public var segmentSizeMax: Int = 128 << 20
    /// The age at which a segment with records is closed, in milliseconds since its creation.
    public var segmentAgeMax: Int64 = 7 * 86_400_000
    /// How long records are kept, in milliseconds by their timestamp; `nil` for ever.
    public var retentionAge: Int64?
    /// How many bytes are kept at least; `nil` for all.
    public var retentionSize: UInt64?
    /// Bytes between index entries: 1 KiB to 1 MiB.
    ///
    /// Smaller finds faster, larger takes less room.
    public var indexInterval: Int = 4096
    /// Synced bytes between checkpoints: what has to be scanned after a crash, at most.
    public var checkpointInterval: UInt64 = 64 << 20
    /// How long an idempotent producer that appends nothing is remembered, in milliseconds.
    ///
    /// Seven days, which is how long Kafka keeps ids of transactions: longer than a client tries.
    public var producerExpiry: Int64 = 7 * 86_400_000
    /// How many idempotent producers are remembered at most: 1 to ``producersLimit``.
    ///
    /// Each takes some 160 bytes of memory once it has appended, and up to 99 on the disk.
    public var producersMax = LogSettings.producersLimit
    /// How many of a producer's last batches are remembered: fewer than five only to see that tests
    /// notice.
    package var producerBatchesMax = ProducerWindow.batchesMax

    /// The default settings.
    public init() {}

    /// The largest that a segment may be set to: positions in an index have 32 bits.
    public static let segmentSizeLimit = 2 << 30

    /// The most idempotent producers that a log remembers: 8 MiB of memory, and a file of 5 MB.
    public static let producersLimit = 50_000

    var producerLimits: ProducerTable.Limits {
        ProducerTable.Limits(
            producersMax: min(max(1, producersMax), Self.producersLimit),
            batchesMax: producerBatchesMax, expiry: producerExpiry)
    }
}
