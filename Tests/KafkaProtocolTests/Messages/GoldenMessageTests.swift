// SPDX-License-Identifier: Apache-2.0

import KafkaProtocol
import Testing

@Suite("Messages of other Kafka clients")
struct GoldenMessageTests {
    @Test("there are golden bytes for every advertised version", arguments: ApiKey.allCases)
    func coverage(key: ApiKey) throws {
        let messages = try GoldenMessage.all(of: key)
        for isRequest in [true, false] {
            let versions = messages.filter { $0.isRequest == isRequest }.map(\.version)
            #expect(versions == key.versions.flatMap { [$0, $0] })
        }
    }

    @Test("a message is read to its end and has the values put in", arguments: ApiKey.allCases)
    func decode(key: ApiKey) throws {
        for golden in try GoldenMessage.all(of: key) {
            let decoded = try Decoded(golden.type, version: golden.version, from: golden.bytes)
            #expect(MessageText.of(decoded.message) == golden.text, "\(golden.version)")
            #expect(decoded.position == golden.bytes.count, "\(golden.version)")
        }
    }

    @Test("a message that was read is written with the same bytes", arguments: ApiKey.allCases)
    func encode(key: ApiKey) throws {
        for golden in try GoldenMessage.all(of: key) {
            let decoded = try Decoded(golden.type, version: golden.version, from: golden.bytes)
            #expect(decoded.encoded(version: golden.version) == golden.bytes, "\(golden.version)")
        }
    }

    @Test("stray bytes behind a message are left alone", arguments: ApiKey.allCases)
    func trailingBytes(key: ApiKey) throws {
        for golden in try GoldenMessage.all(of: key) {
            let bytes = golden.bytes + [0xff, 0, 0x7f]
            let decoded = try Decoded(golden.type, version: golden.version, from: bytes)
            #expect(MessageText.of(decoded.message) == golden.text)
            #expect(decoded.position == golden.bytes.count)
        }
    }

    @Test("tagged fields that are not known are passed over", arguments: ApiKey.allCases)
    func unknownTags(key: ApiKey) throws {
        guard let flexible = key.firstFlexibleVersion else { return }
        let messages = try GoldenMessage.all(of: key)
        for golden in messages where golden.version >= flexible && !golden.isFull {
            // The last byte of a message without tagged fields says that there are none.
            #expect(golden.bytes.last == 0)
            let bytes = golden.bytes.dropLast() + [2, 90, 3, 1, 2, 3, 0x80, 0x01, 0]
            let decoded = try Decoded(golden.type, version: golden.version, from: [UInt8](bytes))
            #expect(MessageText.of(decoded.message) == golden.text)
            #expect(decoded.position == bytes.count)
        }
    }

    @Test("an unset message has what stands for missing fields, in all versions")
    func unsetValues() throws {
        for key in ApiKey.allCases {
            for version in key.versions {
                for type in [key.requestType, key.responseType] {
                    var writer = KafkaWriter()
                    type.init().encode(into: &writer, version: version)
                    let decoded = try Decoded(type, version: version, from: writer.bytes)
                    #expect(MessageText.of(decoded.message) == "{}", "\(type) \(version)")
                }
            }
        }
    }
}
