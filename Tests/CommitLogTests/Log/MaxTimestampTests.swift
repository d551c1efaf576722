// SPDX-License-Identifier: Apache-2.0

import Bytes
import CommitLog
import Records
import SimulatedDisk
import Testing

@Suite("The record with the highest timestamp")
struct MaxTimestampTests {
    private let now = Timestamp(milliseconds: 1_000_000)

    /// Appends batches of records with these timestamps, and syncs.
    private func append(_ batches: [[Int64]], to harness: LogHarness) throws {
        for times in batches {
            var builder = BatchBuilder()
            for time in times {
                builder.append(
                    key: nil, value: [UInt8](repeating: 1, count: 30),
                    timestamp: Timestamp(milliseconds: time))
            }
            #expect(harness.log.append([builder.finish()], now: now).failure == nil)
        }
        try harness.log.sync()
    }

    private func find(_ harness: LogHarness) throws -> (offset: Int64, time: Int64)? {
        try harness.log.snapshot.recordWithMaxTimestamp(inflatedSizeMax: 1 << 20)
            .map { ($0.offset.rawValue, $0.timestamp.rawValue) }
    }

    @Test("is none in an empty log")
    func empty() throws {
        #expect(try LogHarness().log.snapshot.recordWithMaxTimestamp(inflatedSizeMax: 1) == nil)
    }

    @Test("is the first of those that have it, inside of its batch")
    func first() throws {
        let harness = try LogHarness()
        try append([[5, 3], [1, 9, 9, 2], [9], [4]], to: harness)
        let found = try #require(try find(harness))
        #expect(found == (3, 9))
    }

    @Test("is the one that reading all records finds, however times jump", arguments: 1...40)
    func like(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let harness = try LogHarness()
        var times: [Int64] = []
        for _ in 0..<Int.random(in: 1...120, using: &random) {
            let spread = Int64.random(in: 0...40, using: &random)
            let batch = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                Int64.random(in: 0...spread, using: &random)
            }
            times += batch
            try append([batch], to: harness)
        }
        for start in [0, times.count / 3, times.count - 1] {
            try harness.log.deleteRecords(before: Offset(Int64(start)))
            let found = try #require(try find(harness))
            let best = try #require(times[start...].max())
            #expect(found.time == best, "from \(start)")
            #expect(found.offset == Int64(try #require(times[start...].firstIndex(of: best))))
        }
    }

    @Test("is not one that is not committed")
    func uncommitted() throws {
        let harness = try LogHarness()
        try append([[1], [7], [3]], to: harness)
        _ = harness.log.append([LogHarness.batch(50)], now: now)
        let found = try #require(try find(harness))
        #expect(found == (1, 7))
    }

    @Test("is not one that was deleted, in the middle of its batch or before it")
    func deleted() throws {
        let harness = try LogHarness()
        try append([[1], [9, 8, 2], [8, 3], [4]], to: harness)
        try harness.log.deleteRecords(before: Offset(2))
        #expect(try #require(try find(harness)) == (2, 8))
        try harness.log.deleteRecords(before: Offset(3))
        #expect(try #require(try find(harness)) == (4, 8))
        try harness.log.deleteRecords(before: Offset(7))
        #expect(try find(harness) == nil)
    }
}
