// SPDX-License-Identifier: Apache-2.0

import Bytes
import CommitLog
import Disk
import Records
import SimulatedDisk
import Testing

/// A replica's log on a disk in memory, and the few calls that tests of it share.
struct ReplicaHarness {
    static let now = Timestamp(milliseconds: 1_000_000)

    let disk: SimulatedFileSystem
    var log: Log

    init(
        disk: SimulatedFileSystem = SimulatedFileSystem(), seed: UInt64 = 1,
        committedHint: LogIndex = .zero, _ change: (inout LogSettings) -> Void = { _ in }
    ) throws {
        self.disk = disk
        try disk.createDirectory(LogHarness.directory)
        var settings = LogSettings()
        settings.commitRule = .byCaller
        settings.isMended = true
        settings.segmentSizeMax = 4096
        settings.indexInterval = 512
        change(&settings)
        log = try Log(
            directory: LogHarness.directory, group: LogHarness.group, on: disk, settings: settings,
            now: Self.now, seed: seed, committedHint: committedHint)
    }

    /// The log as the next life of its process finds it.
    func reopened(
        seed: UInt64 = 99, committedHint: LogIndex = .zero,
        _ change: (inout LogSettings) -> Void = { _ in }
    ) throws -> ReplicaHarness {
        try ReplicaHarness(disk: disk, seed: seed, committedHint: committedHint, change)
    }

    /// Begins a term with a no-op, and appends batches of one record each.
    func lead(_ term: UInt64, _ numbers: Range<Int>, size: Int = 20) throws {
        log.beginTerm(Term(term))
        _ = try log.appendControl(.noOp, payload: [], now: Self.now)
        try append(numbers, size: size)
    }

    /// Appends batches of one record each.
    func append(_ numbers: Range<Int>, size: Int = 20) throws {
        for number in numbers {
            let result = log.append([LogHarness.batch(number, size: size)], now: Self.now)
            if let failure = result.failure { throw failure }
        }
    }

    /// All entries that are there.
    func entries(from first: LogIndex? = nil, bytesMax: Int = 1 << 20) throws -> [LogEntry] {
        let reader = log.entryReader()
        var entries: [LogEntry] = []
        var next = first ?? reader.firstIndex
        while next <= reader.lastIndex {
            let more = try reader.read(from: next, through: reader.lastIndex, bytesMax: bytesMax)
            try #require(!more.isEmpty)
            entries += more
            next = next.advanced(by: more.count)
        }
        return entries
    }

    /// The numbers of the records that readers see.
    func numbers() throws -> [Int] { try LogHarness.numbers(log.snapshot) }

    /// A batch as another leader has stamped it.
    static func entry(
        _ number: Int, term: UInt64, at offset: Int64, count: Int = 1, size: Int = 20
    ) -> LogEntry {
        let batch = LogHarness.batch(number, count: count, size: size)
        BatchHeader.stamp(
            batch.mutableBytes, baseOffset: Offset(offset), leaderEpoch: Int32(term))
        return LogEntry(appended: batch)
    }
}
