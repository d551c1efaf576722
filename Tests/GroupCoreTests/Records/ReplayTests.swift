// SPDX-License-Identifier: Apache-2.0

import GroupCore
import Testing

@Suite("Replaying records")
struct ReplayTests {
    @Test("a stable group goes on where it was, its members with a whole session timeout")
    func stable() {
        var driver = Driver()
        let members = driver.stableGroup(2, instances: ["i"])
        driver.commit(as: members[0], 1, to: 42)
        var second = Driver(replaying: driver.log)
        #expect(second.state() == .stable)
        #expect(second.offset() == 42)
        second.pass(9999)
        #expect(second.heartbeat(as: members[0], 1, instance: "i") == nil)
        let sync = second.sync(as: members[0], 1)
        #expect(second.synced(sync)?.assignment == assignment("t", [0]))
        second.pass(2)
        #expect(second.core.overview(of: "g")?.members.map(\.memberID) == [members[0]])
    }

    @Test("a generation that was not durable did not happen")
    func lostGeneration() {
        var driver = Driver()
        let members = driver.stableGroup(1)
        driver.join(as: members[0], metadata: subscription(["u"]))
        #expect(driver.heartbeat(as: members[0], 2) == nil)
        var second = Driver(replaying: driver.log)
        #expect(second.heartbeat(as: members[0], 2) == .illegalGeneration)
        #expect(second.heartbeat(as: members[0], 1) == nil)
    }

    @Test("an empty group keeps its generation, and one without anything is forgotten")
    func empty() {
        var driver = Driver()
        let members = driver.stableGroup(1)
        #expect(driver.leave("g", LeaveGroup.Leaver(memberID: members[0])) == [nil])
        var second = Driver(replaying: driver.log)
        #expect(second.core.overview(of: "g")?.generation == 2)
        second.pass(600_000)
        #expect(second.core.groupCount == 0)
    }

    @Test("a snapshot, in parts of any size, says what all records say")
    func snapshot() {
        var driver = Driver()
        _ = driver.stableGroup(2, "b")
        for group in ["a", "c"] {
            for partition in 0..<5 { driver.commit(group, partition: Int32(partition), to: 1) }
        }
        driver.commit("a", partition: 2, to: 9)
        for countMax in 1...12 {
            var records: [GroupRecord] = []
            var position: GroupCore.SnapshotPosition?
            var parts = 0
            repeat {
                let part = driver.core.snapshotRecords(from: position, countMax: countMax)
                #expect(part.records.count <= countMax)
                records += part.records
                position = part.next
                parts += 1
            } while position != nil && parts < 100
            #expect(records.count == 11)
            let again = Driver(replaying: records)
            for group in ["a", "b", "c"] {
                #expect(again.core.overview(of: group) == driver.core.overview(of: group))
            }
        }
    }

    @Test("a snapshot holds what is durable, not what is under way")
    func snapshotUnderWay() {
        var driver = Driver()
        let members = driver.stableGroup(1)
        driver.commit(as: members[0], 1, to: 1)
        let before = driver.core.snapshotRecords(from: nil, countMax: 100).records
        driver.isLogPrompt = false
        driver.commit(as: members[0], 1, to: 2)
        driver.join(as: members[0], metadata: subscription(["u"]))
        driver.sync(as: members[0], 2, giving: [members[0]: [1]])
        #expect(driver.core.snapshotRecords(from: nil, countMax: 100).records == before)
        driver.endAppends()
        #expect(driver.core.snapshotRecords(from: nil, countMax: 100).records != before)
    }

    @Test("a group whose record contradicts itself finds a new generation")
    func contradiction() {
        let member = GroupMetadata.Member(
            memberID: "m", instanceID: "i", clientID: "c", clientHost: "h", sessionTimeout: 10_000,
            rebalanceTimeout: 0, protocols: [JoinGroup.Offer(name: "range", metadata: [])],
            assignment: [1])
        let other = GroupMetadata.Member(
            memberID: "n", instanceID: "i", clientID: "c", clientHost: "h", sessionTimeout: 10_000,
            rebalanceTimeout: 0, protocols: [], assignment: [])
        let metadata = GroupMetadata(
            generation: .max, protocolType: "consumer", protocolName: "absent", leaderID: "nobody",
            stateTime: 0, members: [member, member, other])
        var driver = Driver(replaying: [.group(id: "g", metadata)])
        #expect(driver.state() == .preparingRebalance)
        let join = driver.join(as: "m", instance: "i")
        #expect(driver.joined(join)?.generation == 1, "the number begins anew")
    }
}
