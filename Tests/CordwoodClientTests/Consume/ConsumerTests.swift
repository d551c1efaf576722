// SPDX-License-Identifier: Apache-2.0

import LogAPI
import Synchronization
import Testing

@testable import CordwoodClient

@Suite("Consumer", .timeLimit(.minutes(1)))
struct ConsumerTests {
    @Test("all records come in order, and then the end")
    func all() async throws {
        let log = try await Self.log(["a", "b", "c"], ["d"])
        try await withFakeServer(log) { client, _ in
            let texts = try await client.withConsumer("t") { try await Self.texts($0) }
            #expect(texts == ["a", "b", "c", "d"])
        }
    }

    @Test(
        "reading begins where it is told to",
        arguments: [
            (StartPosition.start, ["a", "b", "c", "d"]), (.offset(1), ["b", "c", "d"]),
            (.last(2), ["c", "d"]), (.last(100), ["a", "b", "c", "d"]), (.end, []),
            (.offset(4), []),
        ])
    func start(position: StartPosition, texts: [String]) async throws {
        let log = try await Self.log(["a", "b", "c"], ["d"])
        try await withFakeServer(log) { client, _ in
            let read = try await client.withConsumer("t", from: position) {
                try await Self.texts($0)
            }
            #expect(read == texts)
        }
    }

    @Test("records know where they stand")
    func positions() async throws {
        let log = FakeLog(topic: "t", partitionCount: 2)
        try await withFakeServer(log) { client, _ in
            try await client.produce(
                "t", key: "k", value: "a", headers: ["h": "1"], partition: 1)
            try await client.withConsumer("t", partitions: [1]) { consumer in
                for try await record in consumer {
                    #expect(record.topic == "t" && record.partition == 1 && record.offset == 0)
                    #expect(record.key == Array("k".utf8) && record.text == "a")
                    #expect(record.headers == [.init("h", Array("1".utf8))])
                }
            }
            try await client.withConsumer("t") { consumer in
                for try await batch in consumer.batches {
                    #expect(batch.partition == 1 && batch.nextOffset == 1)
                    #expect(batch.highWatermark == 1 && batch.sizeBytes > 61)
                }
            }
        }
    }

    @Test("who follows gets what is appended later")
    func follow() async throws {
        let log = try await Self.log(["a"])
        try await withFakeServer(log) { client, _ in
            try await client.withConsumer("t", follow: true) { consumer in
                var records = consumer.makeAsyncIterator()
                #expect(try await records.next()?.text == "a")
                try await client.produce("t", value: "b")
                #expect(try await records.next()?.text == "b")
            }
        }
    }

    @Test("who does not follow ends where the log ended, though more is appended meanwhile")
    func endsWhereItWas() async throws {
        let log = try await Self.log(["a", "b"])
        try await withFakeServer(log) { client, _ in
            let texts = try await client.withConsumer("t") { consumer in
                try await client.produce("t", value: "too late")
                return try await Self.texts(consumer)
            }
            #expect(texts == ["a", "b"])
        }
    }

    @Test("after a lost connection reading goes on behind the last record, without gap or repeat")
    func reconnect() async throws {
        let log = try await Self.log(["a", "b"], ["c"], ["d", "e"], ["f"], ["g"])
        log.state.withLock { $0.hangUpAfter = 2 }
        try await withFakeServer(log) { client, _ in
            let texts = try await client.withConsumer("t") { try await Self.texts($0) }
            #expect(texts == ["a", "b", "c", "d", "e", "f", "g"])
        }
        let starts = log.state.withLock { $0.consumeRequests.map { $0.positions[0].offset } }
        #expect(starts == [0, 3, 6])
    }

    @Test("a server that crashes and comes back is found again")
    func crash() async throws {
        let log = try await Self.log(["a"])
        try await withFakeServer(log) { client, server in
            try await client.withConsumer("t", follow: true) { consumer in
                var records = consumer.makeAsyncIterator()
                #expect(try await records.next()?.text == "a")
                await server.kill()
                let revived = try await FakeServer(log, port: server.port)
                try await client.produceUntilReached("b")
                #expect(try await records.next()?.text == "b")
                await revived.kill()
            }
        }
    }

    @Test("a server that stays away is given up after the retry timeout")
    func staysAway() async throws {
        let log = try await Self.log(["a"])
        try await withFakeServer(log, retryTimeout: .milliseconds(200)) { client, server in
            let thrown = await #expect(throws: CordwoodError.self) {
                try await client.withConsumer("t", follow: true) { consumer in
                    for try await _ in consumer { await server.kill() }
                }
            }
            #expect(thrown?.code == .unreachable)
        }
    }

    @Test("nobody iterates, so the server is held back")
    func heldBack() async throws {
        let batch = [String(repeating: "x", count: 100_000)]
        let log = try await Self.log(Array(repeating: batch, count: 1000))
        try await withFakeServer(log) { client, _ in
            try await client.withConsumer("t", bytesMax: 1 << 20) { consumer in
                var records = consumer.makeAsyncIterator()
                _ = try await records.next()
                // The pipe between is full once the count stands still.
                var sent = -1
                while log.state.withLock({ $0.messagesSent }) != sent {
                    sent = log.state.withLock { $0.messagesSent }
                    try await Task.sleep(for: .milliseconds(100))
                }
                // Of 100 MB: the connection's window of 4 MiB, ours, and what the system's socket
                // buffers hold, which is some megabytes more.
                #expect(sent < 500)
                var count = 1
                while try await records.next() != nil { count += 1 }
                #expect(count == 1000)
            }
        }
    }

    @Test("a cancelled reader stops, and its scope ends")
    func cancelled() async throws {
        let log = try await Self.log(["a"])
        try await withFakeServer(log) { client, _ in
            let reader = Task {
                try await client.withConsumer("t", follow: true) { consumer in
                    for try await _ in consumer {
                        withUnsafeCurrentTask { $0?.cancel() }
                    }
                }
            }
            let result = await reader.result
            #expect { try result.get() } throws: { ($0 as? CordwoodError)?.code == .cancelled }
        }
    }

    @Test("an offset that is not there is refused, with those that are")
    func outOfRange() async throws {
        let log = try await Self.log(["a", "b"])
        try await withFakeServer(log) { client, _ in
            let thrown = await #expect(throws: CordwoodError.self) {
                try await client.withConsumer("t", from: .offset(7)) { try await Self.texts($0) }
            }
            #expect(thrown?.code == .offsetOutOfRange)
            #expect(thrown?.validOffsets == 0..<2)
            #expect(thrown?.message == "offset 7 is not there")
        }
    }

    /// A log with these batches.
    private static func log(_ batches: [String]...) async throws -> FakeLog {
        try await log(batches)
    }

    private static func log(_ batches: [[String]]) async throws -> FakeLog {
        let log = FakeLog(topic: "t")
        for texts in batches { _ = log.append(.init(BatchDecoderTests.batch(texts, at: 0)), to: 0) }
        return log
    }

    private static func texts(_ consumer: Consumer) async throws -> [String] {
        var texts: [String] = []
        for try await record in consumer { texts.append(record.text) }
        return texts
    }
}

extension CordwoodClient {
    /// Produces to a server that is coming up.
    fileprivate func produceUntilReached(_ text: String) async throws {
        while true {
            do {
                try await produce("t", value: text)
                return
            } catch  where error.code == .unreachable {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
