// SPDX-License-Identifier: Apache-2.0

import Bytes
import GroupCore
import Records
import Testing

@Suite("Records of groups")
struct GroupRecordTests {
    static let group = GroupRecord.group(
        id: "orders",
        GroupMetadata(
            generation: 7, protocolType: "consumer", protocolName: "range", leaderID: "a-1",
            stateTime: 1_700_000_000_000,
            members: [
                GroupMetadata.Member(
                    memberID: "a-1", instanceID: nil, clientID: "a", clientHost: "/10.0.0.1",
                    sessionTimeout: 45_000, rebalanceTimeout: 300_000,
                    protocols: [
                        JoinGroup.Offer(name: "range", metadata: [1, 2]),
                        JoinGroup.Offer(name: "sticky", metadata: []),
                    ], assignment: [9, 8, 7]),
                GroupMetadata.Member(
                    memberID: "i-2", instanceID: "i", clientID: "", clientHost: "/::1",
                    sessionTimeout: 6000, rebalanceTimeout: Int64(Int32.max), protocols: [],
                    assignment: []),
            ]))
    static let empty = GroupRecord.group(
        id: "",
        GroupMetadata(
            generation: 0, protocolType: "", protocolName: nil, leaderID: nil, stateTime: -1,
            members: []))
    static let offset = GroupRecord.offset(
        group: "orders", TopicPartition(topic: "t.ü", partition: 3),
        CommittedOffset(
            topicID: 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff, offset: Offset(1 << 40),
            leaderEpoch: 5,
            metadata: "note", commitTime: Timestamp(milliseconds: 1_700_000_000_001),
            expireTime: Timestamp(milliseconds: 1_700_000_060_001)))
    static let gone = GroupRecord.offset(
        group: "orders", TopicPartition(topic: "t", partition: 0), nil)
    static let all = [group, empty, .group(id: "orders", nil), offset, gone]

    @Test("are read as they were written", arguments: all)
    func roundTrip(_ record: GroupRecord) throws {
        #expect(try GroupRecord(key: record.key, value: record.value) == record)
    }

    @Test("have the bytes that the page shows")
    func golden() {
        #expect(Self.hex(Self.group.key) == "0101" + "0006" + "6f7264657273")
        #expect(
            Self.hex(Self.group.value ?? []) == "01" + "00000007" + "0000018bcfe56800"
                + "0008636f6e73756d6572" + "000572616e6765" + "0003612d31" + "00000002"
                + "0003612d31" + "ffff" + "000161" + "00092f31302e302e302e31"
                + "0000afc8" + "000493e0" + "0002" + "000572616e6765" + "000000020102"
                + "0006737469636b79" + "00000000" + "00000003090807"
                + "0003692d32" + "000169" + "0000" + "00042f3a3a31"
                + "00001770" + "7fffffff" + "0000" + "00000000")
        #expect(
            Self.hex(Self.offset.key) == "0102" + "00066f7264657273" + "0004742ec3bc" + "00000003")
        #expect(
            Self.hex(Self.offset.value ?? []) == "01" + "00112233445566778899aabbccddeeff"
                + "0000010000000000" + "00000005" + "0000018bcfe56801" + "0000018bcfe65261"
                + "00046e6f7465")
        #expect(Self.gone.value == nil)
    }

    @Test("that are cut short anywhere are refused", arguments: all)
    func truncated(_ record: GroupRecord) {
        for length in record.key.indices {
            #expect(throws: GroupRecordError.self) {
                try GroupRecord(key: Array(record.key.prefix(length)), value: record.value)
            }
        }
        for length in (record.value ?? []).indices {
            #expect(throws: GroupRecordError.self) {
                try GroupRecord(key: record.key, value: Array((record.value ?? []).prefix(length)))
            }
        }
        #expect(throws: GroupRecordError.self) {
            try GroupRecord(key: record.key + [0], value: record.value)
        }
        if let value = record.value {
            #expect(throws: GroupRecordError.self) {
                try GroupRecord(key: record.key, value: value + [0])
            }
        }
    }

    @Test("with any bit flipped are refused or read as another record, and can be replayed")
    func flipped() {
        for record in Self.all {
            for (isKey, bytes) in [(true, record.key), (false, record.value ?? [])] {
                for bit in 0..<(8 * bytes.count) {
                    var flipped = bytes
                    flipped[bit / 8] ^= 1 << (bit % 8)
                    let read =
                        isKey
                        ? try? GroupRecord(key: flipped, value: record.value)
                        : try? GroupRecord(key: record.key, value: flipped)
                    guard let read else { continue }
                    #expect(read != record)
                    var driver = Driver(replaying: [read])
                    driver.pass(1_000_000)
                }
            }
        }
    }

    @Test("of random bytes are refused without harm")
    func random() {
        var generator = SplitMix64(seed: 5)
        for _ in 0..<5000 {
            let size = Int.random(in: 0...80, using: &generator)
            var value = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if !value.isEmpty { value[0] = 1 }
            _ = try? GroupRecord(key: Self.group.key, value: value)
            _ = try? GroupRecord(key: value, value: value)
        }
    }

    @Test("of a version or a kind that is not known say so")
    func unknown() {
        #expect(throws: GroupRecordError.unknownVersion(2)) {
            try GroupRecord(key: [2, 1, 0, 0], value: nil)
        }
        #expect(throws: GroupRecordError.unknownKind(3)) {
            try GroupRecord(key: [1, 3, 0, 0], value: nil)
        }
        #expect(throws: GroupRecordError.unknownVersion(9)) {
            try GroupRecord(key: Self.group.key, value: [9])
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
