// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import CommitLog
import Disk
import Faults
import Logging
import Records
import SimulatedDisk
import Synchronization
import Testing

/// A broker on a disk in memory, and the calls that its tests share.
enum BrokerFixture {
    static func open(
        _ fileSystem: any FileSystem, clock: BrokerClock = .system,
        _ change: (inout BrokerSettings) -> Void = { _ in }
    ) throws -> Broker {
        var settings = BrokerSettings()
        settings.diskReserveBytes = 0
        settings.scrubBytesPerSecond = 0
        change(&settings)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try Broker.open(
            dataDirectory: "/data", fileSystem: fileSystem, settings: settings, logger: logger,
            clock: clock)
    }

    static func record(_ number: Int, size: Int = 0) -> Record {
        let text = Array("value \(number)".utf8)
        return Record(
            value: text + [UInt8](repeating: 0x20, count: max(0, size - text.count)),
            timestamp: Timestamp(milliseconds: 1000 + Int64(number)))
    }

    static func batch(_ numbers: Range<Int>, size: Int = 0) -> BatchBuffer {
        var builder = BatchBuilder()
        for number in numbers { builder.append(record(number, size: size)) }
        return builder.finish()
    }

    /// The numbers of all records from an offset on.
    static func numbers(_ partition: Partition, from start: Int64 = 0) async throws -> [Int] {
        var numbers: [Int] = []
        var offset = Offset(start)
        while offset < partition.highWatermark {
            let batches = try await partition.read(from: offset, bytesMax: 1 << 16)
            guard !batches.isEmpty else { break }
            try batches.forEachBatch { bytes in
                let records = RecordBatch.records(of: bytes)
                var cursor = RecordCursor(records)
                while let view = try cursor.next() {
                    let record = Record(view, in: records, header: BatchHeader(reading: bytes))
                    guard record.offset >= offset else { continue }
                    let words = String(decoding: record.value ?? [], as: UTF8.self)
                        .split(separator: " ")
                    numbers.append(try #require(Int(words[1])))
                }
            }
            offset = batches.nextOffset
        }
        return numbers
    }
}

/// Clocks that a test moves.
final class TestClock: Sendable {
    private let now = Mutex<Int64>(1_700_000_000_000)

    var clock: BrokerClock {
        BrokerClock(
            wall: { Timestamp(milliseconds: self.now.withLock { $0 }) },
            monotonic: { self.now.withLock { $0 } })
    }

    func advance(milliseconds: Int64) { now.withLock { $0 += milliseconds } }
}
