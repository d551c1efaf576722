// SPDX-License-Identifier: Apache-2.0

import KafkaProtocol
import Testing

/// Reads something from bytes.
private func read<Value>(
    _ bytes: [UInt8],
    _ body: (inout KafkaReader) throws(KafkaDecodingError) -> Value
) throws(KafkaDecodingError) -> Value {
    let result = unsafe bytes.withUnsafeBytes { buffer in
        Result { () throws(KafkaDecodingError) in
            var reader = unsafe KafkaReader(buffer)
            return try body(&reader)
        }
    }
    return try result.get()
}

/// Why reading fails.
private func reason<Value>(
    _ bytes: [UInt8],
    _ body: (inout KafkaReader) throws(KafkaDecodingError) -> Value
) -> KafkaDecodingError.Reason? {
    do throws(KafkaDecodingError) {
        _ = try read(bytes, body)
        return nil
    } catch {
        return error.reason
    }
}

@Suite("Reading Kafka's primitive types")
struct KafkaReaderTests {
    @Test("numbers are big-endian and signed")
    func numbers() throws {
        let bytes: [UInt8] = [
            0xff, 0x80, 0x00, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
        ]
        let values = try read(bytes) { reader throws(KafkaDecodingError) in
            (
                try reader.readInt8(), try reader.readInt16(), try reader.readInt32(),
                try reader.readInt64()
            )
        }
        #expect(values == (-1, .min, 256, -2))
    }

    @Test("a number that is not all there is cut short, and says where")
    func cutShort() {
        let error = #expect(throws: KafkaDecodingError.self) {
            try read([0, 1, 2, 3]) { reader throws(KafkaDecodingError) in
                _ = try reader.readInt16()
                return try reader.readInt32()
            }
        }
        #expect(error?.reason == .cutShort)
        #expect(error?.position == 2)
        #expect(error?.description == "it is cut short at byte 2")
    }

    @Test("a varint has at most five bytes and 32 bits")
    func varints() throws {
        #expect(
            try read([0x80, 0x01]) { r throws(KafkaDecodingError) in try r.readUnsignedVarint() }
                == 128)
        #expect(
            try read([0xff, 0xff, 0xff, 0xff, 0x0f]) { r throws(KafkaDecodingError) in
                try r.readUnsignedVarint()
            } == .max)
        for bytes in [
            [0xff, 0xff, 0xff, 0xff, 0x1f], [0x80, 0x80, 0x80, 0x80, 0x80, 0x00], [0x80],
        ] as [[UInt8]] {
            #expect(
                reason(bytes) { r throws(KafkaDecodingError) in try r.readUnsignedVarint() }
                    == .badVarint)
        }
        #expect(
            reason([]) { r throws(KafkaDecodingError) in try r.readUnsignedVarint() } == .cutShort)
    }

    @Test("a text is UTF-8, and null only where that is allowed")
    func texts() throws {
        #expect(
            try read([0, 3, 0x61, 0xc3, 0xa9]) { r throws(KafkaDecodingError) in
                try r.readString(isFlexible: false)
            } == "aé")
        #expect(
            try read([0]) { r throws(KafkaDecodingError) in
                try r.readNullableString(isFlexible: true)
            } == nil)
        #expect(
            try read([1]) { r throws(KafkaDecodingError) in try r.readString(isFlexible: true) }
                == "")
        #expect(
            reason([0xff, 0xff]) { r throws(KafkaDecodingError) in
                try r.readString(isFlexible: false)
            }
                == .unexpectedNull)
        #expect(
            reason([2, 0xff]) { r throws(KafkaDecodingError) in try r.readString(isFlexible: true) }
                == .badText)
    }

    @Test("lengths below -1, or beyond what is left, are refused")
    func lengths() {
        #expect(
            reason([0xff, 0xfe]) { r throws(KafkaDecodingError) in
                try r.readNullableString(isFlexible: false)
            } == .badLength(-2))
        #expect(
            reason([0x7f, 0xff, 0xff, 0xff, 1]) { r throws(KafkaDecodingError) in
                try r.readBytes(isFlexible: false)
            } == .badLength(0x7fff_ffff))
        #expect(
            reason([0xff, 0xff, 0xff, 0xff, 0x0f, 1]) { r throws(KafkaDecodingError) in
                try r.readRecords(isFlexible: true)
            } == .badLength(0xffff_fffe))
    }

    @Test("a count costs nothing before the bytes of its elements are there")
    func counts() throws {
        let claim: [UInt8] = [0x3b, 0x9a, 0xca, 0, 1, 2, 3]
        #expect(
            reason(claim) { r throws(KafkaDecodingError) in
                try r.readCount(isFlexible: false, isNullable: true, leastSize: 1, stride: 8)
            } == .badLength(1_000_000_000))
        let three: [UInt8] = [0, 0, 0, 3, 1, 2, 3]
        #expect(
            try read(three) { r throws(KafkaDecodingError) in
                try r.readCount(isFlexible: false, isNullable: false, leastSize: 1, stride: 8)
            } == 3)
        #expect(
            reason(three) { r throws(KafkaDecodingError) in
                try r.readCount(isFlexible: false, isNullable: false, leastSize: 2, stride: 8)
            } == .badLength(3))
    }

    @Test("elements of all arrays of a message share one bound of memory")
    func sharedBound() throws {
        let bytes: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0]
        let stride = KafkaReader.memoryFloor / 5
        #expect(
            try read(bytes) { r throws(KafkaDecodingError) in
                try r.readCount(isFlexible: false, isNullable: false, leastSize: 1, stride: stride)
            } == 4)
        let again = bytes[..<4] + bytes
        #expect(
            reason([UInt8](again)) { r throws(KafkaDecodingError) in
                for _ in 0..<2 {
                    _ = try r.readCount(
                        isFlexible: false, isNullable: false, leastSize: 1, stride: stride)
                }
                return true
            } == .tooManyElements)
        #expect(
            reason(bytes) { r throws(KafkaDecodingError) in
                try r.readCount(
                    isFlexible: false, isNullable: false, leastSize: 1, stride: .max / 2)
            } == .tooManyElements)
    }

    @Test("records are a place in the bytes, not a copy")
    func records() throws {
        #expect(
            try read([0, 0, 0, 2, 9, 9]) { r throws(KafkaDecodingError) in
                try r.readRecords(isFlexible: false)
            } == .slice(4..<6))
        #expect(
            try read([0]) { r throws(KafkaDecodingError) in try r.readRecords(isFlexible: true) }
                == .null)
    }

    @Test("more tagged fields than there are bytes are refused")
    func manyTags() {
        #expect(
            reason([0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0]) { r throws(KafkaDecodingError) in
                try r.skipTags()
            } == .cutShort)
        #expect(
            reason([1, 1, 9, 0]) { r throws(KafkaDecodingError) in try r.skipTags() }
                == .badLength(9))
    }
}
