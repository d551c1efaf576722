// SPDX-License-Identifier: Apache-2.0

import KafkaProtocol
import Testing

@Suite("Headers of requests")
struct RequestHeaderTests {
    /// Reads a header to its end.
    private func header(
        _ bytes: [UInt8], headerVersion: Int16
    ) throws(KafkaDecodingError) -> (start: RequestStart, clientID: String?, left: Int) {
        let result = unsafe bytes.withUnsafeBytes { buffer in
            Result { () throws(KafkaDecodingError) in
                var reader = unsafe KafkaReader(buffer)
                let start = try RequestStart(from: &reader)
                let rest = try RequestRest(from: &reader, headerVersion: headerVersion)
                return (start, rest.clientID, reader.remaining)
            }
        }
        return try result.get()
    }

    @Test("a header says what is asked, in which version, under which number and by whom")
    func old() throws {
        let read = try header([0, 3, 0, 1, 0, 0, 0, 9, 0, 2, 0x6d, 0x65, 5], headerVersion: 1)
        #expect(read.start.apiKey == 3)
        #expect(read.start.apiVersion == 1)
        #expect(read.start.correlationID == 9)
        #expect(read.clientID == "me")
        #expect(read.left == 1)
    }

    @Test("the client's name keeps its old form in headers with tagged fields")
    func flexible() throws {
        let read = try header(
            [0, 3, 0, 9, 0xff, 0xff, 0xff, 0xff, 0, 1, 0x6d, 1, 0, 2, 1, 2], headerVersion: 2)
        #expect(read.start.correlationID == -1)
        #expect(read.clientID == "m")
        #expect(read.left == 0)
    }

    @Test("a client need not have a name")
    func noName() throws {
        let read = try header([0, 3, 0, 1, 0, 0, 0, 9, 0xff, 0xff], headerVersion: 1)
        #expect(read.clientID == nil)
    }

    @Test("a header cut anywhere is refused")
    func truncation() {
        let bytes: [UInt8] = [0, 3, 0, 9, 0, 0, 0, 1, 0, 1, 0x6d, 1, 0, 2, 1, 2]
        for count in bytes.indices {
            #expect(throws: KafkaDecodingError.self) {
                try header([UInt8](bytes[..<count]), headerVersion: 2)
            }
        }
    }
}
