// SPDX-License-Identifier: Apache-2.0

import KafkaProtocol
import Testing

@Suite("Writing Kafka's primitive types")
struct KafkaWriterTests {
    @Test("records that stand elsewhere leave their length and a gap")
    func gaps() {
        var writer = KafkaWriter()
        writer.write(Int8(7))
        writer.write(KafkaRecords.external(count: 300), isFlexible: true)
        writer.write(KafkaRecords.external(count: 5), isFlexible: false)
        #expect(writer.bytes == [7, 0xad, 0x02, 0, 0, 0, 5])
        #expect(writer.gaps.map(\.position) == [3, 7])
        #expect(writer.gaps.map(\.count) == [300, 5])
    }

    @Test("a text beyond Kafka's limit is cut behind a character", arguments: [false, true])
    func longText(isFlexible: Bool) throws {
        var writer = KafkaWriter()
        // Three bytes a character: the limit of 32,767 falls inside of one.
        writer.write(String(repeating: "日", count: 11_000), isFlexible: isFlexible)
        let text = unsafe writer.bytes.withUnsafeBytes { buffer in
            Result { () throws(KafkaDecodingError) in
                var reader = unsafe KafkaReader(buffer)
                return try reader.readString(isFlexible: isFlexible)
            }
        }
        #expect(try text.get() == String(repeating: "日", count: 10_922))
    }

    @Test("null is -1 in old versions and 0 in flexible ones")
    func null() {
        var writer = KafkaWriter()
        writer.write(String?.none, isFlexible: false)
        writer.write(String?.none, isFlexible: true)
        writer.write([UInt8]?.none, isFlexible: false)
        writer.writeCount(nil, isFlexible: true)
        #expect(writer.bytes == [0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xff, 0])
    }

    @Test("only tagged fields that differ from their defaults are written, in order")
    func tags() throws {
        var response = ApiVersionsResponse()
        response.finalizedFeaturesEpoch = 5
        response.zkMigrationReady = true
        var writer = KafkaWriter()
        response.encode(into: &writer, version: 3)
        #expect(Array(writer.bytes.dropFirst(7)) == [2, 1, 8, 0, 0, 0, 0, 0, 0, 0, 5, 3, 1, 1])
        writer = KafkaWriter()
        response.encode(into: &writer, version: 2)
        #expect(writer.bytes.count == 10)
    }
}
