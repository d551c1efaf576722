// SPDX-License-Identifier: Apache-2.0

import Records
import Synchronization
import Testing

@testable import CordwoodClient

@Suite("Producer", .timeLimit(.minutes(1)))
struct ProducerTests {
    @Test("all records are in the log, in order, when the scope ends")
    func flushesOnExit() async throws {
        let log = FakeLog(topic: "t")
        let texts = (0..<5000).map { "record \($0)" }
        try await withFakeServer(log) { client, _ in
            try await client.withProducer("t", .init(linger: .milliseconds(1))) { producer in
                for text in texts { try await producer.send(Record(text)) }
            }
        }
        #expect(try log.texts() == texts)
        #expect(log.state.withLock { $0.produceStreams } == 1)
    }

    @Test("records share batches", arguments: ProducerOptions.Compression.allCases)
    func batches(compression: ProducerOptions.Compression) async throws {
        let log = FakeLog(topic: "t")
        try await withFakeServer(log) { client, _ in
            let options = ProducerOptions(
                linger: .seconds(60), batchBytesMax: 1000, compression: compression)
            try await client.withProducer("t", options) { producer in
                for number in 0..<100 { try await producer.send(Record("the same text \(number)")) }
            }
        }
        #expect(log.state.withLock { $0.partitions[0].count } < 10)
        let codec = try #require(CompressionCodec.allCases.first { "\($0)" == "\(compression)" })
        #expect(log.state.withLock { $0.codecs } == [codec])
        #expect(try log.texts().count == 100)
    }

    @Test("a record's own outcome says where it went")
    func outcomes() async throws {
        let log = FakeLog(topic: "t", partitionCount: 3)
        try await withFakeServer(log) { client, _ in
            try await client.withProducer("t", .init(linger: .zero)) { producer in
                let first = try await producer.sendAndWait(Record("a"), to: 2)
                #expect(first == RecordMetadata(topic: "t", partition: 2, offset: 0))
                let deliveries = [
                    try await producer.submit(Record("b"), to: 2),
                    try await producer.submit(Record("c"), to: 2),
                ]
                try await producer.flush()
                #expect(try await deliveries[1].metadata.offset == 2)
                #expect(try await deliveries[0].metadata.offset == 1)
            }
        }
        #expect(try log.texts(2) == ["a", "b", "c"])
    }

    @Test("records without a timestamp get the time of sending")
    func timestamps() async throws {
        let log = FakeLog(topic: "t")
        let before = Timestamp.now()
        try await withFakeServer(log) { client, _ in
            try await client.produce("t", value: "a")
            try await client.produce("t", value: "b", timestamp: Timestamp(milliseconds: 5))
            try await client.withConsumer("t") { consumer in
                var times: [Timestamp] = []
                for try await record in consumer { times.append(record.timestamp) }
                #expect(times[0] >= before && times[0] <= .now())
                #expect(times[1] == Timestamp(milliseconds: 5))
            }
        }
    }

    @Test("a full window holds the sender back until answers come")
    func window() async throws {
        let log = FakeLog(topic: "t")
        log.plan(.fallSilent)
        let sent = Counter()
        let parked = Doorbell()
        try await withFakeServer(log) { client, _ in
            let options = ProducerOptions(linger: .zero, windowBytesMax: 1000)
            let sending = Task {
                try await client.withProducer("t", options) { producer in
                    let watch = Task {
                        // The sender is parked as soon as the window is full.
                        while producer.engine.state.withLock({ $0.parked.isEmpty }) {
                            await Task.yield()
                        }
                        parked.ring()
                    }
                    defer { watch.cancel() }
                    for number in 0..<1000 {
                        try await producer.send(Record("record \(number)"))
                        sent.increment()
                    }
                }
            }
            await parked.wait()
            sending.cancel()
            let result = await sending.result
            #expect { try result.get() } throws: { ($0 as? CordwoodError)?.code == .cancelled }
        }
        #expect((10..<100).contains(sent.count))
    }

    @Test("a batch that is refused for good fails the producer, and no other batch")
    func refusedForGood() async throws {
        let log = FakeLog(topic: "t")
        log.plan(.append, .refuse(.batchTooLarge, isRetryable: false), .append)
        try await withFakeServer(log) { client, _ in
            let thrown = await #expect(throws: CordwoodError.self) {
                try await client.withProducer("t", .init(linger: .zero)) { producer in
                    for text in ["a", "b"] {
                        try await producer.send(Record(text))
                        // Each in a batch of its own; the second's failure is thrown here already.
                        try await producer.flush()
                    }
                }
            }
            #expect(thrown?.code == .batchTooLarge)
        }
        #expect(try log.texts() == ["a"])
    }

    @Test("who waits for a record gets its failure, and the producer goes on")
    func watchedFailure() async throws {
        let log = FakeLog(topic: "t")
        log.plan(.refuse(.batchTooLarge, isRetryable: false))
        try await withFakeServer(log) { client, _ in
            try await client.withProducer("t", .init(linger: .zero)) { producer in
                let thrown = await #expect(throws: CordwoodError.self) {
                    try await producer.sendAndWait(Record("a"))
                }
                #expect(thrown?.code == .batchTooLarge)
                try await producer.sendAndWait(Record("b"))
            }
        }
        #expect(try log.texts() == ["b"])
    }

    @Test("a batch that is refused for now goes out again")
    func refusedForNow() async throws {
        let log = FakeLog(topic: "t")
        log.plan(.refuse(.overloaded, isRetryable: true), .refuse(.diskFull, isRetryable: true))
        try await withFakeServer(log) { client, _ in
            try await client.withProducer("t", .init(linger: .zero)) { producer in
                let metadata = try await producer.sendAndWait(Record("a"))
                #expect(metadata.offset == 0)
            }
        }
        #expect(try log.texts() == ["a"])
    }

    @Test("batches whose answer was lost go out again, and are then there twice")
    func atLeastOnce() async throws {
        let log = FakeLog(topic: "t")
        log.plan(.append, .appendAndHangUp)
        try await withFakeServer(log) { client, _ in
            try await client.withProducer("t", .init(linger: .zero)) { producer in
                for text in ["a", "b", "c"] { try await producer.sendAndWait(Record(text)) }
            }
        }
        #expect(try log.texts() == ["a", "b", "b", "c"])
        #expect(log.state.withLock { $0.produceStreams } == 2)
    }

    @Test("where nothing may be written twice, batches whose answer was lost fail")
    func atMostOnce() async throws {
        let log = FakeLog(topic: "t")
        log.plan(.appendAndHangUp)
        try await withFakeServer(log) { client, _ in
            let options = ProducerOptions(linger: .zero, guarantee: .atMostOnce)
            try await client.withProducer("t", options) { producer in
                let thrown = await #expect(throws: CordwoodError.self) {
                    try await producer.sendAndWait(Record("a"))
                }
                #expect(thrown?.code == .unreachable)
                try await producer.sendAndWait(Record("b"))
            }
        }
        #expect(try log.texts() == ["a", "b"])
    }

    @Test("a server that crashes and comes back is found again, and no record is lost")
    func crash() async throws {
        let log = FakeLog(topic: "t")
        try await withFakeServer(log) { client, server in
            try await client.withProducer("t", .init(linger: .zero)) { producer in
                try await producer.sendAndWait(Record("a"))
                await server.kill()
                let delivery = try await producer.submit(Record("b"))
                let revived = try await FakeServer(log, port: server.port)
                #expect(try await delivery.metadata.offset == 1)
                await revived.kill()
            }
        }
        #expect(try log.texts() == ["a", "b"])
    }

    @Test("a server that stays away is given up after the retry timeout")
    func staysAway() async throws {
        let log = FakeLog(topic: "t")
        try await withFakeServer(log, retryTimeout: .milliseconds(200)) { client, server in
            let thrown = await #expect(throws: CordwoodError.self) {
                try await client.withProducer("t", .init(linger: .zero)) { producer in
                    try await producer.sendAndWait(Record("a"))
                    await server.kill()
                    try await producer.send(Record("b"))
                }
            }
            #expect(thrown?.code == .unreachable)
        }
        #expect(try log.texts() == ["a"])
    }

    @Test("a body that throws gives up what waits, and its error comes out")
    func bodyThrows() async throws {
        struct Broken: Error {}
        let log = FakeLog(topic: "t")
        let delivery = Mutex<Delivery?>(nil)
        try await withFakeServer(log) { client, _ in
            await #expect(throws: Broken.self) {
                try await client.withProducer("t", .init(linger: .seconds(60))) { producer in
                    let submitted = try await producer.submit(Record("a"))
                    delivery.withLock { $0 = submitted }
                    throw Broken()
                }
            }
        }
        let given = delivery.withLock { $0 }
        await #expect(throws: CordwoodError.self) { try await given?.metadata }
        #expect(try log.texts().isEmpty)
    }

    @Test("a producer used outside its scope says so")
    func outOfScope() async throws {
        let log = FakeLog(topic: "t")
        try await withFakeServer(log) { client, _ in
            let escaped: Producer = try await client.withProducer("t") { $0 }
            let thrown = await #expect(throws: CordwoodError.self) {
                try await escaped.send(Record("a"))
            }
            #expect(thrown?.code == .closed)
        }
    }

    @Test("topics and partitions that do not exist, and options without sense, are refused at once")
    func refusedAtOnce() async throws {
        let log = FakeLog(topic: "t")
        try await withFakeServer(log) { client, _ in
            func code(
                _ topic: String, _ options: ProducerOptions = .init(), to partition: Int? = nil
            ) async -> CordwoodError.Code? {
                do {
                    try await client.withProducer(topic, options) { producer in
                        try await producer.sendAndWait(Record("a"), to: partition)
                    }
                    return nil
                } catch {
                    return (error as? CordwoodError)?.code
                }
            }
            #expect(await code("nothing") == .topicNotFound)
            #expect(await code("t", to: 1) == .partitionNotFound)
            #expect(await code("t", to: -1) == .partitionNotFound)
            #expect(await code("t", .init(windowBytesMax: 0)) == .invalidArgument)
            #expect(await code("t", .init(linger: .seconds(-1))) == .invalidArgument)
        }
    }
}

/// Counts across tasks.
private final class Counter: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }

    func increment() { value.withLock { $0 += 1 } }
}
