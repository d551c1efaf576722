// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import CordwoodTesting
import Foundation
import Logging
import Testing

private func texts(of topic: String, with client: CordwoodClient) async throws -> [String] {
    try await client.withConsumer(topic) { consumer in
        var texts: [String] = []
        for try await record in consumer { texts.append(record.text) }
        return texts
    }
}

private func temporaryFolders() throws -> Set<String> {
    let folder = FileManager.default.temporaryDirectory.path
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return Set(names.filter { $0.hasPrefix("cordwood-test-") })
}

@Suite("A server inside a test", .timeLimit(.minutes(1)), .serialized)
struct CordwoodServerTests {
    @Test(
        "records come back from memory and from a folder",
        arguments: [TestStorage.memory, .temporaryFolder])
    func roundTrip(storage: TestStorage) async throws {
        let before = try temporaryFolders()
        try await withCordwood(
            storage, topics: ["orders", .init("many", partitions: 3)]
        ) { server in
            #expect(server.address.hasPrefix("127.0.0.1:"))
            try await server.client.produce("orders", value: "a")
            try await server.client.produce("orders", value: "b")
            #expect(try await texts(of: "orders", with: server.client) == ["a", "b"])
            #expect(try await server.client.describeTopic("many").partitions.count == 3)
            let folders = try temporaryFolders().subtracting(before)
            #expect(folders.count == (storage == .memory ? 0 : 1))
        }
        #expect(try temporaryFolders().subtracting(before).isEmpty)
    }

    @Test("servers of tests that run at the same time do not meet")
    func isolation() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask {
                    try await withCordwood(topics: ["t"]) { server in
                        let record = Record("\(number)")
                        try await server.client.produce("t", record)
                        #expect(try await texts(of: "t", with: server.client) == ["\(number)"])
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("an error of the test comes out, and the server is gone")
    func failure() async throws {
        struct Expected: Error {}
        let before = try temporaryFolders()
        await #expect(throws: Expected.self) {
            try await withCordwood(.temporaryFolder) { _ in throw Expected() }
        }
        #expect(try temporaryFolders().subtracting(before).isEmpty)
    }

    @Test("settings are the server's own, checked like a file's")
    func settings() async throws {
        try await withCordwood(
            topics: ["t"], settings: ["topics.default.max.message.bytes": "1KiB"]
        ) { server in
            await #expect(throws: CordwoodError.self) {
                let large = Record(String(repeating: "x", count: 4096))
                try await server.client.produce("t", large)
            }
        }
        await #expect(throws: (any Error).self) {
            try await withCordwood(settings: ["no.such.key": "1"]) { _ in }
        }
    }

    @Test("a server is ready in milliseconds")
    func start() async throws {
        try await withCordwood { _ in }
        let clock = ContinuousClock()
        let began = clock.now
        let ready = try await withCordwood { _ in clock.now - began }
        // Some 5 ms on an idle machine; the bound is for one that is busy with other tests.
        #expect(ready < .milliseconds(500))
    }
}
