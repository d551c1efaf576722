// SPDX-License-Identifier: Apache-2.0

import Compression
import Foundation
import Records
import Testing

@testable import CommitLog

/// Batches that Kafka clients made of twenty records; `Golden/Files/Batches/make.py` says how.
@Suite("Batches of Kafka's clients")
struct ClientBatchTests {
    static let clients = ["librdkafka", "aiokafka", "kafka-python"]
    static let codecs = [CompressionCodec.gzip, .snappy, .lz4, .zstd]

    @Test("pass the full check, with any codec", arguments: clients, codecs)
    func check(client: String, codec: CompressionCodec) throws {
        let header = try check(Self.bytes(client, codec))
        #expect(header.attributes.codec == codec)
        #expect(header.recordCount == 20)
        #expect(header.maxTimestamp == Timestamp(milliseconds: 1_700_000_000_019))
    }

    @Test("are found by the time of each of their records", arguments: clients, codecs)
    func times(client: String, codec: CompressionCodec) throws {
        let harness = try LogHarness()
        for _ in 0..<3 {
            let result = harness.log.append(
                [Self.buffer(try Self.bytes(client, codec))], now: Timestamp(milliseconds: 1))
            #expect(result.failure == nil)
        }
        try harness.log.sync()
        for number in 0..<20 {
            let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(number))
            let found = try harness.log.snapshot.firstRecord(
                atOrAfter: time, inflatedSizeMax: 1 << 20)
            #expect(found?.offset == Offset(Int64(number)))
            #expect(found?.timestamp == time)
        }
        let last = try harness.log.snapshot.recordWithMaxTimestamp(inflatedSizeMax: 1 << 20)
        #expect(last?.offset == Offset(19))
    }

    @Test("hold the same records, whoever packed them", arguments: codecs)
    func records(codec: CompressionCodec) throws {
        for client in Self.clients {
            let batch = try Self.bytes(client, codec)
            let records = try batch.withUnsafeBytes { batch in
                try BatchContent.withRecords(
                    RecordBatch.records(of: batch), of: BatchHeader(reading: batch),
                    sizeMax: 1 << 20
                ) { records throws(BatchError) in
                    var found: [Record] = []
                    var cursor = RecordCursor(records)
                    while let view = try cursor.next() {
                        found.append(Record(view, in: records, header: BatchHeader(reading: batch)))
                    }
                    return found
                }
            }
            try #require(records.count == 20)
            for (number, record) in records.enumerated() {
                let line = "record \(number) of the log\n"
                #expect(record.value == Array(String(repeating: line, count: 4).utf8))
                #expect(record.key == (number % 7 == 0 ? nil : Array("key \(number % 5)".utf8)))
                #expect(record.headers.map(\.name) == ["kind", "empty"])
                #expect(record.headers.map(\.value) == [Array("line".utf8), []])
            }
        }
    }

    @Test("are refused when what is packed inside is damaged, cut or too much", arguments: codecs)
    func damaged(codec: CompressionCodec) throws {
        let batch = try Self.bytes("librdkafka", codec)
        for end in [0, 1, 8, batch.count - BatchHeader.size - 1] {
            let cut = Self.resealed(Array(batch[..<(BatchHeader.size + end)]))
            #expect(throws: BatchError.decompression(.damaged), "\(end) bytes") {
                try check(cut)
            }
        }
        #expect(throws: BatchError.decompression(.damaged)) {
            try check(Self.resealed(batch + [0]))
        }
        let bomb = [UInt8](repeating: 0, count: 1 << 20)
        let packed = try #require(
            try bomb.withUnsafeBytes { try Codec(rawValue: codec.rawValue)?.compress($0) })
        #expect(throws: BatchError.decompression(.overLimit(limit: 60_000 * 16))) {
            try check(
                Self.resealed(Array(batch[..<BatchHeader.size]) + packed), sizeMax: 60_000)
        }
    }

    @discardableResult
    private func check(_ batch: [UInt8], sizeMax: Int = 1 << 20) throws -> BatchHeader {
        try batch.withUnsafeBytes { try BatchContent.check($0, sizeMax: sizeMax) }
    }

    static func bytes(_ client: String, _ codec: CompressionCodec) throws -> [UInt8] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/Files/Batches/\(client)-\(codec).hex")
        let digits = try String(contentsOf: file, encoding: .utf8).compactMap(\.hexDigitValue)
        var batch = stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
        // The mock broker has stamped its leader epoch.
        batch.replaceSubrange(12..<16, with: [255, 255, 255, 255])
        return batch
    }

    static func buffer(_ batch: [UInt8]) -> BatchBuffer {
        let buffer = BatchBuffer(capacity: batch.count)
        buffer.setCount(batch.count)
        buffer.mutableBytes.copyBytes(from: batch)
        return buffer
    }

    /// The batch with its length and checksum put right.
    private static func resealed(_ batch: [UInt8]) -> [UInt8] {
        var batch = batch
        func write(_ value: UInt32, at position: Int) {
            for byte in 0..<4 {
                batch[position + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * byte))
            }
        }
        write(UInt32(batch.count - BatchHeader.lengthOverhead), at: 8)
        write(batch.withUnsafeBytes { RecordBatch.checksum(of: $0) }, at: 17)
        return batch
    }
}
