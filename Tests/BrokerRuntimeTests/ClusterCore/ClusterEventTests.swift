// SPDX-License-Identifier: Apache-2.0

import ClusterCore
import Testing

@Suite("A cluster event")
struct ClusterEventTests {
    static let id = TopicID(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)
    static let idBytes = "00112233445566778899aabbccddeeff"

    /// The bytes that any version of this kind of event has had, and has to be read from.
    static let golden: [(ClusterEvent, String)] = [
        (
            .topicCreated(
                id: id, name: "logs", partitionCount: 3,
                settings: [TopicOverride(name: "durability", value: "os")]),
            "0101" + idBytes + "0004" + "6c6f6773" + "00000003"
                + "0001" + "000a" + "6475726162696c697479" + "0002" + "6f73"
        ),
        (
            .topicConfigured(id: id, settings: []),
            "0102" + idBytes + "0000"
        ),
        (.topicDeleted(id: id), "0103" + idBytes),
        (.partitionsAdded(id: id, partitionCount: 12), "0104" + idBytes + "0000000c"),
        (.producerIDsReserved(upTo: 2000), "0105" + "00000000000007d0"),
    ]

    @Test("has these bytes, and is read from them", arguments: golden.indices)
    func goldenBytes(_ number: Int) throws {
        let (event, hex) = Self.golden[number]
        #expect(Self.hex(event.encoded) == hex)
        #expect(ClusterEvent(event.encoded) == event)
    }

    @Test("is not read from bytes that were cut, are too many, or of another version or kind")
    func refusals() {
        for (event, _) in Self.golden {
            let bytes = event.encoded
            for count in bytes.indices { #expect(ClusterEvent(Array(bytes[..<count])) == nil) }
            #expect(ClusterEvent(bytes + [0]) == nil)
            #expect(ClusterEvent([2] + bytes.dropFirst()) == nil)
            #expect(ClusterEvent([1, 6] + bytes.dropFirst(2)) == nil)
        }
        #expect(ClusterEvent([1, 5, 0xff, 0, 0, 0, 0, 0, 0, 0]) == nil, "a negative producer id")
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}

@Suite("The cluster's state")
struct ClusterStateTests {
    @Test("never takes partitions away, nor gives them to a topic that is gone")
    func partitionsGrow() {
        var state = ClusterState()
        let id = ClusterEventTests.id
        state.apply(.topicCreated(id: id, name: "logs", partitionCount: 2, settings: []))
        state.apply(.partitionsAdded(id: id, partitionCount: 5))
        #expect(state.topic("logs")?.partitionCount == 5)
        state.apply(.partitionsAdded(id: id, partitionCount: 3))
        #expect(state.topic("logs")?.partitionCount == 5)
        state.apply(.topicDeleted(id: id))
        state.apply(.partitionsAdded(id: id, partitionCount: 9))
        #expect(state.topics.isEmpty)
    }

    @Test("never takes back the end of the reserved producer ids")
    func producerIDsGrow() {
        var state = ClusterState()
        #expect(state.producerIDsEnd == 0)
        state.apply(.producerIDsReserved(upTo: 2000))
        state.apply(.producerIDsReserved(upTo: 1000))
        #expect(state.producerIDsEnd == 2000)
    }
}
