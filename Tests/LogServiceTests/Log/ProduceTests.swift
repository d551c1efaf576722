// SPDX-License-Identifier: Apache-2.0

import Compression
import Foundation
import GRPCCore
import LogAPI
import Records
import SwiftProtobuf
import Testing

@testable import LogService

@Suite("Producing", .timeLimit(.minutes(1)))
struct ProduceTests {
    private static func records(_ values: [String]) -> [Cordwood_V1_Record] {
        values.map { value in .with { $0.value = Data(value.utf8) } }
    }

    private static func encoded(_ values: [String]) -> Data {
        var builder = BatchBuilder()
        for value in values {
            builder.append(Record(value: [UInt8](value.utf8), timestamp: .init(milliseconds: 1)))
        }
        let batch = builder.finish()
        return withExtendedLifetime(batch) { Data([UInt8](batch.bytes)) }
    }

    @Test("a batch of records gets consecutive offsets, the server's time, and keeps its parts")
    func records() async throws {
        try await BrokerFixture.run { fixture in
            let response = try await fixture.log.produce(
                .with {
                    $0.partition = .named("many", 3)
                    $0.records = [
                        .with {
                            $0.key = Data([1])
                            $0.timestampMs = 5
                            $0.headers = [.with { $0.name = "h" }]
                        },
                        .with { $0.value = Data() },
                    ]
                })
            #expect(response.baseOffset == 0)
            #expect(response.recordCount == 2)
            #expect(response.appendTimeMs > 1_700_000_000_000)
            let read = try await fixture.read([.at(.offset(0), of: "many", 3)])
            #expect(read.count == 2)
            #expect(read[0].key == Data([1]))
            #expect(!read[0].hasValue)
            #expect(read[0].timestampMs == 5)
            #expect(read[0].headers.map(\.name) == ["h"])
            #expect(read[0].headers.first?.hasValue == false)
            #expect(!read[1].hasKey)
            #expect(read[1].hasValue && read[1].value.isEmpty)
            #expect(read[1].timestampMs > 1_700_000_000_000)
        }
    }

    @Test("a batch that comes encoded is stored as it is")
    func encodedBatch() async throws {
        try await BrokerFixture.run { fixture in
            let batch = Self.encoded(["a", "b", "c"])
            let response = try await fixture.log.produce(
                .with {
                    $0.partition = .named("default")
                    $0.encodedBatch = batch
                })
            #expect(response.recordCount == 3)
            let read = try await fixture.read([.at(.earliest(.init()))])
            #expect(read.map { String(decoding: $0.value, as: UTF8.self) } == ["a", "b", "c"])
        }
    }

    @Test("what is wrong with a request has its own status and code")
    func refusals() async throws {
        try await BrokerFixture.run { fixture in
            func produce(
                _ change: @escaping (inout Cordwood_V1_ProduceRequest) -> Void
            ) async -> String? {
                await failure {
                    _ = try await fixture.log.produce(
                        .with {
                            $0.partition = .named("default")
                            $0.records = Self.records(["x"])
                            change(&$0)
                        })
                }?.code
            }
            let batch = Self.encoded(["a"])
            #expect(await produce { $0.records = [] } == "CW-1001")
            #expect(await produce { $0.clearPartition() } == "CW-1001")
            #expect(await produce { $0.encodedBatch = batch } == "CW-1001")
            #expect(await produce { $0.partition.topic = "none" } == "CW-1002")
            #expect(await produce { $0.partition.partition = 1 } == "CW-1006")
            #expect(await produce { $0.partition.partition = .max } == "CW-1006")
            #expect(await produce { $0.partition.partition = -1 } == "CW-1001")
            #expect(
                await produce {
                    $0.records = Self.records([String(repeating: "x", count: 1 << 20)])
                } == "CW-1008")
            #expect(
                await produce {
                    $0.records = []
                    $0.encodedBatch = batch.dropLast()
                } == "CW-1009")
            #expect(
                await produce {
                    $0.records = []
                    $0.encodedBatch = Data([UInt8](batch).dropLast() + [0x55])
                } == "CW-1010")
            #expect(await produce { _ in } == nil)
        }
    }

    @Test("a stream answers each batch in order, and a bad one does not end it")
    func stream() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.log.produceStream { writer in
                for number in 0..<100 {
                    try await writer.write(
                        .with {
                            if number == 0 { $0.partition = .named("default") }
                            if number == 50 { $0.partition = .named("many", 1) }
                            if number == 60 { $0.partition = .named("no-such") }
                            if number == 70 { $0.partition = .named("many", 1) }
                            if number % 10 != 5 { $0.records = Self.records(["a", "b"]) }
                        })
                }
            } onResponse: { response in
                var number = 0
                var next: Int64 = 0
                for try await answer in response.messages {
                    if number == 50 { next = 0 }
                    if number % 10 == 5, !(60..<70).contains(number) {
                        #expect(answer.error.code == "CW-1001")
                        #expect(answer.baseOffset == -1)
                    } else if (60..<70).contains(number) {
                        #expect(answer.error.code == "CW-1002")
                        #expect(answer.error.grpcCode == 5)
                    } else {
                        #expect(!answer.hasError)
                        #expect(answer.baseOffset == next)
                        #expect(answer.recordCount == 2)
                        next += 2
                    }
                    number += 1
                }
                #expect(number == 100)
            }
        }
    }

    @Test("a stream whose first message names no partition is told so")
    func noPartition() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.log.produceStream { writer in
                try await writer.write(.with { $0.records = Self.records(["a"]) })
            } onResponse: { response in
                for try await answer in response.messages {
                    #expect(answer.error.code == "CW-1001")
                }
            }
        }
    }

    @Test("a stream goes on past a full queue and a full window, in order")
    func backPressure() async throws {
        var settings = LogServiceSettings()
        settings.windowBytesMax = 64 << 10
        settings.windowCountMax = 4
        try await BrokerFixture.run(settings) { fixture in
            let value = String(repeating: "x", count: 50_000)
            try await fixture.log.produceStream { writer in
                for _ in 0..<60 {
                    try await writer.write(
                        .with {
                            $0.partition = .named("default")
                            $0.records = Self.records([value])
                        })
                }
            } onResponse: { response in
                var next: Int64 = 0
                for try await answer in response.messages {
                    #expect(answer.baseOffset == next)
                    next += 1
                }
                #expect(next == 60)
            }
        }
    }
}

extension BrokerFixture {
    /// All records of these positions, up to the tails.
    func read(
        _ positions: [Cordwood_V1_StartPosition],
        change: @escaping @Sendable (inout Cordwood_V1_ConsumeRequest) -> Void = { _ in }
    ) async throws -> [Cordwood_V1_Record] {
        try await messages(positions, change: change).flatMap(\.records)
    }

    /// All messages for these positions, up to the tails.
    func messages(
        _ positions: [Cordwood_V1_StartPosition],
        change: @escaping @Sendable (inout Cordwood_V1_ConsumeRequest) -> Void = { _ in }
    ) async throws -> [Cordwood_V1_ConsumeResponse] {
        let request = Cordwood_V1_ConsumeRequest.with {
            $0.positions = positions
            change(&$0)
        }
        return try await log.consume(request) { response in
            var messages: [Cordwood_V1_ConsumeResponse] = []
            for try await message in response.messages { messages.append(message) }
            return messages
        }
    }
}
