// SPDX-License-Identifier: Apache-2.0

import KafkaProtocol
import Testing

@testable import KafkaService

@Suite("Requests of members", .timeLimit(.minutes(1)))
struct MembershipTests {
    @Test(
        "FindCoordinator names this node in each version",
        arguments: ApiKey.findCoordinator.versions)
    func findCoordinator(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        var request = FindCoordinatorRequest()
        request.key = "readers"
        request.coordinatorKeys = ["readers", "", "others"]
        let response: FindCoordinatorResponse = try await fixture.base.call(
            request, version: version
        ) { $0.findCoordinator }
        if version < 4 {
            #expect(response.errorCode == .none)
            #expect(response.nodeId == 7)
            #expect(response.host == "broker.example")
            #expect(response.port == 9192)
        } else {
            #expect(response.coordinators.map(\.key) == ["readers", "", "others"])
            #expect(response.coordinators.map(\.errorCode) == [.none, .invalidGroupId, .none])
            #expect(response.coordinators.map(\.nodeId) == [7, -1, 7])
            #expect(response.coordinators.map(\.host) == ["broker.example", "", "broker.example"])
            #expect(response.coordinators.map(\.port) == [9192, -1, 9192])
        }
        await fixture.close()
    }

    @Test("FindCoordinator refuses transactions for good")
    func transactions() async throws {
        let fixture = try await GroupHandlersFixture()
        for version in Int16(1)...4 {
            var request = FindCoordinatorRequest()
            request.key = "transaction"
            request.keyType = 1
            request.coordinatorKeys = ["transaction"]
            let response: FindCoordinatorResponse = try await fixture.base.call(
                request, version: version
            ) { $0.findCoordinator }
            let code = version < 4 ? response.errorCode : response.coordinators[0].errorCode
            let message =
                version < 4 ? response.errorMessage : response.coordinators[0].errorMessage
            #expect(code == .transactionalIdAuthorizationFailed)
            #expect(message?.contains("transactions") == true)
        }
        await fixture.close()
    }

    @Test(
        "JoinGroup tells new members their id first, from version 4 on",
        arguments: ApiKey.joinGroup.versions)
    func joinGroup(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        var joined = try await fixture.join(fixture.joining("readers"), version: version)
        if version >= 4 {
            #expect(joined.errorCode == .memberIdRequired)
            #expect(joined.generationId == -1)
            #expect(joined.members.isEmpty)
            #expect(joined.protocolName == (version >= 7 ? nil : ""))
            joined = try await fixture.join(
                fixture.joining("readers", memberID: joined.memberId), version: version)
        }
        #expect(joined.errorCode == .none)
        #expect(joined.generationId == 1)
        #expect(joined.protocolType == (version >= 7 ? "consumer" : nil))
        #expect(joined.protocolName == "range")
        #expect(joined.leader == joined.memberId)
        #expect(!joined.memberId.isEmpty)
        #expect(!joined.skipAssignment)
        #expect(joined.members.map(\.memberId) == [joined.memberId])
        #expect(joined.members.first?.metadata.count == 16)
        await fixture.close()
    }

    @Test("JoinGroup has the instance id of static members, from version 5 on")
    func staticMember() async throws {
        let fixture = try await GroupHandlersFixture()
        for version in Int16(5)...9 {
            let group = "group \(version)"
            let joined = try await fixture.join(
                fixture.joining(group, instanceID: "one"), version: version)
            #expect(joined.errorCode == .none)
            #expect(joined.members.map(\.groupInstanceId) == ["one"])
            let synced = try await fixture.sync(
                group, joined, version: 3, instanceID: "one", assignment: [1])
            #expect(synced.errorCode == .none)
            // It comes back, and nothing changes hands; from version 9 on it is spared the work.
            let again = try await fixture.join(
                fixture.joining(group, instanceID: "one"), version: version)
            #expect(again.errorCode == .none)
            #expect(again.generationId == 1)
            #expect(again.memberId != joined.memberId)
            #expect(again.skipAssignment == (version >= 9))
        }
        await fixture.close()
    }

    @Test("JoinGroup refuses what cannot be")
    func joinRefusals() async throws {
        let fixture = try await GroupHandlersFixture()
        for version in ApiKey.joinGroup.versions {
            #expect(
                try await fixture.join(fixture.joining(""), version: version).errorCode
                    == .invalidGroupId)
            var request = fixture.joining("readers")
            request.sessionTimeoutMs = 1
            #expect(
                try await fixture.join(request, version: version).errorCode
                    == .invalidSessionTimeout)
            let unknown = fixture.joining("readers", memberID: "nobody")
            #expect(
                try await fixture.join(unknown, version: version).errorCode == .unknownMemberId)
        }
        await fixture.close()
    }

    @Test(
        "SyncGroup gives the assignment back in each version", arguments: ApiKey.syncGroup.versions)
    func syncGroup(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        let joined = try await fixture.join(fixture.joining("readers"), version: 3)
        let synced = try await fixture.sync(
            "readers", joined, version: version, protocolName: "range", assignment: [1, 2, 3])
        #expect(synced.errorCode == .none)
        #expect(synced.assignment == [1, 2, 3])
        #expect(synced.protocolType == (version >= 5 ? "consumer" : nil))
        #expect(synced.protocolName == (version >= 5 ? "range" : nil))
        var stale = joined
        stale.generationId = 9
        let refused = try await fixture.sync(
            "readers", stale, version: version, protocolName: "range", assignment: [])
        #expect(refused.errorCode == .illegalGeneration)
        await fixture.close()
    }

    @Test("SyncGroup asks which protocol a member believes in, from version 5 on")
    func syncProtocol() async throws {
        let fixture = try await GroupHandlersFixture()
        let joined = try await fixture.join(fixture.joining("readers"), version: 3)
        for name in [nil, "roundrobin"] {
            let refused = try await fixture.sync(
                "readers", joined, version: 5, protocolName: name, assignment: [])
            #expect(refused.errorCode == .inconsistentGroupProtocol)
        }
        await fixture.close()
    }

    @Test("Heartbeat knows members and generations", arguments: ApiKey.heartbeat.versions)
    func heartbeat(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        var member = try await fixture.member(of: "readers")
        #expect(try await fixture.heartbeat("readers", member, version: version) == .none)
        #expect(try await fixture.heartbeat("others", member, version: version) == .unknownMemberId)
        member.generationId += 1
        #expect(
            try await fixture.heartbeat("readers", member, version: version) == .illegalGeneration)
        member.memberId = "nobody"
        #expect(
            try await fixture.heartbeat("readers", member, version: version) == .unknownMemberId)
        await fixture.close()
    }

    @Test(
        "LeaveGroup answers for the one member, or for each of several",
        arguments: ApiKey.leaveGroup.versions)
    func leaveGroup(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        let member = try await fixture.member(of: "readers")
        var request = LeaveGroupRequest()
        request.groupId = "readers"
        request.memberId = member.memberId
        request.members = [member.memberId, "nobody"].map {
            var row = LeaveGroupRequest.MemberIdentity()
            row.memberId = $0
            return row
        }
        let left: LeaveGroupResponse = try await fixture.base.call(request, version: version) {
            $0.leaveGroup
        }
        #expect(left.errorCode == .none)
        if version >= 3 {
            #expect(left.members.map(\.memberId) == [member.memberId, "nobody"])
            #expect(left.members.map(\.errorCode) == [.none, .unknownMemberId])
        }
        let again: LeaveGroupResponse = try await fixture.base.call(request, version: version) {
            $0.leaveGroup
        }
        #expect(again.errorCode == (version < 3 ? .unknownMemberId : .none))
        #expect(again.members.allSatisfy { $0.errorCode == .unknownMemberId })
        #expect(try await fixture.heartbeat("readers", member, version: 3) == .unknownMemberId)
        await fixture.close()
    }
}
