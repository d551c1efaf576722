// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import CordwoodTesting
import Testing

@Suite("Landing page", .timeLimit(.minutes(1)))
struct LandingPageTests {
    // The program of CordwoodClient.md, but that its reader leaves after the last record.
    @Test("the program of the landing page works as it stands")
    func program() async throws {
        try await withCordwood(topics: [TestTopic("orders", partitions: 3)]) { server in
            var count = 0
            try await CordwoodClient.withClient(.init(server: server.address)) { client in
                let metadata = try await client.produce("orders", key: "u42", value: "created")
                #expect("\(metadata.partition), \(metadata.offset)" == "2, 0")

                try await client.withProducer("orders", .init(linger: .milliseconds(5))) {
                    producer in
                    for number in 0..<1000 {
                        try await producer.send(Record("order \(number)", key: "u\(number % 100)"))
                    }
                }

                try await client.withConsumer("orders", from: .start, follow: true) { records in
                    for try await record in records {
                        #expect(record.text == "created" || record.text.hasPrefix("order"))
                        count += 1
                        if count == 1001 { break }
                    }
                }
            }
            #expect(count == 1001)
        }
    }
}
