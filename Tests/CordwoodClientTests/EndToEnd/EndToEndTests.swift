// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import CordwoodTesting
import Testing

@Suite("Client and server", .timeLimit(.minutes(2)))
struct EndToEndTests {
    @Test(
        "what is produced is consumed, byte for byte",
        arguments: ProducerOptions.Compression.allCases)
    func roundTrip(compression: ProducerOptions.Compression) async throws {
        try await withCordwood(topics: [TestTopic("orders", partitions: 3)]) { server in
            let sent = (0..<3000).map { number in
                Record(
                    key: number % 5 == 0 ? nil : Array("key \(number % 100)".utf8),
                    value: number % 7 == 0
                        ? nil : [UInt8](repeating: UInt8(number % 256), count: number % 300),
                    headers: number % 3 == 0
                        ? [.init("n", Array("\(number)".utf8)), .init("n", nil)] : [],
                    timestamp: Timestamp(milliseconds: Int64(number)))
            }
            let options = ProducerOptions(linger: .milliseconds(1), compression: compression)
            try await server.client.withProducer("orders", options) { producer in
                for record in sent { try await producer.send(record) }
            }
            try await server.client.withConsumer("orders", bytesMax: 100_000) { consumer in
                var read: [Record] = []
                var next: [Int: Offset] = [:]
                for try await consumed in consumer {
                    #expect(consumed.offset == next[consumed.partition, default: 0])
                    next[consumed.partition] = consumed.offset.advanced(by: 1)
                    var record = consumed.record
                    record.offset = 0
                    read.append(record)
                }
                #expect(read.count == sent.count)
                #expect(Set(read) == Set(sent))
                // Records of one key keep their order.
                let key = Array("key 42".utf8)
                #expect(read.filter { $0.key == key } == sent.filter { $0.key == key })
            }
        }
    }

    @Test("who follows is woken by each record")
    func follow() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            try await server.client.withConsumer("orders", from: .end, follow: true) { consumer in
                var records = consumer.makeAsyncIterator()
                for number in 0..<20 {
                    try await server.client.produce("orders", value: "\(number)")
                    let record = try await records.next()
                    #expect(record?.text == "\(number)")
                    #expect(record?.offset == Offset(Int64(number)))
                }
            }
        }
    }

    @Test("offsets are found from either end, by time and by number")
    func offsets() async throws {
        try await withCordwood(topics: [TestTopic("orders", partitions: 2)]) { server in
            for time in 1...10 as ClosedRange<Int64> {
                try await server.client.produce(
                    "orders", value: "\(time)", timestamp: Timestamp(milliseconds: time * 100),
                    partition: 1)
            }
            func find(_ position: StartPosition) async throws -> [Offset] {
                try await server.client.listOffsets("orders", at: position).map(\.offset)
            }
            #expect(try await find(.start) == [0, 0])
            #expect(try await find(.end) == [0, 10])
            #expect(try await find(.last(3)) == [0, 7])
            #expect(try await find(.timestamp(Timestamp(milliseconds: 350))) == [0, 3])
            let found = try await server.client.listOffsets(
                "orders", partitions: [1], at: .timestamp(Timestamp(milliseconds: 350)))
            #expect(found.first?.timestamp == Timestamp(milliseconds: 400))
            #expect(found.first?.highWatermark == 10)
            let texts = try await server.client.withConsumer(
                "orders", from: .timestamp(Timestamp(milliseconds: 801))
            ) { consumer in
                var texts: [String] = []
                for try await record in consumer { texts.append(record.text) }
                return texts
            }
            #expect(texts == ["9", "10"])
        }
    }

    @Test("topics are made, described, changed and deleted")
    func topics() async throws {
        try await withCordwood { server in
            let client = server.client
            let made = try await client.createTopic(
                "orders", partitions: 2, settings: ["retention.ms": "60000"])
            #expect(made.partitionCount == 2 && made.id.count == 32)
            #expect(made[setting: "retention.ms"] == "60000")
            #expect(try await client.listTopics().map(\.name).contains("orders"))
            try await client.configureTopic(
                "orders", set: ["durability": "os"], reset: ["retention.ms"])
            for number in 0..<5 {
                try await client.produce("orders", value: "\(number)", partition: 0)
            }
            #expect(try await client.deleteRecords("orders", partition: 0, before: 3) == 3)
            let description = try await client.describeTopic("orders")
            #expect(description.topic[setting: "durability"] == "os")
            #expect(description.topic.settings.first { $0.name == "retention.ms" }?.isSet == false)
            #expect(description.partitions.map(\.recordCount) == [2, 0])
            #expect(description.partitions.map(\.state) == ["online", "online"])
            try await client.deleteTopic("orders")
            let gone = await #expect(throws: CordwoodError.self) {
                try await client.describeTopic("orders")
            }
            #expect(gone?.code == .topicNotFound)
        }
    }

    @Test("the server's refusals come with their code, and what there is to know")
    func refusals() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            let client = server.client
            let large = [UInt8](repeating: 0, count: 2 << 20)
            let refusals: [(CordwoodError.Code, () async throws -> Void)] = [
                (.topicExists, { try await client.createTopic("orders") }),
                (.invalidTopicName, { try await client.createTopic("../etc") }),
                (.invalidPartitionCount, { try await client.createTopic("x", partitions: 2000) }),
                (.unknownSetting, { try await client.createTopic("x", settings: ["a": "b"]) }),
                (.topicNotFound, { try await client.produce("none", value: "a") }),
                (
                    .partitionNotFound,
                    { try await client.produce("orders", value: "a", partition: 9) }
                ),
                (.batchTooLarge, { try await client.produce("orders", value: large) }),
            ]
            for (code, body) in refusals {
                do {
                    try await body()
                    Issue.record("\(code) was expected")
                } catch {
                    #expect((error as? CordwoodError)?.code == code)
                }
            }
            try await client.produce("orders", value: "a")
            let outOfRange = await #expect(throws: CordwoodError.self) {
                try await client.withConsumer("orders", from: .offset(5)) { _ in }
            }
            #expect(outOfRange?.code == .offsetOutOfRange)
            #expect(outOfRange?.validOffsets == 0..<1)
        }
    }

    @Test("a record over the limit fails alone, and the stream goes on")
    func oversizeInStream() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            try await server.client.withProducer("orders") { producer in
                let large = Record(value: [UInt8](repeating: 0, count: 2 << 20))
                let refused = try await producer.submit(large)
                let fine = try await producer.submit(Record("fine"))
                let thrown = await #expect(throws: CordwoodError.self) {
                    try await refused.metadata
                }
                #expect(thrown?.code == .batchTooLarge)
                #expect(try await fine.metadata.offset == 0)
            }
        }
    }

    @Test("a server that runs says so")
    func health() async throws {
        try await withCordwood { server in
            let health = try await server.client.health()
            #expect(health == .serving)
        }
    }

    @Test("many tasks share a client and a producer")
    func manyTasks() async throws {
        try await withCordwood(topics: [TestTopic("orders", partitions: 4)]) { server in
            try await server.client.withProducer("orders", .init(linger: .milliseconds(2))) {
                producer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<20 {
                        group.addTask {
                            for number in 0..<50 {
                                try await producer.sendAndWait(
                                    Record("\(number)", key: "task \(task)"))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let counts = try await server.client.describeTopic("orders").partitions.map(
                \.recordCount)
            #expect(counts.reduce(0, +) == 1000)
        }
    }
}
