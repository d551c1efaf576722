// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import GroupCore
internal import KafkaProtocol

/// DeleteGroups: removes groups without members, with their offsets.
extension RequestHandlers {
    func deleteGroups(
        _ request: DeleteGroupsRequest, _ context: RequestContext
    ) async -> DeleteGroupsResponse {
        let answer = await broker.groups.deleteGroups(DeleteGroups(groupIDs: request.groupsNames))
        var response = DeleteGroupsResponse()
        response.results = zip(request.groupsNames, answer.errors).map { group, error in
            var row = DeleteGroupsResponse.DeletableGroupResult()
            row.groupId = group
            row.errorCode = KafkaErrorCode(error)
            return row
        }
        return response
    }
}
