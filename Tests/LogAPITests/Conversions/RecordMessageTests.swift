// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogAPI
import Records
import SwiftProtobuf
import Testing

@Suite("Record messages")
struct RecordMessageTests {
    @Test(
        "a record comes back from its message as it was",
        arguments: [
            Record(value: [1, 2, 3]),
            Record(key: nil, value: nil),
            Record(key: [], value: []),
            Record(
                key: [7], value: [UInt8](repeating: 9, count: 300),
                headers: [.init("a", [1]), .init("a", nil), .init("", []), .init("ü", [0xff])],
                timestamp: Timestamp(milliseconds: 1_700_000_000_000), offset: Offset(42)),
            Record(value: [0], timestamp: Timestamp(milliseconds: -5), offset: Offset(.max)),
        ])
    func roundTrip(record: Record) throws {
        let bytes: [UInt8] = try Cordwood_V1_Record(record).serializedBytes()
        #expect(Record(try Cordwood_V1_Record(serializedBytes: bytes)) == record)
    }

    @Test("a message without a timestamp takes the default, one with a timestamp keeps it")
    func defaultTimestamp() {
        let now = Timestamp(milliseconds: 5)
        #expect(Record(Cordwood_V1_Record(), defaultTimestamp: now).timestamp == now)
        let zero = Cordwood_V1_Record.with { $0.timestampMs = 0 }
        #expect(Record(zero, defaultTimestamp: now).timestamp == Timestamp(milliseconds: 0))
    }

    @Test("a batch made of messages gives the same messages back, with offsets")
    func throughBatch() throws {
        let records = [
            Record(
                key: [1], value: [2], headers: [.init("h", [3]), .init("n", nil)],
                timestamp: Timestamp(milliseconds: 10)),
            Record(value: nil, timestamp: Timestamp(milliseconds: 7)),
            Record(key: [], value: [], timestamp: Timestamp(milliseconds: 12)),
        ]
        var builder = BatchBuilder()
        for record in records {
            builder.append(Cordwood_V1_Record(record), defaultTimestamp: .none)
        }
        let buffer = builder.finish()
        BatchHeader.stamp(buffer.mutableBytes, baseOffset: Offset(100), leaderEpoch: 3)
        let found = try buffer.map { Record(Cordwood_V1_Record($0, in: $1, header: $2)) }
        var expected = records
        for index in expected.indices { expected[index].offset = Offset(100 + Int64(index)) }
        #expect(found == expected)
    }

    @Test("the type of a log.v1 record is kept in a header, and 0 in none")
    func bookType() throws {
        let typed = Log_V1_Record.with {
            $0.value = Data([1])
            $0.type = .max
            $0.offset = 99
        }
        let plain = Log_V1_Record.with { $0.value = Data([2]) }
        #expect(Record(plain).headers.isEmpty)
        #expect(Record(typed).headers.map(\.name) == ["log.v1.type"])
        var builder = BatchBuilder()
        builder.append(Record(typed))
        builder.append(Record(plain))
        let buffer = builder.finish()
        BatchHeader.stamp(buffer.mutableBytes, baseOffset: Offset(5), leaderEpoch: 2)
        let found = try buffer.map { Log_V1_Record($0, in: $1, header: $2) }
        #expect(found.map(\.type) == [.max, 0])
        #expect(found.map(\.offset) == [5, 6])
        #expect(found.map(\.term) == [2, 2])
        #expect(found.map { [UInt8]($0.value) } == [[1], [2]])
    }
}

extension BatchBuffer {
    /// What a function makes of each record.
    fileprivate func map<Value>(
        _ body: (RecordView, UnsafeRawBufferPointer, BatchHeader) -> Value
    ) throws -> [Value] {
        try withExtendedLifetime(self) {
            let header = BatchHeader(reading: bytes)
            let records = RecordBatch.records(of: bytes)
            var cursor = RecordCursor(records)
            var values: [Value] = []
            while let view = try cursor.next() { values.append(body(view, records, header)) }
            return values
        }
    }
}

@Suite("Batch payloads")
struct BatchPayloadTests {
    private let record = Cordwood_V1_Record.with { $0.value = Data(repeating: 1, count: 100) }

    private func carried(
        _ records: [Cordwood_V1_Record], _ encoded: Data = Data(), sizeMax: Int = 1 << 20
    ) throws(PayloadError) -> BatchBuffer {
        try .carried(by: records, or: encoded, sizeMax: sizeMax, defaultTimestamp: .none)
    }

    @Test("a request carries either records or a batch")
    func eitherOr() {
        #expect(throws: PayloadError.empty) { try carried([]) }
        #expect(throws: PayloadError.both) { try carried([record], Data([1])) }
    }

    @Test("an encoded batch is taken byte for byte")
    func encoded() throws {
        let bytes = Data((0..<200).map { UInt8($0) })
        let batch = try carried([], bytes)
        #expect(withExtendedLifetime(batch) { [UInt8](batch.bytes) } == [UInt8](bytes))
    }

    @Test("records over the limit stop the encoding, batches over the limit are not copied")
    func tooLarge() throws {
        #expect(throws: PayloadError.self) {
            try carried(Array(repeating: record, count: 20), sizeMax: 1000)
        }
        #expect(throws: PayloadError.tooLarge(size: 1001, limit: 1000)) {
            try carried([], Data(count: 1001), sizeMax: 1000)
        }
        #expect(try carried([], Data(count: 1000), sizeMax: 1000).count == 1000)
    }

    @Test("records become a batch that the server's own check accepts")
    func records() throws {
        let batch = try carried([record, record, Cordwood_V1_Record()])
        try withExtendedLifetime(batch) {
            let header = try RecordBatch.checkHeader(batch.bytes, sizeMax: 1 << 20)
            #expect(header.recordCount == 3)
            try RecordBatch.checkRecords(RecordBatch.records(of: batch.bytes), of: header)
        }
    }
}
