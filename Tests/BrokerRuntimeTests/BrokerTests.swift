// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import CommitLog
import Disk
import Faults
import Logging
import Records
import SimulatedDisk
import Testing

@Suite("A broker")
struct BrokerTests {
    private func open(
        _ fileSystem: any FileSystem, _ change: (inout BrokerSettings) -> Void = { _ in }
    ) throws -> Broker {
        var settings = BrokerSettings()
        settings.diskReserveBytes = 0
        change(&settings)
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return try Broker.open(
            dataDirectory: "/data", fileSystem: fileSystem, settings: settings, logger: logger)
    }

    private func record(_ number: Int) -> Record {
        Record(value: Array("value \(number)".utf8), timestamp: Timestamp(milliseconds: 1000))
    }

    private func values(_ batches: FetchedBatches) throws -> [String] {
        var values: [String] = []
        try batches.forEachBatch { bytes in
            let records = RecordBatch.records(of: bytes)
            var cursor = RecordCursor(records)
            while let view = try cursor.next() {
                let record = Record(view, in: records, header: BatchHeader(reading: bytes))
                values.append(String(decoding: record.value ?? [], as: UTF8.self))
            }
        }
        return values
    }

    @Test("gives back what was appended, in order, and after a restart")
    func roundTrip() async throws {
        let disk = SimulatedFileSystem()
        let broker = try open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 2, settings: [:])
        let partition = try broker.partition("logs", 1)
        for number in 0..<10 {
            #expect(try await partition.append(record(number)).offset == Offset(Int64(number)))
        }
        let batches = try await partition.read(from: .zero, bytesMax: 1 << 20)
        #expect(try values(batches) == (0..<10).map { "value \($0)" })
        #expect(batches.nextOffset == Offset(10))
        await broker.close()

        let again = try open(disk)
        #expect(again.topics.map(\.name) == ["logs"])
        let reopened = try again.partition("logs", 1)
        #expect(reopened.highWatermark == Offset(10))
        let same = try await reopened.read(from: Offset(4), bytesMax: 1 << 20)
        #expect(try values(same).last == "value 9")
        #expect(try await reopened.append(record(10)).offset == Offset(10))
        await again.close()
    }
}
