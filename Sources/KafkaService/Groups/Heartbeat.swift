// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import GroupCore
internal import KafkaProtocol

/// Heartbeat: a member is alive, and learns whether it has to join again.
extension RequestHandlers {
    func heartbeat(
        _ request: HeartbeatRequest, _ context: RequestContext
    ) async -> HeartbeatResponse {
        var response = HeartbeatResponse()
        response.errorCode = KafkaErrorCode(
            await broker.groups.heartbeat(
                Heartbeat(
                    groupID: request.groupId, generation: request.generationId,
                    memberID: request.memberId, instanceID: request.groupInstanceId)))
        return response
    }
}
