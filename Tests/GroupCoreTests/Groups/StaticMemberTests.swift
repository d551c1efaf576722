// SPDX-License-Identifier: Apache-2.0

import GroupCore
import Testing

@Suite("Static members")
struct StaticMemberTests {
    @Test("one that comes back takes over its assignment without a rebalance, and fences its past")
    func replaced() throws {
        var driver = Driver()
        let members = driver.stableGroup(2, instances: ["i", "j"])
        driver.isLogPrompt = false
        let back = driver.join(instance: "j", metadata: subscription(["t"], userData: [9]))
        #expect(driver.joined(back) == nil, "its new id is not durable")
        driver.endAppends()
        let answer = try #require(driver.joined(back))
        #expect(answer.generation == 1)
        #expect(answer.error == nil)
        #expect(answer.leaderID == members[0])
        #expect(driver.state() == .stable)
        #expect(driver.heartbeat(as: members[1], 1, instance: "j") == .fencedInstanceID)
        #expect(driver.heartbeat(as: members[1], 1) == .unknownMemberID)
        #expect(driver.heartbeat(as: members[0], 1, instance: "i") == nil)
        driver.isLogPrompt = true
        let sync = driver.sync(as: answer.memberID, 1, instance: "j")
        #expect(driver.synced(sync)?.assignment == assignment("t", [1]))
        let old = driver.commit(as: members[1], 1, instance: "j", to: 5)
        #expect(driver.committed(old) == .some(.fencedInstanceID))
        let oldJoin = driver.join(as: members[1], instance: "j")
        #expect(driver.joined(oldJoin)?.error == .fencedInstanceID)
    }

    @Test("a leader that comes back is told to keep the assignment, or of another leader")
    func leaderReplaced() throws {
        var driver = Driver()
        let members = driver.stableGroup(2, instances: ["i", "j"])
        let skipping = driver.join(instance: "i", metadata: subscription(["t"]), skip: true)
        let answer = try #require(driver.joined(skipping))
        #expect(answer.skipAssignment)
        #expect(answer.leaderID == answer.memberID)
        #expect(answer.members.map(\.memberID).sorted() == [answer.memberID, members[1]].sorted())
        let older = driver.join(instance: "i", metadata: subscription(["t"]))
        let second = try #require(driver.joined(older))
        #expect(!second.skipAssignment)
        #expect(second.leaderID == answer.memberID)
        #expect(second.members.isEmpty)
        let again = driver.join(as: second.memberID, instance: "i", metadata: subscription(["u"]))
        driver.join(as: members[1], instance: "j", metadata: subscription(["t"]))
        #expect(driver.joined(again)?.leaderID == second.memberID)
        #expect(driver.joined(again)?.generation == 2)
    }

    @Test("one that wants other topics, or another protocol, begins a rebalance")
    func changed() {
        var driver = Driver()
        _ = driver.stableGroup(2, instances: ["i", "j"], protocols: ["range", "sticky"])
        let back = driver.join(
            instance: "j", protocols: ["range", "sticky"], metadata: subscription(["u"]))
        #expect(driver.joined(back) == nil)
        #expect(driver.state() == .preparingRebalance)

        var other = Driver()
        _ = other.stableGroup(2, instances: ["i", "j"], protocols: ["range", "sticky"])
        other.join(instance: "j", protocols: ["sticky"], metadata: subscription(["t"]))
        #expect(other.state() == .preparingRebalance)
    }

    @Test("one whose new id cannot be stored stays who it was")
    func notStored() throws {
        var driver = Driver()
        let members = driver.stableGroup(2, instances: ["i", "j"])
        driver.isLogPrompt = false
        let back = driver.join(instance: "i", metadata: subscription(["t"]))
        driver.endAppends(durable: false)
        #expect(driver.joined(back)?.error == .coordinatorNotAvailable)
        #expect(driver.heartbeat(as: members[0], 1, instance: "i") == nil)
        #expect(driver.describe()?.members.map(\.memberID).sorted() == members.sorted())
        driver.isLogPrompt = true
        let sync = driver.sync(as: members[0], 1, instance: "i")
        #expect(driver.synced(sync)?.assignment == assignment("t", [0]))
    }

    @Test("a rebalance that begins before the new id is stored answers the member itself")
    func overtakenByRebalance() throws {
        var driver = Driver()
        let members = driver.stableGroup(2, instances: ["i", "j"])
        driver.isLogPrompt = false
        let back = driver.join(instance: "j", metadata: subscription(["t"]))
        let third = driver.join(metadata: subscription(["t"]))
        driver.endAppends()
        #expect(driver.joined(back) == nil)
        driver.join(as: members[0], instance: "i", metadata: subscription(["t"]))
        #expect(driver.joined(back)?.generation == 2)
        #expect(driver.joined(third)?.generation == 2)
    }

    @Test("two that come back at once under one name: the later one wins, the earlier is fenced")
    func twice() throws {
        var driver = Driver()
        _ = driver.stableGroup(1, instances: ["i"])
        driver.isLogPrompt = false
        let first = driver.join(instance: "i", metadata: subscription(["t"]))
        let second = driver.join(instance: "i", metadata: subscription(["t"]))
        #expect(driver.joined(first)?.error == .fencedInstanceID)
        driver.endAppends()
        let answer = try #require(driver.joined(second))
        #expect(answer.error == nil)
        #expect(driver.describe()?.members.map(\.memberID) == [answer.memberID])
    }

    @Test("one that comes back while members sync sends them back to join")
    func duringSync() throws {
        var driver = Driver()
        let first = driver.join(instance: "i")
        let second = driver.join(instance: "j")
        driver.pass(1000)
        let members = try [#require(driver.joined(first)), #require(driver.joined(second))]
        let sync = driver.sync(as: members[1].memberID, 1, instance: "j")
        driver.join(instance: "i")
        #expect(driver.synced(sync)?.error == .rebalanceInProgress)
        #expect(driver.state() == .preparingRebalance)
    }

    @Test("one that does not join again keeps its place until its session times out")
    func absent() throws {
        var driver = Driver()
        let members = driver.stableGroup(2, instances: ["i", "j"])
        let third = driver.join(metadata: subscription(["t"]), rebalance: 4000)
        let leader = driver.join(
            as: members[0], instance: "i", metadata: subscription(["t"]), rebalance: 4000)
        #expect(driver.joined(leader) == nil)
        driver.pass(9000)
        #expect(driver.heartbeat(as: members[1], 1, instance: "j") == .rebalanceInProgress)
        driver.pass(9999)
        #expect(driver.joined(third) == nil, "the timeout was 30 s when the rebalance began")
        _ = driver.heartbeat(as: members[1], 1, instance: "j")
        driver.pass(9999)
        _ = driver.heartbeat(as: members[1], 1, instance: "j")
        driver.pass(1500)
        let answer = try #require(driver.joined(leader))
        #expect(answer.generation == 2)
        #expect(answer.members.map(\.instanceID).contains("j"))
        #expect(driver.heartbeat(as: members[1], 1, instance: "j") == .illegalGeneration)
        driver.pass(9000)
        #expect(driver.core.overview(of: "g")?.members.contains { $0.instanceID == "j" } == false)
    }

    @Test("a rebalance of static members that are all away waits for one, or for their sessions")
    func allAbsent() {
        var driver = Driver()
        _ = driver.stableGroup(1, instances: ["i"])
        driver.join(metadata: subscription(["t"]), session: 6000, rebalance: 2000)
        let third = driver.join(
            instance: "i", metadata: subscription(["t"]), session: 6000, rebalance: 2000)
        driver.pass(60_000)
        #expect(driver.joined(third) != nil)
        #expect(driver.state() == .empty)
    }

    @Test("an instance that nobody has is unknown")
    func unknownInstance() {
        var driver = Driver()
        let members = driver.stableGroup(1)
        #expect(driver.heartbeat(as: members[0], 1, instance: "i") == .unknownMemberID)
        let join = driver.join(as: members[0], instance: "i")
        #expect(driver.joined(join)?.error == .unknownMemberID)
    }
}
