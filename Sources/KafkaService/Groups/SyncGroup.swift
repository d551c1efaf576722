// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import GroupCore
internal import KafkaProtocol

/// SyncGroup: waits for the member's assignment, which the leader brings.
extension RequestHandlers {
    func syncGroup(
        _ request: SyncGroupRequest, _ context: RequestContext
    ) async -> SyncGroupResponse {
        var response = SyncGroupResponse()
        // From version 5 on a member says which protocol it believes in.
        guard
            context.apiVersion < 5 || (request.protocolType != nil && request.protocolName != nil)
        else {
            response.errorCode = .inconsistentGroupProtocol
            return response
        }
        let answer = await broker.groups.syncGroup(
            SyncGroup(
                groupID: request.groupId, generation: request.generationId,
                memberID: request.memberId, instanceID: request.groupInstanceId,
                protocolType: request.protocolType, protocolName: request.protocolName,
                assignments: request.assignments.map {
                    SyncGroup.Assignment(memberID: $0.memberId, assignment: $0.assignment)
                }))
        // A rebalance that was under way when the coordinator ended is lost: its members join again,
        // which is what Kafka has them do, and what every client understands at this place.
        response.errorCode =
            answer.error == .coordinatorLoadInProgress
            ? .rebalanceInProgress : KafkaErrorCode(answer.error)
        response.protocolType = answer.protocolType
        response.protocolName = answer.protocolName
        response.assignment = answer.assignment
        return response
    }
}
