// SPDX-License-Identifier: Apache-2.0

import GroupCore
import Testing

@Suite("Looking at groups")
struct InspectionTests {
    @Test("a stable group is described with its members, their metadata and assignments")
    func describe() throws {
        var driver = Driver()
        let members = driver.stableGroup(2, instances: ["i"])
        let described = driver.describe()
        let group = try #require(described)
        #expect(group.state == .stable && group.protocolName == "range")
        #expect(group.members.map(\.memberID) == members.sorted())
        let first = try #require(group.members.first { $0.memberID == members[0] })
        #expect(first.instanceID == "i" && first.clientHost == "/127.0.0.1")
        #expect(first.metadata == subscription(["t"]))
        #expect(first.assignment == assignment("t", [0]))
        driver.join()
        let rejoining = driver.describe()
        let moving = try #require(rejoining)
        #expect(moving.state == .preparingRebalance && moving.protocolName.isEmpty)
        #expect(moving.members.allSatisfy { $0.metadata.isEmpty && $0.assignment.isEmpty })
        #expect(driver.describe("absent")?.error == .groupIDNotFound)
        #expect(driver.describe("absent")?.state == .dead)
    }

    @Test("groups are listed by id, by state and by type")
    func list() {
        var driver = Driver()
        _ = driver.stableGroup(1, "b")
        driver.commit("a", to: 1)
        func list(_ request: ListGroups) -> [String] {
            let id = driver.send(.listGroups(request))
            guard case .listGroups(let answer)? = driver.answers[id] else { return [] }
            return answer.groups.map { "\($0.groupID) \($0.state.rawValue) \($0.protocolType)" }
        }
        #expect(list(ListGroups()) == ["a Empty ", "b Stable consumer"])
        #expect(list(ListGroups(states: ["stable"])) == ["b Stable consumer"])
        #expect(list(ListGroups(states: ["Dead"])) == [])
        #expect(list(ListGroups(types: ["Classic"])).count == 2)
        #expect(list(ListGroups(types: ["consumer"])) == [])
    }

    @Test("an overview says which partitions a member owns")
    func overview() throws {
        var driver = Driver()
        let members = driver.stableGroup(2)
        let overview = try #require(driver.core.overview(of: "g"))
        #expect(overview.generation == 1)
        let owners = overview.members.map { [$0.memberID: $0.partitions] }
        #expect(
            owners
                == members.sorted().map {
                    [$0: [TopicPartition(topic: "t", partition: $0 == members[0] ? 0 : 1)]]
                })
        #expect(driver.core.overview(of: "absent") == nil)
    }

    @Test("bytes that are no assignment or subscription are none, whatever they claim")
    func hostileBytes() {
        let good = assignment("topic", [1, 2, 3])
        #expect(ConsumerAssignment(good)?.partitions.count == 3)
        for length in 0..<(good.count - 4) {
            #expect(ConsumerAssignment(Array(good.prefix(length))) == nil)
        }
        let wanted = subscription(["a", "bc"])
        #expect(ConsumerSubscription(wanted)?.topics == ["a", "bc"])
        for length in 0..<13 { #expect(ConsumerSubscription(Array(wanted.prefix(length))) == nil) }
        let huge: [UInt8] = [0, 1, 0x7f, 0xff, 0xff, 0xff, 0, 1, 0x61, 0x7f, 0xff, 0xff, 0xff]
        #expect(ConsumerAssignment(huge) == nil)
        #expect(ConsumerSubscription(huge) == nil)
        #expect(ConsumerSubscription([0xff, 0xff, 0, 0, 0, 0]) == nil)
        #expect(ConsumerSubscription([0, 0, 0xff, 0xff, 0xff, 0xff]) == nil)
        #expect(ConsumerSubscription([0, 0, 0, 0, 0, 1, 0, 1, 0xff]) == nil)
    }
}
