// SPDX-License-Identifier: Apache-2.0

import Foundation
import Records
import Testing

@Suite("Batches of other Kafka clients")
struct GoldenBatchTests {
    @Test("a batch made by another client is accepted and holds its records", arguments: Golden.all)
    func decode(golden: Golden) throws {
        let bytes = try golden.bytes()
        let header = try BatchCheck.header(bytes)
        #expect(header.recordCount == golden.records.count)
        #expect(header.leaderEpoch == -1)
        #expect(try BatchCheck.records(bytes) == golden.records)
    }

    @Test("our builder makes the same bytes of the same records", arguments: Golden.all)
    func encode(golden: Golden) throws {
        var builder = BatchBuilder()
        for record in golden.records { builder.append(record) }
        #expect(BatchCheck.finish(&builder) == (try golden.bytes()))
    }

    @Test("the codec and the size of a packed batch are read off its header")
    func packed() throws {
        let bytes = try Golden(name: "hundred-gzip", records: []).bytes()
        let header = try BatchCheck.header(bytes)
        #expect(header.attributes.codec == .gzip)
        #expect(header.recordCount == 100)
        #expect(header.lastOffsetDelta == 99)
    }

    @Test("an idempotent producer's id, epoch and sequence number are read off the header")
    func idempotent() throws {
        let bytes = try Golden(name: "one-idempotent", records: []).bytes()
        let header = try BatchCheck.header(bytes)
        #expect(header.producerID == 4_000_000_000)
        #expect(header.producerEpoch == 7)
        #expect(header.baseSequence == 123)
    }
}

/// A batch of `Golden/`, and what `Golden/make.py` put into it.
struct Golden: CustomTestStringConvertible, Sendable {
    let name: String
    let records: [Record]

    var testDescription: String { name }

    static let all = [
        Golden(name: "one", records: [record("k", "v", at: start)]),
        Golden(name: "varied", records: varied),
        Golden(name: "hundred", records: hundred),
    ]

    func bytes() throws -> [UInt8] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/\(name).hex")
        let digits = try Array(
            String(contentsOf: file, encoding: .utf8).filter { !$0.isWhitespace })
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0..<$0 + 2]), radix: 16)
        }
    }

    private static let start: Int64 = 1_700_000_000_000

    private static let varied = [
        Record(value: utf8("no key"), timestamp: Timestamp(milliseconds: start)),
        record("", "", at: start + 5, offset: 1),
        Record(
            key: utf8("tombstone"), value: nil, timestamp: Timestamp(milliseconds: start - 70_000),
            offset: Offset(2)),
        Record(
            key: utf8("headers"), value: utf8("x"),
            headers: [
                .init("a", utf8("1")), .init("a", nil), .init("", []), .init("h\u{e9}", [0, 0xff]),
            ],
            timestamp: Timestamp(milliseconds: start + 1), offset: Offset(3)),
        Record(
            key: utf8("long"), value: (0..<512).map { UInt8(truncatingIfNeeded: $0) },
            timestamp: Timestamp(milliseconds: start + 2), offset: Offset(4)),
    ]

    private static let hundred = (0..<100).map { number in
        record(
            "key-\(number)", String(repeating: "value \(number)", count: number % 7),
            at: start + Int64(number * number), offset: Int64(number))
    }

    private static func record(
        _ key: String, _ value: String, at time: Int64, offset: Int64 = 0
    ) -> Record {
        Record(
            key: utf8(key), value: utf8(value), timestamp: Timestamp(milliseconds: time),
            offset: Offset(offset))
    }

    private static func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }
}
