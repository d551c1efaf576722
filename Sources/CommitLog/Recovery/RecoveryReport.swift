// SPDX-License-Identifier: Apache-2.0

public import Records

/// What was found, and done, when a log was opened.
public struct RecoveryReport: Sendable, Equatable {
    /// The log was closed in order, so nothing had to be scanned.
    public var wasClean = false
    /// There was no log; one was made.
    public var isNew = false
    /// Bytes that were scanned.
    public var scannedBytes: UInt64 = 0
    /// Bytes of a torn tail that were cut: never acknowledged under `durability: fsync`.
    public var cutBytes: UInt64 = 0
    /// Segments behind the cut that were removed.
    public var removedSegments: [Offset] = []
    /// Damage of acknowledged records: the log is read-only.
    public var damages: [Damage] = []
    /// Files that are not a log's; left alone.
    public var strayNames: [String] = []
    /// The checkpoint was missing or damaged, so that everything was scanned.
    public var checkpointWasLost = false
    /// Where the log ends.
    public var nextOffset = Offset.zero
}
