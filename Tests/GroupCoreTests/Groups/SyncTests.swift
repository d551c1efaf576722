// SPDX-License-Identifier: Apache-2.0

import GroupCore
import Testing

@Suite("Synchronising, heartbeats and leaving")
struct SyncTests {
    /// A group of two that have joined and not synced; the leader first.
    private func joinedPair(_ driver: inout Driver) throws -> [String] {
        let first = driver.join(client: "a")
        let second = driver.join(client: "b")
        driver.pass(1000)
        let answers = try [#require(driver.joined(first)), #require(driver.joined(second))]
        return answers.map(\.memberID)
    }

    @Test("members get their assignments once these are durable, and not before")
    func durability() throws {
        var driver = Driver()
        let members = try joinedPair(&driver)
        driver.isLogPrompt = false
        let follower = driver.sync(as: members[1], 1)
        let leader = driver.sync(
            as: members[0], 1, giving: [members[0]: [1], members[1]: [2], "stranger": [3]])
        #expect(driver.synced(follower) == nil && driver.synced(leader) == nil)
        #expect(driver.state() == .completingRebalance)
        driver.endAppends()
        #expect(driver.synced(follower)?.assignment == [2])
        #expect(driver.synced(leader)?.assignment == [1])
        #expect(driver.synced(leader)?.protocolName == "range")
        #expect(driver.state() == .stable)
        guard case .group("g", let metadata?) = try #require(driver.log.last) else {
            Issue.record("no record of the group")
            return
        }
        #expect(metadata.generation == 1)
        #expect(metadata.members.map(\.memberID).sorted() == members.sorted())
    }

    @Test("an assignment that cannot be stored is given to nobody; the members join again")
    func appendFails() throws {
        var driver = Driver()
        let members = try joinedPair(&driver)
        driver.isLogPrompt = false
        let leader = driver.sync(as: members[0], 1, giving: [members[0]: [1]])
        driver.endAppends(durable: false)
        #expect(driver.synced(leader)?.error == .coordinatorNotAvailable)
        #expect(driver.state() == .preparingRebalance)
        #expect(driver.log.isEmpty)
    }

    @Test("the first assignment of a generation stands, whatever a retry brings")
    func firstAssignment() throws {
        var driver = Driver()
        let members = try joinedPair(&driver)
        driver.isLogPrompt = false
        let first = driver.sync(as: members[0], 1, giving: [members[0]: [1]])
        let second = driver.sync(as: members[0], 1, giving: [members[0]: [2]])
        #expect(driver.synced(first)?.error == .rebalanceInProgress)
        driver.endAppends()
        #expect(driver.synced(second)?.assignment == [1])
    }

    @Test("who syncs in a stable group gets what it has; a member that was not named gets nothing")
    func lateSync() throws {
        var driver = Driver()
        let members = try joinedPair(&driver)
        driver.sync(as: members[0], 1, giving: [members[0]: [1]])
        let late = driver.sync(as: members[1], 1)
        #expect(driver.synced(late)?.error == nil)
        #expect(driver.synced(late)?.assignment == [])
    }

    @Test("a sync must come from a member, in its generation, with its protocol")
    func refusals() throws {
        var driver = Driver()
        let members = driver.stableGroup(1)
        let ids = [
            driver.sync("absent", as: members[0], 1), driver.sync(as: "stranger", 1),
            driver.sync(as: members[0], 2), driver.sync(as: members[0], 1, type: "connect"),
            driver.sync(as: members[0], 1, protocolName: "sticky"), driver.sync("", as: "m", 1),
            driver.sync(as: members[0], 1, type: "consumer", protocolName: "range"),
        ]
        #expect(
            ids.map { driver.synced($0)?.error } == [
                .unknownMemberID, .unknownMemberID, .illegalGeneration, .inconsistentGroupProtocol,
                .inconsistentGroupProtocol, .invalidGroupID, nil,
            ])
    }

    @Test("a rebalance that begins while members sync sends them back to join")
    func interrupted() throws {
        var driver = Driver()
        let members = try joinedPair(&driver)
        let follower = driver.sync(as: members[1], 1)
        driver.join()
        #expect(driver.synced(follower)?.error == .rebalanceInProgress)
        let leader = driver.sync(as: members[0], 1, giving: [members[0]: [1]])
        #expect(driver.synced(leader)?.error == .rebalanceInProgress)
    }

    @Test("an assignment that becomes durable after its generation ended is given to nobody")
    func lateDurability() throws {
        var driver = Driver()
        let members = try joinedPair(&driver)
        driver.isLogPrompt = false
        let leader = driver.sync(as: members[0], 1, giving: [members[0]: [1]])
        driver.join()
        #expect(driver.synced(leader)?.error == .rebalanceInProgress)
        driver.endAppends()
        #expect(driver.state() == .preparingRebalance)
        #expect(driver.describe()?.members.allSatisfy { $0.assignment.isEmpty } == true)
    }

    @Test(
        "an older generation that becomes durable does not vouch for the assignment of a newer one")
    func olderDurability() throws {
        var driver = Driver { $0.initialRebalanceDelay = 0 }
        driver.isLogPrompt = false
        let first = driver.join()
        let member = try #require(driver.joined(first)).memberID
        driver.sync(as: member, 1, giving: [member: [1]])
        let second = driver.join(as: member, metadata: subscription(["u"]))
        #expect(driver.joined(second)?.generation == 2)
        let sync = driver.sync(as: member, 2, giving: [member: [2]])
        driver.endFirstAppend()
        #expect(driver.synced(sync) == nil)
        driver.endFirstAppend()
        #expect(driver.synced(sync)?.assignment == [2])
    }

    @Test("members that do not sync in time are taken out, and the others go on")
    func syncTimeout() throws {
        var driver = Driver()
        let members = try joinedPair(&driver)
        let follower = driver.sync(as: members[1], 1)
        for _ in 0..<6 {
            driver.pass(5000)
            _ = driver.heartbeat(as: members[0], 1)
        }
        #expect(driver.synced(follower)?.error == .rebalanceInProgress)
        #expect(driver.core.overview(of: "g")?.members.map(\.memberID) == [members[1]])
    }

    @Test("a follower that does not sync in a stable group is taken out too")
    func syncTimeoutWhenStable() throws {
        var driver = Driver()
        let members = try joinedPair(&driver)
        driver.sync(as: members[0], 1, giving: [:])
        for _ in 0..<6 {
            driver.pass(5000)
            _ = driver.heartbeat(as: members[0], 1)
            _ = driver.heartbeat(as: members[1], 1)
        }
        #expect(driver.core.overview(of: "g")?.members.map(\.memberID) == [members[0]])
        #expect(driver.heartbeat(as: members[0], 1) == .rebalanceInProgress)
    }

    @Test("an assignment beyond the bound of bytes is refused")
    func assignmentSize() throws {
        var driver = Driver { $0.memberBytesMax = 1000 }
        let members = try joinedPair(&driver)
        let leader = driver.sync(
            as: members[0], 1, giving: [members[0]: [UInt8](repeating: 0, count: 1000)])
        #expect(driver.synced(leader)?.error == .groupMaxSizeReached)
        let second = driver.sync(as: members[0], 1, giving: [members[0]: [1]])
        #expect(driver.synced(second)?.assignment == [1])
    }

    @Test("heartbeats keep a member alive; without them its session times out")
    func sessions() {
        var driver = Driver()
        let members = driver.stableGroup(2)
        for round in 0..<3 {
            driver.pass(9999)
            #expect(
                driver.heartbeat(as: members[0], 1) == (round == 0 ? nil : .rebalanceInProgress))
        }
        #expect(driver.core.overview(of: "g")?.members.map(\.memberID) == [members[0]])
        #expect(driver.heartbeat(as: members[1], 1) == .unknownMemberID)
    }

    @Test("a heartbeat must come from a member, in its generation")
    func heartbeatRefusals() {
        var driver = Driver()
        let members = driver.stableGroup(1)
        #expect(driver.heartbeat(as: members[0], 1) == nil)
        #expect(driver.heartbeat(as: members[0], 0) == .illegalGeneration)
        #expect(driver.heartbeat(as: "stranger", 1) == .unknownMemberID)
        #expect(driver.heartbeat("absent", as: members[0], 1) == .unknownMemberID)
        #expect(driver.heartbeat("", as: members[0], 1) == .invalidGroupID)
    }

    @Test("who waits for others does not time out")
    func waitingIsAlive() {
        var driver = Driver()
        let members = driver.stableGroup(2)
        let joining = driver.join(as: members[0], metadata: subscription(["t"]), rebalance: 60_000)
        for _ in 0..<5 {
            driver.pass(9000)
            _ = driver.heartbeat(as: members[1], 1)
        }
        #expect(driver.joined(joining) == nil)
        driver.join(as: members[1], metadata: subscription(["t"]))
        #expect(driver.joined(joining)?.generation == 2)
    }

    @Test("members leave, by id or by instance; each is told what came of it")
    func leave() {
        var driver = Driver()
        let members = driver.stableGroup(2, instances: ["i"])
        let errors = driver.leave(
            "g", LeaveGroup.Leaver(memberID: "stranger"),
            LeaveGroup.Leaver(memberID: "", instanceID: "i"),
            LeaveGroup.Leaver(memberID: members[1], instanceID: "j"))
        #expect(errors == [.unknownMemberID, nil, .unknownMemberID])
        #expect(driver.core.overview(of: "g")?.members.count == 1)
        #expect(driver.state() == .preparingRebalance)
        #expect(driver.leave("absent", LeaveGroup.Leaver(memberID: "m")) == [.unknownMemberID])
        #expect(driver.leave("", LeaveGroup.Leaver(memberID: "m")) == [.invalidGroupID])
    }

    @Test("a static member leaves under its current id only")
    func leaveFenced() {
        var driver = Driver()
        let members = driver.stableGroup(1, instances: ["i"])
        #expect(
            driver.leave("g", LeaveGroup.Leaver(memberID: "other", instanceID: "i")) == [
                .fencedInstanceID
            ])
        #expect(
            driver.leave("g", LeaveGroup.Leaver(memberID: members[0], instanceID: "i")) == [nil])
        #expect(driver.state() == .empty)
    }

    @Test("a group whose last member leaves is empty, in a new generation that is stored")
    func emptiness() throws {
        var driver = Driver()
        let members = driver.stableGroup(1)
        #expect(driver.leave("g", LeaveGroup.Leaver(memberID: members[0])) == [nil])
        #expect(driver.state() == .empty)
        guard case .group("g", let metadata?) = try #require(driver.log.last) else {
            Issue.record("no record of the group")
            return
        }
        #expect(metadata.generation == 2 && metadata.members.isEmpty)
        #expect(driver.heartbeat(as: members[0], 2) == .unknownMemberID)
        driver.pass(600_000)
        #expect(driver.core.groupCount == 0)
        #expect(driver.log.last == .group(id: "g", nil))
    }

    @Test("an id that was told can be given back")
    func leavePending() throws {
        var driver = Driver()
        let id = driver.join(handshake: true)
        let told = try #require(driver.joined(id)).memberID
        #expect(driver.leave("g", LeaveGroup.Leaver(memberID: told)) == [nil])
        #expect(driver.core.groupCount == 0)
    }
}
