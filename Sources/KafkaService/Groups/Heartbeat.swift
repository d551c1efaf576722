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
        let error = await broker.groups.heartbeat(
            Heartbeat(
                groupID: request.groupId, generation: request.generationId,
                memberID: request.memberId, instanceID: request.groupInstanceId))
        // While the coordinator reads its log nobody's session runs, so the member misses nothing.
        // Kafka answers so too, and aiokafka takes any code that Kafka has not for its end.
        response.errorCode = error == .coordinatorLoadInProgress ? .none : KafkaErrorCode(error)
        return response
    }
}
