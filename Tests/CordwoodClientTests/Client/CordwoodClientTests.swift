// SPDX-License-Identifier: Apache-2.0

import Glibc
import LogAPI
import Testing

@testable import CordwoodClient

@Suite("Client", .timeLimit(.minutes(1)))
struct CordwoodClientTests {
    @Test("a server that is down is reported at once, with what to do")
    func unreachable() async throws {
        let log = FakeLog(topic: "t")
        let server = try await FakeServer(log)
        await server.kill()
        let began = ContinuousClock.now
        for _ in 0..<3 {
            let thrown = await #expect(throws: CordwoodError.self) {
                try await CordwoodClient.withClient(.init(server: "127.0.0.1:\(server.port)")) {
                    _ = try await $0.listTopics()
                }
            }
            #expect(thrown?.code == .unreachable)
            #expect(thrown?.isRetryable == true)
            #expect(thrown?.hint.contains("cordwood dev") == true)
            #expect(thrown?.message.contains("127.0.0.1:\(server.port)") == true)
        }
        #expect(ContinuousClock.now - began < .seconds(5))
    }

    @Test("a producer and a consumer of a server that is down fail at once too")
    func unreachableStreams() async throws {
        let log = FakeLog(topic: "t")
        let server = try await FakeServer(log)
        await server.kill()
        let began = ContinuousClock.now
        try await CordwoodClient.withClient(.init(server: "127.0.0.1:\(server.port)")) { client in
            await #expect(throws: CordwoodError.self) {
                try await client.withProducer("t") { _ in }
            }
            await #expect(throws: CordwoodError.self) {
                try await client.withConsumer("t") { _ in }
            }
        }
        #expect(ContinuousClock.now - began < .seconds(5))
    }

    @Test("an answer that does not come is given up at the request timeout")
    func deadline() async throws {
        let log = FakeLog(topic: "t")
        try await withFakeServer(log, requestTimeout: .milliseconds(100)) { client, _ in
            let thrown = await #expect(throws: CordwoodError.self) {
                try await client.deleteTopic("t")
            }
            #expect(thrown?.code == .deadlineExceeded)
        }
    }

    @Test("a server that takes the connection and says nothing is given up in time")
    func silent() async throws {
        let listener = try SilentListener()
        var configuration = CordwoodClient.Configuration(server: "127.0.0.1:\(listener.port)")
        configuration.requestTimeout = .milliseconds(100)
        configuration.connectTimeout = .milliseconds(100)
        try await CordwoodClient.withClient(configuration) { client in
            let call = await #expect(throws: CordwoodError.self) {
                _ = try await client.listTopics()
            }
            #expect(call?.code == .deadlineExceeded)
            let stream = await #expect(throws: CordwoodError.self) {
                try await client.connection.stream { options, _ in
                    try await client.connection.log.consume(.init(), options: options) { _ in }
                }
            }
            #expect(stream?.code == .unreachable)
        }
    }

    @Test("a cancelled call says that it was cancelled")
    func cancelled() async throws {
        let log = FakeLog(topic: "t")
        try await withFakeServer(log) { client, _ in
            let call = Task { try await client.deleteTopic("t") }
            call.cancel()
            let result = await call.result
            #expect { try result.get() } throws: { ($0 as? CordwoodError)?.code == .cancelled }
        }
    }

    @Test("a client that is closed says so")
    func closed() async throws {
        let log = FakeLog(topic: "t")
        try await withFakeServer(log) { client, server in
            let escaped = try await CordwoodClient.withClient(client.configuration) { $0 }
            let thrown = await #expect(throws: CordwoodError.self) {
                _ = try await escaped.listTopics()
            }
            #expect(thrown?.code == .closed)
        }
    }

    @Test("a client runs as a service, and its calls work meanwhile")
    func service() async throws {
        let log = FakeLog(topic: "t")
        let server = try await FakeServer(log)
        let client = try CordwoodClient(.init(server: "127.0.0.1:\(server.port)"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            #expect(try await client.listTopics().map(\.name) == ["t"])
            group.cancelAll()
            try await group.waitForAll()
        }
        await server.kill()
    }

    @Test("topics are described, and the server's refusals have their codes")
    func topics() async throws {
        let log = FakeLog(topic: "t", partitionCount: 4)
        try await withFakeServer(log) { client, _ in
            let topic = try await client.describeTopic("t").topic
            #expect(topic.partitionCount == 4)
            #expect(topic[setting: "durability"] == "fsync")
            #expect(topic[setting: "nothing"] == nil)
            let exists = await #expect(throws: CordwoodError.self) {
                try await client.createTopic("t", partitions: 3)
            }
            #expect(exists?.code == .topicExists)
            let none = await #expect(throws: CordwoodError.self) {
                try await client.createTopic("t", partitions: 0)
            }
            #expect(none?.code == .invalidPartitionCount)
            #expect(try await client.deleteRecords("t", partition: 0, before: 5) == 5)
            #expect(try await client.deleteRecords("t", partition: 0, before: nil) == -1)
        }
    }

    @Test("single records go by their key, and in turn without one")
    func produce() async throws {
        let log = FakeLog(topic: "t", partitionCount: 12)
        try await withFakeServer(log) { client, _ in
            #expect(try await client.produce("t", key: "u42", value: "a").partition == 11)
            #expect(try await client.produce("t", key: "u42", value: "b").offset == 1)
            var partitions: [Int] = []
            for _ in 0..<3 {
                partitions.append(try await client.produce("t", value: "x").partition)
            }
            #expect(partitions == [0, 1, 2])
            #expect(try await client.produce("t", value: [1], partition: 7).partition == 7)
        }
        #expect(try log.texts(11) == ["a", "b"])
    }
}

/// A socket that listens on a port of its own and never accepts: the system completes connections
/// to it, and nobody answers on them.
private struct SilentListener: ~Copyable {
    let port: Int
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let isListening = withUnsafeMutableBytes(of: &address) { bytes in
            guard let name = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress else {
                return false
            }
            return bind(descriptor, name, size) == 0 && listen(descriptor, 16) == 0
                && getsockname(descriptor, name, &size) == 0
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        try #require(isListening)
    }

    deinit { close(descriptor) }
}
