// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Commands
@testable import CordwoodClient

@Suite("groups as rows")
struct GroupRowsTests {
    private func offset(
        _ partition: Int, committed: Int64? = 5, lag: Int? = 4, time: Duration? = .seconds(2)
    ) -> GroupOffset {
        GroupOffset(
            topic: "orders", partition: partition, committedOffset: committed.map { Offset($0) },
            metadata: "", commitTime: nil, logStartOffset: .zero, highWatermark: Offset(9),
            lag: lag, lagTime: time, memberID: nil)
    }

    private func lag(_ offsets: [GroupOffset]) -> GroupLag {
        GroupLag(
            GroupDescription(
                group: ConsumerGroup(
                    name: "g", state: .stable, protocolType: "consumer", memberCount: 0,
                    coordinator: .init(nodeID: "n", address: "")),
                assignor: "", generation: 1, members: [], offsets: offsets))
    }

    @Test("a group is behind by all records of its partitions, and as long as the oldest of them")
    func totals() {
        let total = lag([offset(0), offset(1, lag: 7, time: .seconds(90)), offset(2, lag: 0)])
        #expect(total.records == 11)
        #expect(total.time == .seconds(90))
        #expect(total.text == "total: 11 records, the oldest 1 min 30 s old")
    }

    @Test("what is not known is said and not counted as nothing")
    func unknown() {
        let total = lag([
            offset(0, lag: 1, time: nil), offset(1, committed: nil, lag: nil, time: nil),
        ])
        #expect(total.records == 1)
        #expect(total.time == nil)
        #expect(total.unknownCount == 1)
        #expect(total.text == "total: 1 record; not known of 1 partition")
        let table = Listing([GroupRows.fields(of: offset(1, committed: nil, lag: nil, time: nil))])
            .table()
        #expect(
            table == """
                TOPIC   PARTITION  COMMITTED  END  LAG-RECORDS  LAG-SECONDS  MEMBER
                orders          1          -    9            -            -  -

                """)
    }

    @Test("a group that has consumed everything, or nothing yet, is not behind")
    func caughtUp() {
        #expect(lag([offset(0, lag: 0, time: .zero)]).text == "total: 0 records")
        #expect(lag([]).time == .zero)
        #expect(lag([]).text == "total: 0 records")
    }

    @Test(
        "seconds show tenths where they matter",
        arguments: [
            (0, "0.0"), (40, "0.0"), (1249, "1.2"), (99_900, "99.9"), (99_960, "100"),
            (3_600_400, "3600"),
        ])
    func seconds(milliseconds: Int, text: String) {
        #expect(GroupRows.seconds("x", .milliseconds(milliseconds)).text == text)
    }

    @Test("a member's partitions are told by topic")
    func member() {
        let member = GroupMember(
            id: "m-1", instanceID: nil, clientID: "app", clientHost: "/10.0.0.1",
            assignment: [
                GroupPartition(topic: "a", partition: 0), GroupPartition(topic: "a", partition: 2),
                GroupPartition(topic: "b", partition: 1),
            ])
        #expect(
            Listing([GroupRows.fields(of: member)]).table() == """
                MEMBER  INSTANCE  CLIENT  HOST       ASSIGNMENT
                m-1     -         app     /10.0.0.1  a:0,2 b:1

                """)
    }

    @Test(
        "states are read as people and Kafka write them",
        arguments: ["PreparingRebalance", "preparing-rebalance", "PREPARING_REBALANCE"])
    func states(text: String) throws {
        #expect(try GroupStateText.option(text) == .preparingRebalance)
    }
}
