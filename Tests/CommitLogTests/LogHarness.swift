// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import Records
import SimulatedDisk
import Testing

/// A log on a disk in memory, and the few calls that tests of it share.
struct LogHarness {
    static let directory = "/log"
    static let group: UInt64 = 0x1122_3344_5566_7788

    let disk: SimulatedFileSystem
    var log: Log

    init(
        disk: SimulatedFileSystem = SimulatedFileSystem(), seed: UInt64 = 1,
        now: Int64 = 1_000_000, _ change: (inout LogSettings) -> Void = { _ in }
    ) throws {
        self.disk = disk
        try disk.createDirectory(Self.directory)
        var settings = LogSettings()
        settings.segmentSizeMax = 4096
        settings.indexInterval = 512
        change(&settings)
        log = try Log(
            directory: Self.directory, group: Self.group, on: disk, settings: settings,
            now: Timestamp(milliseconds: now), seed: seed)
    }

    /// A batch of records `first`, `first + 1`, … with those timestamps.
    static func batch(_ first: Int, count: Int = 1, size: Int = 20) -> BatchBuffer {
        var builder = BatchBuilder()
        for number in first..<(first + count) {
            builder.append(
                key: nil, value: value(number, size: size),
                timestamp: Timestamp(milliseconds: Int64(number)))
        }
        return builder.finish()
    }

    static func value(_ number: Int, size: Int = 20) -> [UInt8] {
        let text = Array("record \(number) ".utf8)
        return text + [UInt8](repeating: 0x2e, count: max(0, size - text.count))
    }

    /// Appends batches of one record each, and syncs.
    func append(_ numbers: Range<Int>, size: Int = 20) throws {
        for number in numbers {
            let result = log.append(
                [Self.batch(number, size: size)], now: Timestamp(milliseconds: 1_000_000))
            if let failure = result.failure { throw failure }
        }
        try log.sync()
    }

    /// The numbers of the records that can be read from an offset on.
    func numbers(from offset: Int64? = nil, bytesMax: Int = 1 << 16) throws -> [Int] {
        try Self.numbers(log.snapshot, from: offset, bytesMax: bytesMax)
    }

    static func numbers(
        _ snapshot: LogSnapshot, from start: Int64? = nil, bytesMax: Int = 1 << 16
    ) throws -> [Int] {
        var numbers: [Int] = []
        var offset = start.map { Offset($0) } ?? snapshot.logStartOffset
        while offset < snapshot.highWatermark {
            let batches = try snapshot.read(
                from: offset, bytesMax: bytesMax, verifying: true
            ).batches
            guard !batches.isEmpty else { break }
            try batches.forEachBatch { bytes in
                let header = BatchHeader(reading: bytes)
                var cursor = RecordCursor(RecordBatch.records(of: bytes))
                while let view = try cursor.next() {
                    let record = Record(view, in: RecordBatch.records(of: bytes), header: header)
                    guard record.offset >= offset else { continue }
                    let words = String(decoding: record.value ?? [], as: UTF8.self)
                        .split(separator: " ")
                    let number = try #require(words.count > 1 ? Int(words[1]) : nil)
                    try #require(record.timestamp.rawValue == Int64(number))
                    numbers.append(number)
                }
            }
            offset = batches.nextOffset
        }
        return numbers
    }

    /// The files of the log that end so, by name.
    func files(_ suffix: String) throws -> [String] {
        try disk.list(Self.directory).filter { $0.hasSuffix(suffix) }
            .map { Self.directory + "/" + $0 }
    }

    /// The path of a segment's store.
    static func store(_ base: Int64) -> String {
        let digits = String(base)
        return directory + "/" + String(repeating: "0", count: 20 - digits.count) + digits
            + ".store"
    }
}
