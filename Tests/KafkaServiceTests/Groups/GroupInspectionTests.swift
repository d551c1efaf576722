// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import KafkaProtocol
import Testing

@testable import KafkaService

@Suite("Requests about groups", .timeLimit(.minutes(1)))
struct GroupInspectionTests {
    @Test(
        "DescribeGroups has a row for each group, there or not",
        arguments: ApiKey.describeGroups.versions)
    func describe(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        let member = try await fixture.member(of: "readers", instanceID: "one")
        var request = DescribeGroupsRequest()
        request.groups = ["nobody", "readers"]
        let response: DescribeGroupsResponse = try await fixture.base.call(
            request, version: version
        ) { $0.describeGroups }
        #expect(response.groups.map(\.groupId) == ["nobody", "readers"])
        #expect(response.groups.map(\.groupState) == ["Dead", "Stable"])
        #expect(
            response.groups.map(\.errorCode) == [version >= 6 ? .groupIdNotFound : .none, .none])
        #expect(response.groups.allSatisfy { $0.authorizedOperations == Int32.min })
        let group = response.groups[1]
        #expect(group.protocolType == "consumer")
        #expect(group.protocolData == "range")
        #expect(group.members.map(\.memberId) == [member.memberId])
        #expect(group.members.map(\.groupInstanceId) == [version >= 4 ? "one" : nil])
        #expect(group.members.map(\.clientId) == ["test"])
        #expect(group.members.map(\.clientHost) == ["127.0.0.1"])
        #expect(group.members.map(\.memberAssignment) == [[0, 0, 9]])
        if version >= 3 {
            request.includeAuthorizedOperations = true
            let asked: DescribeGroupsResponse = try await fixture.base.call(
                request, version: version
            ) { $0.describeGroups }
            #expect(asked.groups[1].authorizedOperations == 328)
        }
        await fixture.close()
    }

    @Test("ListGroups lists all, or those in some states", arguments: ApiKey.listGroups.versions)
    func list(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        _ = try await fixture.member(of: "readers")
        _ = try await fixture.commit("alone", [0: 1], version: 9)
        let list = { (change: (inout ListGroupsRequest) -> Void) in
            var request = ListGroupsRequest()
            change(&request)
            return try await fixture.base.call(request, version: version) {
                $0.listGroups
            } as ListGroupsResponse
        }
        let all = try await list { _ in }
        #expect(all.errorCode == .none)
        #expect(all.groups.map(\.groupId) == ["alone", "readers"])
        #expect(all.groups.map(\.protocolType) == ["", "consumer"])
        if version >= 4 {
            #expect(all.groups.map(\.groupState) == ["Empty", "Stable"])
            let stable = try await list { $0.statesFilter = ["stable"] }
            #expect(stable.groups.map(\.groupId) == ["readers"])
        }
        if version >= 5 {
            #expect(all.groups.map(\.groupType) == ["classic", "classic"])
            #expect(try await list { $0.typesFilter = ["share"] }.groups.isEmpty)
        }
        await fixture.close()
    }

    @Test("DeleteGroups has a row for each group", arguments: ApiKey.deleteGroups.versions)
    func delete(version: Int16) async throws {
        let fixture = try await GroupHandlersFixture()
        _ = try await fixture.member(of: "readers")
        _ = try await fixture.commit("alone", [0: 1], version: 9)
        var request = DeleteGroupsRequest()
        request.groupsNames = ["readers", "nobody", "alone"]
        let response: DeleteGroupsResponse = try await fixture.base.call(
            request, version: version
        ) { $0.deleteGroups }
        #expect(response.results.map(\.groupId) == ["readers", "nobody", "alone"])
        #expect(response.results.map(\.errorCode) == [.nonEmptyGroup, .groupIdNotFound, .none])
        #expect(try await fixture.base.broker.groups.listGroups().map(\.id) == ["readers"])
        await fixture.close()
    }
}
