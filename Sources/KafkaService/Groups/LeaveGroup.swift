// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import GroupCore
internal import KafkaProtocol

/// LeaveGroup: takes one member out of a group, or from version 3 on several.
extension RequestHandlers {
    func leaveGroup(
        _ request: LeaveGroupRequest, _ context: RequestContext
    ) async -> LeaveGroupResponse {
        let isSingle = context.apiVersion < 3
        let leavers =
            isSingle
            ? [LeaveGroup.Leaver(memberID: request.memberId)]
            : request.members.map {
                LeaveGroup.Leaver(memberID: $0.memberId, instanceID: $0.groupInstanceId)
            }
        let answer = await broker.groups.leaveGroup(
            LeaveGroup(groupID: request.groupId, members: leavers))
        var response = LeaveGroupResponse()
        response.errorCode = KafkaErrorCode(answer.error)
        if isSingle {
            if answer.error == nil {
                response.errorCode = KafkaErrorCode(answer.outcomes.first?.error)
            }
            return response
        }
        response.members = answer.outcomes.map { outcome in
            var row = LeaveGroupResponse.MemberResponse()
            row.memberId = outcome.member.memberID
            row.groupInstanceId = outcome.member.instanceID
            row.errorCode = KafkaErrorCode(outcome.error)
            return row
        }
        return response
    }
}
