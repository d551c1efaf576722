// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPCCore
import GRPCProtobuf
import LogAPI
import SwiftProtobuf
import Testing

@testable import LogService

@Suite("log.v1", .timeLimit(.minutes(1)))
struct BookLogServiceTests {
    private static func record(_ value: String, type: UInt32 = 0) -> Log_V1_ProduceRequest {
        .with {
            $0.record = .with {
                $0.value = Data(value.utf8)
                $0.type = type
                $0.offset = 77
            }
        }
    }

    private static func offset(_ offset: UInt64) -> Log_V1_ConsumeRequest {
        .with { $0.offset = offset }
    }

    @Test("records are numbered from 0 and come back with value, offset, type and term")
    func produceConsume() async throws {
        try await BrokerFixture.run { fixture in
            #expect(try await fixture.book.produce(Self.record("hello")).offset == 0)
            #expect(try await fixture.book.produce(Self.record("world", type: 9)).offset == 1)
            let first = try await fixture.book.consume(Self.offset(0)).record
            #expect(first.value == Data("hello".utf8))
            #expect(first.offset == 0)
            #expect(first.type == 0)
            let second = try await fixture.book.consume(Self.offset(1)).record
            #expect(second.value == Data("world".utf8))
            #expect(second.offset == 1)
            #expect(second.type == 9)
            #expect(second.term == first.term)
        }
    }

    @Test("an offset outside of the log is OUT_OF_RANGE with the valid range in the details")
    func outOfRange() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a", "b", "c"])
            for wanted: UInt64 in [3, 100, UInt64(Int64.max), .max] {
                let error = await #expect(throws: RPCError.self) {
                    try await fixture.book.consume(Self.offset(wanted))
                }
                #expect(error?.code == .outOfRange)
                let status = try #require(try error?.unpackGoogleRPCStatus())
                let info = try #require(status.details.first?.errorInfo)
                #expect(info.reason == "CW-1007")
                #expect(info.metadata["first_offset"] == "0")
                #expect(info.metadata["next_offset"] == "3")
                #expect(status.details.last?.localizedMessage?.locale == "en-US")
            }
        }
    }

    @Test("a record below the log start offset is OUT_OF_RANGE, to streams too")
    func deleted() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a"])
            try await fixture.append(["b"])
            _ = try await fixture.topics.deleteRecords(
                .with {
                    $0.topic = "default"
                    $0.beforeOffset = 1
                })
            let call = await failure { _ = try await fixture.book.consume(Self.offset(0)) }
            #expect(call?.status == .outOfRange)
            let stream = await failure {
                try await fixture.book.consumeStream(Self.offset(0)) { response in
                    for try await _ in response.messages {}
                }
            }
            #expect(stream?.status == .outOfRange)
            #expect(try await fixture.book.consume(Self.offset(1)).record.value == Data("b".utf8))
        }
    }

    @Test("a request without a record is refused")
    func empty() async throws {
        try await BrokerFixture.run { fixture in
            let call = await failure { _ = try await fixture.book.produce(Log_V1_ProduceRequest()) }
            #expect(call?.status == .invalidArgument)
            #expect(call?.code == "CW-1001")
            let stream = await failure {
                try await fixture.book.produceStream { writer in
                    try await writer.write(Log_V1_ProduceRequest())
                } onResponse: { response in
                    for try await _ in response.messages {}
                }
            }
            #expect(stream?.status == .invalidArgument)
        }
    }

    @Test("ProduceStream answers each record in order, and many can be on their way")
    func produceStream() async throws {
        let count = 5000
        try await BrokerFixture.run { fixture in
            try await fixture.book.produceStream { writer in
                try await writer.write(
                    contentsOf: (0..<count).map { Self.record("record \($0)") })
            } onResponse: { response in
                var next: UInt64 = 0
                for try await answer in response.messages {
                    #expect(answer.offset == next)
                    next += 1
                }
                #expect(next == UInt64(count))
            }
            let last = try await fixture.book.consume(Self.offset(UInt64(count - 1))).record
            #expect(last.value == Data("record \(count - 1)".utf8))
        }
    }

    @Test("a lock-step caller gets each answer before it sends the next record")
    func lockStep() async throws {
        try await BrokerFixture.run { fixture in
            let (answers, source) = AsyncStream<UInt64>.makeStream()
            try await fixture.book.produceStream { writer in
                var iterator = answers.makeAsyncIterator()
                for number: UInt64 in 0..<20 {
                    try await writer.write(Self.record("x"))
                    #expect(await iterator.next() == number)
                }
            } onResponse: { response in
                for try await answer in response.messages { source.yield(answer.offset) }
                source.finish()
            }
        }
    }

    @Test("ConsumeStream sends what is there, then what comes, until the caller is content")
    func consumeStream() async throws {
        try await BrokerFixture.run { fixture in
            for value in ["0", "1", "2"] { try await fixture.append([value]) }
            try await fixture.book.consumeStream(Self.offset(1)) { response in
                var seen: [String] = []
                for try await message in response.messages {
                    seen.append(String(decoding: message.record.value, as: UTF8.self))
                    #expect(message.record.offset == UInt64(seen.count))
                    if seen.count == 2 { try await fixture.append(["3", "4"]) }
                    if seen.count == 4 { break }
                }
                #expect(seen == ["1", "2", "3", "4"])
            }
        }
    }

    @Test("ConsumeStream from an offset that is still to come waits for it")
    func future() async throws {
        try await BrokerFixture.run { fixture in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await fixture.book.consumeStream(Self.offset(2)) { response in
                        let first = try await response.messages.first { _ in true }
                        #expect(first?.record.offset == 2)
                    }
                }
                for value in ["0", "1", "2"] { try await fixture.append([value]) }
                try await group.waitForAll()
            }
        }
    }

    @Test("a waiting ConsumeStream ends with DEADLINE_EXCEEDED, and when its caller goes")
    func ends() async throws {
        try await BrokerFixture.run { fixture in
            let late = await failure {
                var options = CallOptions.defaults
                options.timeout = .milliseconds(50)
                try await fixture.book.consumeStream(Self.offset(0), options: options) { response in
                    for try await _ in response.messages {}
                }
            }
            #expect(late?.status == .deadlineExceeded)
            let task = Task {
                await failure {
                    try await fixture.book.consumeStream(Self.offset(0)) { response in
                        for try await _ in response.messages {}
                    }
                }
            }
            while fixture.drain.handlerCount == 0 { await Task.yield() }
            task.cancel()
            _ = await task.value
            // The server's side of the call ends too.
            while fixture.drain.handlerCount > 0 { await Task.yield() }
        }
    }

    @Test("when the server drains, a waiting ConsumeStream ends with UNAVAILABLE")
    func drains() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a"])
            let end = await failure {
                try await fixture.book.consumeStream(Self.offset(0)) { response in
                    for try await _ in response.messages { fixture.drain.begin() }
                }
            }
            #expect(end?.status == .unavailable)
            #expect(end?.code == "CW-3001")
        }
    }

    @Test("when the server drains, ProduceStream answers what it has read")
    func drainsProducer() async throws {
        try await BrokerFixture.run { fixture in
            let (goOn, source) = AsyncStream<Void>.makeStream()
            let answers = Mailbox<UInt64>()
            let end = await failure {
                try await fixture.book.produceStream { writer in
                    try await writer.write(Self.record("a"))
                    // The requests stay open until the server has ended the call.
                    for await _ in goOn {}
                } onResponse: { response in
                    defer { source.finish() }
                    for try await answer in response.messages {
                        answers.send(answer.offset)
                        fixture.drain.begin()
                    }
                }
            }
            #expect(end?.status == .unavailable)
            #expect(answers.takeAll() == [0])
        }
    }

    @Test("GetServers names this node, as the leader")
    func getServers() async throws {
        try await BrokerFixture.run { fixture in
            let servers = try await fixture.book.getServers(Log_V1_GetServersRequest()).servers
            #expect(servers.map(\.id) == ["node-1"])
            #expect(servers.map(\.rpcAddr) == ["127.0.0.1:8400"])
            #expect(servers.map(\.isLeader) == [true])
        }
    }
}
