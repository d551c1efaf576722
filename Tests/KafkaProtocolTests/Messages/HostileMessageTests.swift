// SPDX-License-Identifier: Apache-2.0

import Bytes
import KafkaProtocol
import Testing

@Suite("Messages that lie")
struct HostileMessageTests {
    /// Golden requests of a kind, and its answers, which a peer could send as well.
    private func messages(of key: ApiKey) throws -> [GoldenMessage] {
        try GoldenMessage.all(of: key)
    }

    /// Reads bytes; what comes out must be bounded, and be the same once more written and read.
    private func attempt(_ bytes: [UInt8], as golden: GoldenMessage) throws -> Bool {
        let version = golden.version
        guard let first = try? Decoded(golden.type, version: version, from: bytes) else {
            return false  // Refused with a typed error: what there is to do.
        }
        let written = first.encoded(version: version)
        let second = try Decoded(golden.type, version: version, from: written)
        #expect(first.holdsSame(as: second))
        return true
    }

    @Test("a message cut anywhere is refused as cut short", arguments: ApiKey.allCases)
    func truncation(key: ApiKey) throws {
        for golden in try messages(of: key) {
            for count in golden.bytes.indices {
                #expect(throws: KafkaDecodingError.self, "\(golden.version) at \(count)") {
                    try Decoded(
                        golden.type, version: golden.version, from: [UInt8](golden.bytes[..<count]))
                }
            }
        }
    }

    @Test(
        "flipped bits never trap, and what is still read is written the same",
        arguments: ApiKey.allCases)
    func flippedBits(key: ApiKey) throws {
        var random = SplitMix64(seed: UInt64(key.rawValue))
        var accepted = 0
        for golden in try messages(of: key) where !golden.bytes.isEmpty {
            for _ in 0..<40 {
                var bytes = golden.bytes
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let place = Int.random(in: bytes.indices, using: &random)
                    bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                if try attempt(bytes, as: golden) { accepted += 1 }
            }
        }
        #expect(accepted > 0)
    }

    @Test(
        "lengths and counts that cannot be are refused wherever they stand",
        arguments: ApiKey.allCases)
    func lyingLengths(key: ApiKey) throws {
        let lies: [[UInt8]] = [
            [0xff, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xfe], [0x7f, 0xff, 0xff, 0xff],
            [0x3b, 0x9a, 0xca, 0x00], [0x80, 0x00, 0x00, 0x00],
            // Two bytes: short texts.
            [0x7f, 0xff], [0xff, 0xfe],
            // Compact: 10^9, 2^32 - 1, more than 32 bits, longer than five bytes.
            [0x81, 0x94, 0xeb, 0xdc, 0x03], [0xff, 0xff, 0xff, 0xff, 0x0f],
            [0xff, 0xff, 0xff, 0xff, 0x1f], [0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        ]
        for golden in try messages(of: key) where golden.isRequest {
            for place in golden.bytes.indices {
                for lie in lies {
                    let rest = golden.bytes.dropFirst(place + lie.count)
                    _ = try attempt(golden.bytes[..<place] + lie + rest, as: golden)
                }
            }
        }
    }

    @Test(
        "whatever the bytes, the memory of what comes out is bounded by them",
        arguments: ApiKey.allCases)
    func boundedMemory(key: ApiKey) throws {
        let size = 16 << 10
        for version in key.versions {
            for type in [key.requestType, key.responseType] {
                for filler in [0, 1, 2, 3, 0x10, 0x7f, 0x81, 0xff] as [UInt8] {
                    var bytes = [UInt8](repeating: filler, count: size)
                    // Something that could be a count in front of what could be elements.
                    for head in [[], [0, 0, 0x0f, 0xff], [0xff, 0x1f], [0x80, 0x40]] as [[UInt8]] {
                        bytes.replaceSubrange(0..<head.count, with: head)
                        guard let decoded = try? Decoded(type, version: version, from: bytes) else {
                            continue  // Refused, which is what most of these deserve.
                        }
                        let limit = max(
                            size * KafkaReader.memoryFactor, KafkaReader.memoryFloor)
                        #expect(MessageText.arrayBytes(in: decoded.message) <= limit)
                    }
                }
            }
        }
    }

    @Test("no message takes more memory than there may be for one, however long it is")
    func densestElements() throws {
        // Each topic is an empty name and no tagged fields: two bytes that take 32 once read.
        let stride = MemoryLayout<MetadataRequest.MetadataRequestTopic>.stride
        let count = KafkaReader.memoryMax / stride + 1
        var writer = KafkaWriter()
        writer.writeCount(count, isFlexible: true)
        var bytes = writer.bytes
        bytes.reserveCapacity(2 * count + 16)
        for _ in 0..<count { bytes += [1, 0] }
        bytes += [0, 0, 0, 0]
        let error = #expect(throws: KafkaDecodingError.self) {
            _ = try Decoded(MetadataRequest.self, version: 9, from: bytes)
        }
        #expect(error?.reason == .tooManyElements)
    }

    @Test("a request for very many topics is read")
    func honestElements() throws {
        var honest = MetadataRequest()
        honest.topics = (0..<20_000).map { number in
            var topic = MetadataRequest.MetadataRequestTopic()
            topic.name = "topic-\(10_000 + number)"
            return topic
        }
        var writer = KafkaWriter()
        honest.encode(into: &writer, version: 9)
        let decoded = try Decoded(MetadataRequest.self, version: 9, from: writer.bytes)
        #expect(decoded.message as? MetadataRequest == honest)
    }

    @Test("a known tagged field that is longer or shorter than it says is refused")
    func tagsOfOtherLength() throws {
        var request = FetchRequest()
        request.clusterId = "c"
        var writer = KafkaWriter()
        request.encode(into: &writer, version: 12)
        let sound = writer.bytes
        #expect(Array(sound.suffix(5)) == [1, 0, 2, 2, 0x63])
        for tags in [[1, 0, 3, 2, 0x63, 0], [1, 0, 1, 2, 0x63]] as [[UInt8]] {
            #expect(throws: KafkaDecodingError.self) {
                _ = try Decoded(FetchRequest.self, version: 12, from: sound.dropLast(5) + tags)
            }
        }
    }

    @Test("tagged fields out of order or twice are refused")
    func tagsOutOfOrder() throws {
        var writer = KafkaWriter()
        FetchRequest().encode(into: &writer, version: 12)
        let untagged = Array(writer.bytes.dropLast())
        for tags in [[2, 91, 0, 90, 0], [2, 90, 0, 90, 0]] as [[UInt8]] {
            let error = #expect(throws: KafkaDecodingError.self) {
                _ = try Decoded(FetchRequest.self, version: 12, from: untagged + tags)
            }
            #expect(error?.reason == .badTag)
        }
    }
}
