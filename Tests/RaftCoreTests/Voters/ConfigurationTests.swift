// SPDX-License-Identifier: Apache-2.0

import Positions
import Testing

@testable import RaftCore

@Suite("Members")
struct ConfigurationTests {
    private func ids(_ numbers: UInt64...) -> [ReplicaID] { numbers.map { ReplicaID(node: $0) } }

    @Test("are sorted, and nobody is named twice")
    func order() {
        let members = Configuration(voters: ids(3, 1, 3), learners: ids(2, 1))
        #expect(members.voters == ids(1, 3))
        #expect(members.learners == ids(2))
        #expect(members.members == ids(1, 2, 3))
    }

    @Test("go from old to new over both")
    func joint() {
        let old = Configuration(voters: ids(1, 2, 3))
        let joint = old.joined(with: Configuration(voters: ids(3, 4), learners: ids(1)))
        #expect(joint.isJoint)
        #expect(joint.isVoter(ReplicaID(node: 1)), "who is to learn still votes")
        #expect(joint.settled == Configuration(voters: ids(3, 4), learners: ids(1)))
    }

    @Test("of an entry that is taken back do not count")
    func history() {
        var start = RaftStart()
        start.configuration = Configuration(voters: ids(1))
        var history = MemberHistory(start)
        history.append(Configuration(voters: ids(1, 2)), at: LogIndex(3))
        history.append(Configuration(voters: ids(2)), at: LogIndex(5))
        #expect(history.previous == Configuration(voters: ids(1, 2)))
        let isTaken = history.truncate(from: LogIndex(4))
        #expect(isTaken)
        #expect(history.latest == Configuration(voters: ids(1, 2)))
        let isTakenAgain = history.truncate(from: LogIndex(4))
        #expect(!isTakenAgain)
        history.removeFirst(upTo: LogIndex(3))
        #expect(history.first == Configuration(voters: ids(1, 2)))
    }
}
