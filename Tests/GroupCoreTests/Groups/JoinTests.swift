// SPDX-License-Identifier: Apache-2.0

import GroupCore
import Records
import Testing

@Suite("Joining a group")
struct JoinTests {
    @Test("the first generation waits for members and gives them all one generation")
    func firstGeneration() throws {
        var driver = Driver()
        let first = driver.join(client: "a")
        #expect(driver.state() == .preparingRebalance)
        driver.pass(400)
        let second = driver.join(client: "b")
        #expect(driver.joined(first) == nil)
        driver.pass(1000)
        let answers = try [#require(driver.joined(first)), #require(driver.joined(second))]
        #expect(answers.map(\.error) == [nil, nil])
        #expect(answers.map(\.generation) == [1, 1])
        #expect(answers[0].leaderID == answers[0].memberID)
        #expect(answers[1].leaderID == answers[0].memberID)
        #expect(answers[0].members.map(\.memberID).sorted() == answers.map(\.memberID).sorted())
        #expect(answers[1].members.isEmpty)
        #expect(answers[0].protocolName == "range" && answers[0].protocolType == "consumer")
        #expect(answers[0].memberID.hasPrefix("a-") && answers[0].memberID.count == 2 + 36)
        #expect(driver.state() == .completingRebalance)
    }

    @Test("each member that comes extends the wait, up to the rebalance timeout")
    func extendedDelay() {
        var driver = Driver { $0.initialRebalanceDelay = 1000 }
        let first = driver.join(rebalance: 2500)
        for _ in 0..<2 {
            driver.pass(900)
            driver.join(rebalance: 2500)
        }
        #expect(driver.joined(first) == nil)
        driver.pass(690)
        #expect(driver.joined(first) == nil)
        driver.join(rebalance: 2500)
        driver.pass(10)
        #expect(driver.joined(first)?.members.count == 4)
    }

    @Test("without a delay the first generation begins at once")
    func noDelay() {
        var driver = Driver { $0.initialRebalanceDelay = 0 }
        let id = driver.join()
        #expect(driver.joined(id)?.generation == 1)
    }

    @Test("a new member is told its id first, if its version asks for that")
    func handshake() throws {
        var driver = Driver()
        let first = driver.join(handshake: true)
        let told = try #require(driver.joined(first))
        #expect(told.error == .memberIDRequired)
        #expect(told.generation == -1)
        #expect(driver.state() == .empty)
        let second = driver.join(as: told.memberID, handshake: true)
        driver.pass(1000)
        #expect(driver.joined(second)?.memberID == told.memberID)
        #expect(driver.joined(second)?.error == nil)
    }

    @Test("an id that was told and not used is forgotten after the session timeout, and the group")
    func pendingExpires() throws {
        var driver = Driver()
        let id = driver.join(handshake: true, session: 6000)
        let told = try #require(driver.joined(id)).memberID
        driver.pass(6001)
        #expect(driver.core.groupCount == 0)
        let late = driver.join(as: told)
        #expect(driver.joined(late)?.error == .unknownMemberID)
    }

    @Test("a static member is not told its id first")
    func staticHandshake() {
        var driver = Driver { $0.initialRebalanceDelay = 0 }
        let id = driver.join(instance: "i", handshake: true)
        #expect(driver.joined(id)?.error == nil)
        #expect(driver.joined(id)?.memberID.hasPrefix("i-") == true)
    }

    @Test("a session timeout outside of the bounds is refused", arguments: [5999, 1_800_001])
    func sessionTimeout(_ timeout: Int64) {
        var driver = Driver()
        let id = driver.join(session: timeout)
        #expect(driver.joined(id)?.error == .invalidSessionTimeout)
        #expect(driver.core.groupCount == 0)
    }

    @Test("a group needs an id, a member a protocol")
    func emptyNames() {
        var driver = Driver()
        let noGroup = driver.join("")
        let noType = driver.join(type: "")
        let noProtocol = driver.join(protocols: [])
        #expect(driver.joined(noGroup)?.error == .invalidGroupID)
        #expect(driver.joined(noType)?.error == .inconsistentGroupProtocol)
        #expect(driver.joined(noProtocol)?.error == .inconsistentGroupProtocol)
        #expect(driver.core.groupCount == 0)
    }

    @Test("ids that are too long for a record are refused")
    func longNames() {
        var driver = Driver()
        let long = String(repeating: "x", count: 40_000)
        let ids = [driver.join(long), driver.join(client: long), driver.join(protocols: [long])]
        #expect(
            ids.map { driver.joined($0)?.error } == [
                .invalidGroupID, .invalidRequest, .invalidRequest,
            ])
    }

    @Test("a member that shares no protocol, or not the type, with the others is refused")
    func inconsistent() {
        var driver = Driver()
        _ = driver.stableGroup(2, protocols: ["range", "sticky"])
        let other = driver.join(protocols: ["mine"])
        let otherType = driver.join(type: "connect", protocols: ["range"])
        #expect(driver.joined(other)?.error == .inconsistentGroupProtocol)
        #expect(driver.joined(otherType)?.error == .inconsistentGroupProtocol)
        #expect(driver.state() == .stable)
    }

    @Test("the protocol is that which all support and most prefer")
    func protocolChoice() {
        var driver = Driver()
        let ids = [
            driver.join(protocols: ["only-mine", "a", "b", "c"]),
            driver.join(protocols: ["c", "b", "a"]),
            driver.join(protocols: ["b", "a"]),
            driver.join(protocols: ["b", "a", "c"]),
        ]
        driver.pass(60_000)
        #expect(ids.map { driver.joined($0)?.protocolName } == ["b", "b", "b", "b"])
    }

    @Test("a group has no more members than it may, and those it has keep their places")
    func groupSize() throws {
        var driver = Driver { $0.membersMax = 2 }
        let members = driver.stableGroup(2)
        let third = driver.join()
        #expect(driver.joined(third)?.error == .groupMaxSizeReached)
        #expect(driver.state() == .stable)
        let again = driver.join(as: members[0], metadata: subscription(["other"]))
        let follower = driver.join(as: members[1], metadata: subscription(["t"]))
        #expect(driver.joined(again)?.leaderID == members[0])
        #expect(driver.joined(follower)?.error == nil)
    }

    @Test("ids that were told are bounded too")
    func pendingSize() {
        var driver = Driver { $0.membersMax = 2 }
        let ids = (0..<3).map { _ in driver.join(handshake: true) }
        #expect(
            ids.map { driver.joined($0)?.error } == [
                .memberIDRequired, .memberIDRequired, .groupMaxSizeReached,
            ])
    }

    @Test("members' bytes and the number of groups are bounded")
    func bytes() {
        var driver = Driver {
            $0.memberBytesMax = 1000
            $0.groupsMax = 1
        }
        let large = driver.join("a", metadata: [UInt8](repeating: 1, count: 1001))
        #expect(driver.joined(large)?.error == .groupMaxSizeReached)
        #expect(driver.core.groupCount == 0)
        driver.join("b")
        let second = driver.join("c")
        #expect(driver.joined(second)?.error == .coordinatorNotAvailable)
    }

    @Test("a new member makes the others join again, and the leader stays the leader")
    func secondGeneration() throws {
        var driver = Driver()
        let members = driver.stableGroup(2)
        let third = driver.join(metadata: subscription(["t"]))
        #expect(driver.state() == .preparingRebalance)
        #expect(driver.heartbeat(as: members[0], 1) == .rebalanceInProgress)
        #expect(driver.heartbeat(as: members[1], 1) == .rebalanceInProgress)
        let follower = driver.join(as: members[1], metadata: subscription(["t"]))
        #expect(driver.joined(third) == nil)
        let leader = driver.join(as: members[0], metadata: subscription(["t"]))
        for id in [third, follower, leader] {
            let answer = try #require(driver.joined(id))
            #expect(answer.generation == 2)
            #expect(answer.leaderID == members[0])
        }
        #expect(driver.joined(leader)?.members.count == 3)
    }

    @Test("members that do not join again in time are left behind")
    func rebalanceTimeout() throws {
        var driver = Driver()
        let members = driver.stableGroup(2)
        let third = driver.join()
        for _ in 0..<6 {
            driver.pass(5000)
            _ = driver.heartbeat(as: members[0], 1)
            _ = driver.heartbeat(as: members[1], 1)
        }
        let answer = try #require(driver.joined(third))
        #expect(answer.generation == 2)
        #expect(answer.leaderID == answer.memberID)
        #expect(answer.members.count == 1)
        #expect(driver.heartbeat(as: members[0], 2) == .unknownMemberID)
    }

    @Test("a rebalance waits for those that were told an id, as for members")
    func pendingAwaited() throws {
        var driver = Driver()
        let members = driver.stableGroup(1)
        let asking = driver.join(metadata: subscription(["t"]), handshake: true)
        let told = try #require(driver.joined(asking)).memberID
        #expect(driver.state() == .stable)
        let leader = driver.join(as: members[0], metadata: subscription(["t"]))
        #expect(driver.joined(leader) == nil)
        let second = driver.join(as: told, metadata: subscription(["t"]), handshake: true)
        #expect(driver.joined(leader)?.generation == 2)
        #expect(driver.joined(second)?.generation == 2)
    }

    @Test("a join is a sign of life, also one that begins no rebalance")
    func joinTouches() {
        var driver = Driver()
        let members = driver.stableGroup(2)
        for _ in 0..<3 {
            driver.pass(9000)
            #expect(driver.heartbeat(as: members[0], 1) == nil)
            let again = driver.join(as: members[1], metadata: subscription(["t"]))
            #expect(driver.joined(again)?.generation == 1)
        }
    }

    @Test("a member that missed its answer gets it again; a leader that joins again assigns anew")
    func rejoin() throws {
        var driver = Driver()
        let members = driver.stableGroup(2)
        let follower = driver.join(as: members[1], metadata: subscription(["t"]))
        #expect(driver.joined(follower)?.generation == 1)
        #expect(driver.joined(follower)?.members.isEmpty == true)
        #expect(driver.state() == .stable)
        let changed = driver.join(as: members[1], metadata: subscription(["u"]))
        #expect(driver.joined(changed) == nil)
        #expect(driver.state() == .preparingRebalance)
        let leader = driver.join(as: members[0], metadata: subscription(["t"]))
        #expect(driver.joined(leader)?.generation == 2)
        let again = driver.join(as: members[0], metadata: subscription(["t"]))
        #expect(driver.joined(again)?.generation == 2)
        #expect(driver.joined(again)?.members.count == 2)
    }

    @Test("a join that overtakes another of the same member takes its place")
    func overtaken() {
        var driver = Driver()
        let members = driver.stableGroup(2)
        let first = driver.join(as: members[1], metadata: subscription(["u"]))
        let second = driver.join(as: members[1], metadata: subscription(["u"]))
        #expect(driver.joined(first)?.error == .rebalanceInProgress)
        #expect(driver.joined(second) == nil)
        driver.join(as: members[0], metadata: subscription(["t"]))
        #expect(driver.joined(second)?.generation == 2)
    }

    @Test("a new member whose connection closes is gone; a known one keeps its session")
    func abandoned() {
        var driver = Driver()
        let members = driver.stableGroup(2)
        let third = driver.join()
        let follower = driver.join(as: members[1], metadata: subscription(["t"]))
        driver.receive(.abandoned(follower, at: driver.time))
        driver.receive(.abandoned(third, at: driver.time))
        #expect(driver.core.overview(of: "g")?.members.count == 2)
        let leader = driver.join(as: members[0], metadata: subscription(["t"]))
        #expect(driver.joined(leader) == nil)
        driver.pass(10_001)
        #expect(driver.joined(leader)?.generation == 2)
        #expect(driver.joined(leader)?.members.count == 1)
        #expect(driver.joined(third) == nil)
        #expect(driver.joined(follower) == nil)
    }

    @Test("requests are answered as loading until the records were replayed")
    func loading() {
        var core = GroupCore(seed: 1)
        var effects: [GroupCore.Effect] = []
        let time = GroupTime(milliseconds: 0, wallTime: .init(milliseconds: 0))
        let beat = Heartbeat(groupID: "g", generation: 1, memberID: "m")
        core.receive(.request(RequestID(1), .heartbeat(beat), at: time), into: &effects)
        #expect(effects == [.answer(RequestID(1), .heartbeat(.coordinatorLoadInProgress))])
    }
}
