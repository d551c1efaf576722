// SPDX-License-Identifier: Apache-2.0

import Compression
import Foundation
import GRPCCore
import LogAPI
import Records
import SwiftProtobuf
import Testing

@testable import LogService

@Suite("Consuming", .timeLimit(.minutes(1)))
struct ConsumeTests {
    private static func texts(_ records: [Cordwood_V1_Record]) -> [String] {
        records.map { String(decoding: $0.value, as: UTF8.self) }
    }

    @Test("a stream starts where it is told to and ends at the tail")
    func starts() async throws {
        try await BrokerFixture.run { fixture in
            for number in 0..<5 {
                _ = try await fixture.log.produce(
                    .with {
                        $0.partition = .named("default")
                        $0.records = [
                            .with {
                                $0.value = Data("\(number)".utf8)
                                $0.timestampMs = Int64(1000 + number * 10)
                            }
                        ]
                    })
            }
            let expected: [(Cordwood_V1_StartPosition.OneOf_Start, [String])] = [
                (.earliest(.init()), ["0", "1", "2", "3", "4"]), (.latest(.init()), []),
                (.offset(3), ["3", "4"]), (.offset(5), []), (.last(2), ["3", "4"]),
                (.last(0), []), (.last(.max), ["0", "1", "2", "3", "4"]),
                (.timestampMs(1011), ["2", "3", "4"]),
                (.timestampMs(.min), ["0", "1", "2", "3", "4"]),
                (.timestampMs(.max), []),
            ]
            for (start, texts) in expected {
                #expect(Self.texts(try await fixture.read([.at(start)])) == texts, "\(start)")
            }
        }
    }

    @Test("an offset inside a batch gives the records from it on, with their offsets")
    func insideBatch() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a", "b", "c", "d"])
            let read = try await fixture.read([.at(.offset(2))])
            #expect(Self.texts(read) == ["c", "d"])
            #expect(read.map(\.offset) == [2, 3])
        }
    }

    @Test("several partitions take turns, each in order, and each ends at its own tail")
    func manyPartitions() async throws {
        try await BrokerFixture.run { fixture in
            for partition: Int32 in 0..<4 {
                for number in 0..<(20 * Int(partition)) {
                    try await fixture.append(["\(partition).\(number)"], to: "many", partition)
                }
            }
            let positions = (0..<4).map {
                Cordwood_V1_StartPosition.at(.earliest(.init()), of: "many", Int32($0))
            }
            let messages = try await fixture.messages(positions) { $0.messageBytesMax = 1 }
            for partition: Int32 in 0..<4 {
                let texts = Self.texts(
                    messages.filter { $0.partition.partition == partition }.flatMap(\.records))
                #expect(texts == (0..<(20 * Int(partition))).map { "\(partition).\($0)" })
            }
            // While all three have records, none waits longer than the others' turns.
            let early = messages.prefix(30).map(\.partition.partition)
            #expect(Set(early.prefix(3)) == [1, 2, 3])
            for partition: Int32 in 1...3 {
                #expect(early.filter { $0 == partition }.count == 10)
            }
        }
    }

    @Test("messages keep to the size asked for, and say where to go on")
    func messageSize() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(
                (0..<100).map { "\($0)" + String(repeating: "x", count: 1000) })
            try await fixture.append(["last"])
            let messages = try await fixture.messages([.at(.earliest(.init()))]) {
                $0.messageBytesMax = 5000
            }
            #expect(messages.count > 20)
            for message in messages {
                #expect(try message.serializedData().count <= 5200)
                #expect(message.nextOffset == (message.records.last?.offset ?? -2) + 1)
                #expect(message.highWatermark == 101)
            }
            #expect(messages.flatMap(\.records).map(\.offset) == Array(0..<101))
        }
    }

    @Test("encoded batches come as they are stored")
    func encoded() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a", "b"])
            try await fixture.append(["c"])
            let messages = try await fixture.messages([.at(.offset(1))]) { $0.encoded = true }
            let bytes = messages.map(\.encodedBatches).reduce(Data(), +)
            var offsets: [Int64] = []
            [UInt8](bytes).withUnsafeBytes { bytes in
                var position = 0
                while position < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
                    let header = BatchHeader(reading: rest)
                    offsets.append(header.baseOffset.rawValue)
                    position += header.totalSize
                }
            }
            #expect(offsets == [0, 2])
            #expect(messages.last?.nextOffset == 3)
            #expect(messages.allSatisfy { $0.records.isEmpty })
        }
    }

    @Test(
        "packed batches come out as records",
        arguments: [CompressionCodec.gzip, .snappy, .lz4, .zstd])
    func packed(codec: CompressionCodec) async throws {
        try await BrokerFixture.run { fixture in
            var builder = BatchBuilder()
            for number in 0..<500 {
                builder.append(
                    Record(
                        value: [UInt8]("value \(number)".utf8), timestamp: .init(milliseconds: 1)))
            }
            let buffer = builder.finish()
            let plain = withExtendedLifetime(buffer) { [UInt8](buffer.bytes) }
            let packed = try plain.withUnsafeBytes { plain in
                try Codec(rawValue: codec.rawValue)?.compress(RecordBatch.records(of: plain))
            }
            var batch = [UInt8](plain.prefix(BatchHeader.size)) + (packed ?? [])
            batch.withUnsafeMutableBytes { bytes in
                BatchHeader.write(
                    to: bytes, codec: codec, recordCount: 500,
                    baseTimestamp: .init(milliseconds: 1), maxTimestamp: .init(milliseconds: 1))
            }
            let encoded = Data(batch)
            _ = try await fixture.log.produce(
                .with {
                    $0.partition = .named("default")
                    $0.encodedBatch = encoded
                })
            let read = try await fixture.read([.at(.offset(10))])
            #expect(Self.texts(read) == (10..<500).map { "value \($0)" })
            let record = try await fixture.book.consume(.with { $0.offset = 499 }).record
            #expect(record.value == Data("value 499".utf8))
        }
    }

    @Test("a follower gets what comes, from each of its partitions", arguments: [1, 4])
    func follows(partitionCount: Int) async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["old"], to: "many", 0)
            let positions = (0..<partitionCount).map {
                Cordwood_V1_StartPosition.at(.offset($0 == 0 ? 1 : 0), of: "many", Int32($0))
            }
            let request = Cordwood_V1_ConsumeRequest.with {
                $0.positions = positions
                $0.follow = true
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await fixture.log.consume(request) { response in
                        var seen = 0
                        for try await message in response.messages {
                            for record in message.records {
                                #expect(record.value.starts(with: Data("new".utf8)))
                                seen += 1
                            }
                            if seen == 40 { break }
                        }
                    }
                }
                for number in 0..<40 {
                    try await fixture.append(
                        ["new \(number)"], to: "many", Int32(number % partitionCount))
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a follower ends with UNAVAILABLE when the server drains", arguments: [1, 4])
    func drains(partitionCount: Int) async throws {
        try await BrokerFixture.run { fixture in
            let request = Cordwood_V1_ConsumeRequest.with {
                $0.positions = (0..<partitionCount).map {
                    .at(.earliest(.init()), of: "many", Int32($0))
                }
                $0.follow = true
            }
            try await fixture.append(["a"], to: "many", 0)
            let end = await failure {
                try await fixture.log.consume(request) { response in
                    for try await _ in response.messages { fixture.drain.begin() }
                }
            }
            #expect(end?.status == .unavailable)
            #expect(end?.code == "CW-3001")
        }
    }

    @Test("a follower of a topic that is deleted ends with NOT_FOUND", arguments: [1, 4])
    func deletion(partitionCount: Int) async throws {
        try await BrokerFixture.run { fixture in
            let request = Cordwood_V1_ConsumeRequest.with {
                $0.positions = (0..<partitionCount).map {
                    .at(.earliest(.init()), of: "many", Int32($0))
                }
                $0.follow = true
            }
            try await fixture.append(["a"], to: "many", 0)
            let end = await failure {
                try await fixture.log.consume(request) { response in
                    for try await _ in response.messages {
                        _ = try await fixture.topics.deleteTopic(.with { $0.name = "many" })
                    }
                }
            }
            #expect(end?.status == .notFound)
            #expect(end?.code == "CW-1002")
        }
    }

    @Test("what is wrong with a request has its own status and code")
    func refusals() async throws {
        try await BrokerFixture.run { fixture in
            func consume(
                _ change: @escaping @Sendable (inout Cordwood_V1_ConsumeRequest) -> Void
            ) async -> String? {
                await failure { _ = try await fixture.messages([], change: change) }?.code
            }
            #expect(await consume { _ in } == "CW-1001")
            #expect(await consume { $0.positions = [.init()] } == "CW-1001")
            #expect(
                await consume { $0.positions = [.with { $0.partition = .named("default") }] }
                    == "CW-1001")
            for start in [.offset(-1), .offset(.min), .last(-1), .last(.min)]
                as [Cordwood_V1_StartPosition.OneOf_Start]
            {
                #expect(await consume { $0.positions = [.at(start)] } == "CW-1001")
            }
            #expect(await consume { $0.positions = [.at(.offset(1))] } == "CW-1007")
            #expect(await consume { $0.positions = [.at(.offset(.max))] } == "CW-1007")
            #expect(await consume { $0.positions = [.at(.offset(0), of: "x")] } == "CW-1002")
            #expect(
                await consume { $0.positions = [.at(.offset(0)), .at(.last(1))] } == "CW-1001")
            #expect(
                await consume {
                    $0.positions = [.at(.offset(0))]
                    $0.messageBytesMax = -1
                } == "CW-1001")
            #expect(
                await consume { $0.positions = Array(repeating: .at(.offset(0)), count: 5000) }
                    == "CW-1001")
        }
    }

    @Test("ListOffsets answers each position, with the bounds of its partition")
    func listOffsets() async throws {
        try await BrokerFixture.run { fixture in
            _ = try await fixture.log.produce(
                .with {
                    $0.partition = .named("default")
                    $0.records = [10, 20, 30].map { time in .with { $0.timestampMs = time } }
                })
            let response = try await fixture.log.listOffsets(
                .with {
                    $0.positions = [
                        .at(.earliest(.init())), .at(.latest(.init())), .at(.timestampMs(15)),
                        .at(.timestampMs(31)), .at(.last(1)), .at(.latest(.init()), of: "many", 2),
                    ]
                })
            #expect(response.results.map(\.offset) == [0, 3, 1, 3, 2, 0])
            #expect(
                response.results.map(\.hasTimestampMs) == [false, false, true, false, false, false])
            #expect(response.results[2].timestampMs == 20)
            #expect(response.results.map(\.highWatermark) == [3, 3, 3, 3, 3, 0])
            #expect(response.results.map(\.logStartOffset) == [0, 0, 0, 0, 0, 0])
            #expect(response.results[5].partition == .named("many", 2))
            let far = await failure {
                _ = try await fixture.log.listOffsets(.with { $0.positions = [.at(.offset(4))] })
            }
            #expect(far?.status == .outOfRange)
        }
    }
}
