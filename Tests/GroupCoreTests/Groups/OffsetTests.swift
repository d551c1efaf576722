// SPDX-License-Identifier: Apache-2.0

import GroupCore
import Records
import Testing

@Suite("Committed offsets")
struct OffsetTests {
    @Test("an offset is acknowledged and read once it is durable")
    func durability() {
        var driver = Driver()
        driver.isLogPrompt = false
        let id = driver.commit(to: 5, metadata: "note")
        #expect(driver.committed(id) == nil)
        #expect(driver.offset() == -1)
        driver.endAppends()
        #expect(driver.committed(id) == .some(nil))
        #expect(driver.offset() == 5)
        let commits = driver.core.overview(of: "g")?.commits
        #expect(commits?.map(\.partition) == [TopicPartition(topic: "t", partition: 0)])
        #expect(commits?[0].committed.metadata == "note")
        #expect(commits?[0].committed.topicID == Driver.topicID)
        #expect(commits?[0].committed.commitTime.rawValue == driver.wall)
    }

    @Test("an offset that cannot be stored is refused, and the one before stands")
    func appendFails() {
        var driver = Driver()
        driver.commit(to: 5)
        driver.isLogPrompt = false
        let id = driver.commit(to: 6)
        driver.endAppends(durable: false)
        #expect(driver.committed(id) == .some(.coordinatorNotAvailable))
        #expect(driver.offset() == 5)
        driver.isLogPrompt = false
        driver.commit("other", to: 6)
        driver.endAppends(durable: false)
        #expect(driver.core.overview(of: "other") == nil, "nothing is left of it")
    }

    @Test("members commit in their generation only")
    func fencing() {
        var driver = Driver()
        let members = driver.stableGroup(2)
        let good = driver.commit(as: members[0], 1, to: 10)
        let older = driver.commit(as: members[0], 0, to: 11)
        let newer = driver.commit(as: members[0], 2, to: 12)
        let stranger = driver.commit(as: "stranger", 1, to: 13)
        let tool = driver.commit(to: 14)
        let absent = driver.commit("absent", as: members[0], 1, to: 15)
        #expect(driver.committed(good) == .some(nil))
        #expect(driver.committed(older) == .some(.illegalGeneration))
        #expect(driver.committed(newer) == .some(.illegalGeneration))
        #expect(driver.committed(stranger) == .some(.unknownMemberID))
        #expect(driver.committed(tool) == .some(.unknownMemberID))
        #expect(driver.committed(absent) == .some(.illegalGeneration))
        #expect(driver.offset() == 10)
    }

    @Test("members commit until they join again, but not before they know what they own")
    func duringRebalance() throws {
        var driver = Driver()
        let members = driver.stableGroup(1)
        let joining = driver.join(as: members[0], metadata: subscription(["u"]), rebalance: 5000)
        #expect(driver.joined(joining)?.generation == 2)
        let early = driver.commit(as: members[0], 2, to: 3)
        #expect(driver.committed(early) == .some(.rebalanceInProgress))
        driver.sync(as: members[0], 2, giving: [members[0]: [1]])
        driver.join()
        #expect(driver.state() == .preparingRebalance)
        let last = driver.commit(as: members[0], 2, to: 4)
        #expect(driver.committed(last) == .some(nil))
        #expect(driver.offset() == 4)
    }

    @Test("a tool commits to a group without members")
    func tools() {
        var driver = Driver()
        let members = driver.stableGroup(1)
        #expect(driver.leave("g", LeaveGroup.Leaver(memberID: members[0])) == [nil])
        let id = driver.commit(to: 7)
        #expect(driver.committed(id) == .some(nil))
        let zombie = driver.commit(as: members[0], 1, to: 8)
        #expect(driver.committed(zombie) == .some(.unknownMemberID))
        #expect(driver.offset() == 7)
    }

    @Test("a commit is a sign of life")
    func touches() {
        var driver = Driver()
        let members = driver.stableGroup(1)
        for offset in 0..<3 {
            driver.pass(9000)
            driver.commit(as: members[0], 1, to: Int64(offset))
        }
        #expect(driver.state() == .stable)
    }

    @Test("metadata, and the number of partitions, are bounded")
    func bounds() {
        var driver = Driver { $0.offsetsMax = 2 }
        let long = driver.commit(to: 1, metadata: String(repeating: "ü", count: 2049))
        #expect(driver.committed(long) == .some(.offsetMetadataTooLarge))
        #expect(driver.core.groupCount == 0)
        let ids = (0..<3).map { driver.commit(partition: Int32($0), to: 1) }
        #expect(
            ids.map { driver.committed($0) } == [
                .some(nil), .some(nil), .some(.invalidCommitOffsetSize),
            ])
        let again = driver.commit(partition: 1, to: 2)
        #expect(driver.committed(again) == .some(nil))
    }

    @Test("the bytes of a group's offsets are bounded, also by what is committed again")
    func offsetBytes() {
        var driver = Driver { $0.offsetBytesMax = 1000 }
        let note = String(repeating: "n", count: 400)
        let first = driver.commit(partition: 0, to: 1, metadata: note)
        let second = driver.commit(partition: 1, to: 1, metadata: note)
        let third = driver.commit(partition: 2, to: 1, metadata: note)
        let longer = driver.commit(partition: 1, to: 2, metadata: note + note)
        let again = driver.commit(partition: 1, to: 2, metadata: "")
        #expect(driver.committed(first) == .some(nil))
        #expect(driver.committed(second) == .some(nil))
        #expect(driver.committed(third) == .some(.invalidCommitOffsetSize))
        #expect(driver.committed(longer) == .some(.invalidCommitOffsetSize))
        #expect(driver.committed(again) == .some(nil))
        let fourth = driver.commit(partition: 2, to: 1, metadata: note)
        #expect(driver.committed(fourth) == .some(nil))
    }

    @Test("one request commits and reads no more than a group may have")
    func repeatedPartitions() {
        var driver = Driver { $0.offsetBytesMax = 1000 }
        driver.commit(to: 1)
        let entry = OffsetCommit.Entry(topic: "t", topicID: 1, partition: 0, offset: 2)
        let commit = OffsetCommit(groupID: "g", entries: Array(repeating: entry, count: 30))
        let id = driver.send(.offsetCommit(commit))
        guard case .offsetCommit(let answer)? = driver.answers[id] else { return }
        #expect(answer.errors.first == .some(nil))
        #expect(answer.errors.last == .invalidCommitOffsetSize)
        let topic = OffsetFetch.Topic(name: "t", partitions: [0, 0])
        let fetch = driver.send(.offsetFetch(OffsetFetch(groupID: "g", topics: [topic])))
        #expect(driver.answers[fetch] == .offsetFetch(OffsetFetch.Answer(error: .invalidRequest)))
        let describe = driver.send(.describeGroups(DescribeGroups(groupIDs: ["g", "g"])))
        guard case .describeGroups(let groups)? = driver.answers[describe] else { return }
        #expect(groups.groups.map(\.error) == [nil, .invalidRequest])
    }

    @Test("rows are answered in the request's order, or all by topic and number")
    func fetch() throws {
        var driver = Driver()
        driver.commit(topic: "b", partition: 3, to: 1)
        driver.commit(topic: "a", partition: 2, to: 2)
        driver.commit(topic: "a", partition: 1, to: 3)
        let all = driver.send(.offsetFetch(OffsetFetch(groupID: "g", topics: nil)))
        guard case .offsetFetch(let rows)? = driver.answers[all] else { return }
        #expect(rows.topics.map(\.name) == ["a", "b"])
        #expect(rows.topics[0].rows.map(\.partition) == [1, 2])
        #expect(rows.topics[0].rows.map { $0.committed?.offset } == [3, 2])
        let some = driver.send(
            .offsetFetch(
                OffsetFetch(
                    groupID: "g",
                    topics: [
                        OffsetFetch.Topic(name: "z", partitions: [1]),
                        OffsetFetch.Topic(name: "a", partitions: [2, 9]),
                    ])))
        guard case .offsetFetch(let chosen)? = driver.answers[some] else { return }
        #expect(chosen.topics.map(\.name) == ["z", "a"])
        #expect(chosen.topics[1].rows.map { $0.committed?.offset } == [2, nil])
        #expect(driver.offset("absent") == -1)
    }

    @Test("offsets of a topic that is gone are forgotten, also those on their way")
    func topicDeleted() {
        var driver = Driver()
        driver.commit(partition: 0, to: 1)
        #expect(driver.core.topicIDs == [Driver.topicID])
        driver.isLogPrompt = false
        driver.commit(partition: 1, to: 2)
        driver.receive(.topicDeleted(Driver.topicID, at: driver.time))
        #expect(driver.offset(partition: 0) == -1)
        driver.endFirstAppend()
        #expect(driver.offset(partition: 1) == -1, "not even until its tombstone is durable")
        driver.endAppends()
        #expect(driver.offset(partition: 1) == -1)
        #expect(driver.core.groupCount == 0)
        #expect(Driver(replaying: driver.log).core.groupCount == 0)
    }

    @Test("offsets live as long as their topic, unless a retention is set")
    func retention() {
        var forever = Driver()
        forever.commit(to: 1)
        forever.pass(90 * 86_400_000)
        #expect(forever.offset() == 1)

        var driver = Driver { $0.offsetRetention = 7_200_000 }
        let members = driver.stableGroup(1)
        driver.commit(as: members[0], 1, to: 1)
        for _ in 0..<1500 {
            driver.pass(9000)
            _ = driver.heartbeat(as: members[0], 1)
        }
        #expect(driver.offset() == 1, "the group has a member")
        #expect(driver.leave("g", LeaveGroup.Leaver(memberID: members[0])) == [nil])
        driver.pass(7_000_000)
        #expect(driver.offset() == 1, "the group has not been empty long enough")
        driver.pass(1_000_000)
        #expect(driver.core.groupCount == 0)
        #expect(Driver(replaying: driver.log).core.groupCount == 0)
    }

    @Test("a consumer can say itself how long its offsets are kept")
    func ownRetention() {
        var driver = Driver()
        driver.commit(partition: 0, to: 1, retention: 1000)
        driver.commit(partition: 1, to: 1)
        driver.pass(700_000)
        #expect(driver.offset(partition: 0) == -1)
        #expect(driver.offset(partition: 1) == 1)
    }

    @Test("a group with offsets and members is not deleted; without members it is, with everything")
    func deleteGroups() {
        var driver = Driver()
        let members = driver.stableGroup(1)
        driver.commit(as: members[0], 1, to: 1)
        #expect(driver.delete("g", "absent") == [.nonEmptyGroup, .groupIDNotFound])
        #expect(driver.leave("g", LeaveGroup.Leaver(memberID: members[0])) == [nil])
        driver.commit("h", to: 1)
        #expect(driver.delete("g", "h") == [nil, nil])
        #expect(driver.core.groupCount == 0)
        #expect(Driver(replaying: driver.log).core.groupCount == 0)
    }

    @Test("a group is dead while its deletion is on its way, and lives on if that fails")
    func deleteFails() {
        var driver = Driver()
        driver.commit(to: 1)
        driver.isLogPrompt = false
        driver.commit(partition: 1, to: 2)
        let deletion = driver.send(.deleteGroups(DeleteGroups(groupIDs: ["g"])))
        #expect(driver.state() == .dead)
        let join = driver.join()
        #expect(driver.joined(join)?.error == .coordinatorNotAvailable)
        #expect(driver.delete("g") == [.coordinatorNotAvailable])
        #expect(driver.offset() == 1)
        driver.endAppends(durable: false)
        #expect(
            driver.answers[deletion] == .deleteGroups(.init(errors: [.coordinatorNotAvailable])))
        #expect(driver.offset() == 1)
        #expect(driver.state() == .empty)
    }

    @Test("a deletion also forgets commits that were on their way")
    func deleteAfterCommit() {
        var driver = Driver()
        driver.commit(to: 1)
        driver.isLogPrompt = false
        driver.commit(partition: 1, to: 2)
        driver.send(.deleteGroups(DeleteGroups(groupIDs: ["g"])))
        driver.endAppends()
        #expect(driver.core.groupCount == 0)
        #expect(Driver(replaying: driver.log).core.groupCount == 0)
    }

    @Test("offsets of topics that nobody is subscribed to can be forgotten")
    func offsetDelete() {
        var driver = Driver()
        let members = driver.stableGroup(1, topics: ["t"])
        driver.commit(as: members[0], 1, topic: "t", to: 1)
        driver.commit(as: members[0], 1, topic: "u", to: 1)
        #expect(driver.deleteOffset(topic: "t")?.errors == [.groupSubscribedToTopic])
        #expect(driver.deleteOffset(topic: "u")?.errors == [nil])
        #expect(driver.deleteOffset(topic: "never")?.errors == [nil])
        #expect(driver.offset(topic: "t") == 1 && driver.offset(topic: "u") == -1)
        #expect(driver.deleteOffset("absent")?.error == .groupIDNotFound)
        #expect(driver.deleteOffset("")?.error == .invalidGroupID)
    }

    @Test("who says something unreadable may be subscribed to anything")
    func unreadableSubscription() {
        var driver = Driver { $0.initialRebalanceDelay = 0 }
        driver.join(metadata: [0, 1, 0x7f, 0xff, 0xff, 0xff])
        #expect(driver.deleteOffset(topic: "u")?.errors == [.groupSubscribedToTopic])
        driver.join("k", type: "connect", protocols: ["x"])
        #expect(driver.deleteOffset("k", topic: "u")?.error == .nonEmptyGroup)
    }
}
