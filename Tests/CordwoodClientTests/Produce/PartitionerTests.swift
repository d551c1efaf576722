// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import CordwoodClient

@Suite("Partitioner")
struct PartitionerTests {
    /// Computed with kafka-python 3.0.12, which follows Kafka's own client; that of "21" also
    /// stands in Kafka's tests, as -973932308.
    static let hashes: [(key: String, hash: UInt32, ofTwelve: Int, of1024: Int)] = [
        ("", 275_646_681, 9, 217),
        ("a", 2_731_586_172, 4, 636),
        ("ab", 316_155_434, 2, 554),
        ("abc", 479_470_107, 3, 539),
        ("abcd", 2_971_317_748, 8, 500),
        ("u42", 4_001_587_303, 11, 103),
        ("foobar", 3_504_634_814, 6, 958),
        ("21", 3_321_034_988, 0, 236),
        ("a-little-bit-long-string", 3_308_985_760, 8, 416),
        ("schl\u{fc}ssel", 331_429_656, 0, 792),
    ]

    @Test("keys hash as with Kafka's clients", arguments: hashes.indices)
    func hash(index: Int) {
        let known = Self.hashes[index]
        let key = Array(known.key.utf8)
        #expect(Partitioner.murmur2(key) == known.hash)
        #expect(Partitioner.partition(forKey: key, count: 1) == 0)
        #expect(Partitioner.partition(forKey: key, count: 12) == known.ofTwelve)
        #expect(Partitioner.partition(forKey: key, count: 1024) == known.of1024)
    }

    @Test("bytes over 127 count as unsigned")
    func highBytes() {
        #expect(Partitioner.murmur2([0xff, 0xfe, 0xfd]) == 998_637_092)
        #expect(Partitioner.murmur2([UInt8](repeating: 0x80, count: 7)) == 2_449_023_699)
        #expect(Partitioner.murmur2((0...255).map { UInt8($0) }) == 2_346_620_022)
    }

    @Test("records without a key go to the partitions in turn")
    func roundRobin() {
        var turns = RoundRobin()
        #expect((0..<7).map { _ in turns.partition(of: 3) } == [0, 1, 2, 0, 1, 2, 0])
    }
}
