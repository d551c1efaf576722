// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import GroupCore
internal import KafkaProtocol

/// DescribeGroups: groups with their members.
extension RequestHandlers {
    /// What may be done with a group: read, delete, describe.
    private static let groupOperations: Int32 = 1 << 3 | 1 << 6 | 1 << 8

    func describeGroups(
        _ request: DescribeGroupsRequest, _ context: RequestContext
    ) async -> DescribeGroupsResponse {
        let answer = await broker.groups.describeGroups(DescribeGroups(groupIDs: request.groups))
        var response = DescribeGroupsResponse()
        response.groups = answer.groups.map { group in
            var row = DescribeGroupsResponse.DescribedGroup()
            row.groupId = group.groupID
            row.groupState = group.state.rawValue
            row.protocolType = group.protocolType
            row.protocolData = group.protocolName
            row.errorCode = KafkaErrorCode(group.error)
            if group.error == .groupIDNotFound {
                // Earlier versions know a group that is not there as a dead one.
                if context.apiVersion < 6 { row.errorCode = .none }
                row.errorMessage = "there is no group \(group.groupID)"
            }
            if request.includeAuthorizedOperations, group.error == nil {
                row.authorizedOperations = Self.groupOperations
            }
            row.members = group.members.map { member in
                var row = DescribeGroupsResponse.DescribedGroupMember()
                row.memberId = member.memberID
                row.groupInstanceId = member.instanceID
                row.clientId = member.clientID
                row.clientHost = member.clientHost
                row.memberMetadata = member.metadata
                row.memberAssignment = member.assignment
                return row
            }
            return row
        }
        return response
    }
}
