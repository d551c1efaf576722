// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import GroupCore
internal import KafkaProtocol

/// JoinGroup: waits for the next generation of a group.
extension RequestHandlers {
    func joinGroup(
        _ request: JoinGroupRequest, _ context: RequestContext
    ) async -> JoinGroupResponse {
        let answer = await broker.groups.joinGroup(
            JoinGroup(
                groupID: request.groupId, memberID: request.memberId,
                instanceID: request.groupInstanceId, clientID: context.clientID ?? "",
                clientHost: context.clientHost, sessionTimeout: Int64(request.sessionTimeoutMs),
                // Version 0 has only the one timeout.
                rebalanceTimeout: Int64(
                    context.apiVersion >= 1
                        ? request.rebalanceTimeoutMs : request.sessionTimeoutMs),
                protocolType: request.protocolType,
                protocols: request.protocols.map {
                    JoinGroup.Offer(name: $0.name, metadata: $0.metadata)
                },
                requiresKnownMemberID: context.apiVersion >= 4,
                supportsSkippingAssignment: context.apiVersion >= 9))
        var response = JoinGroupResponse()
        response.errorCode = KafkaErrorCode(answer.error)
        response.generationId = answer.generation
        response.protocolType = answer.protocolType
        // Null only where the protocol has null.
        response.protocolName = answer.protocolName ?? (context.apiVersion >= 7 ? nil : "")
        response.leader = answer.leaderID
        response.skipAssignment = answer.skipAssignment
        response.memberId = answer.memberID
        response.members = answer.members.map { member in
            var row = JoinGroupResponse.JoinGroupResponseMember()
            row.memberId = member.memberID
            row.groupInstanceId = member.instanceID
            row.metadata = member.metadata
            return row
        }
        return response
    }
}
