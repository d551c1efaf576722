// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import GroupCore
internal import KafkaProtocol

/// ListGroups: which groups there are, in some states or of some types only if so asked.
extension RequestHandlers {
    func listGroups(
        _ request: ListGroupsRequest, _ context: RequestContext
    ) async -> ListGroupsResponse {
        let answer = await broker.groups.listGroups(
            ListGroups(states: request.statesFilter, types: request.typesFilter))
        var response = ListGroupsResponse()
        response.errorCode = KafkaErrorCode(answer.error)
        response.groups = answer.groups.map { group in
            var row = ListGroupsResponse.ListedGroup()
            row.groupId = group.groupID
            row.protocolType = group.protocolType
            row.groupState = group.state.rawValue
            row.groupType = ListGroups.Answer.type
            return row
        }
        return response
    }
}
