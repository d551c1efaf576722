// SPDX-License-Identifier: Apache-2.0

internal import KafkaProtocol

/// FindCoordinator: which node looks after a group.
///
/// This one does, after all groups. Transactions and shared groups have no coordinator; the error is
/// one that clients give up upon, where "not available" would have them ask for as long as they live.
/// Of a transaction's errors librdkafka takes only those of authorization as final.
extension RequestHandlers {
    /// The kind of key that names a group.
    private static let groupKey: Int8 = 0
    /// The kind of key that names a transactional producer.
    private static let transactionKey: Int8 = 1

    func findCoordinator(
        _ request: FindCoordinatorRequest, _ context: RequestContext
    ) async -> FindCoordinatorResponse {
        var response = FindCoordinatorResponse()
        response.errorMessage = nil
        guard context.apiVersion < 4 else {
            var seen: Set<String> = []
            response.coordinators = request.coordinatorKeys.filter { seen.insert($0).inserted }.map
            {
                coordinator(of: $0, request.keyType, context)
            }
            return response
        }
        let found = coordinator(of: request.key, request.keyType, context)
        response.errorCode = found.errorCode
        response.errorMessage = found.errorMessage
        response.nodeId = found.nodeId
        response.host = found.host
        response.port = found.port
        return response
    }

    private func coordinator(
        of key: String, _ type: Int8, _ context: RequestContext
    ) -> FindCoordinatorResponse.Coordinator {
        var row = FindCoordinatorResponse.Coordinator()
        row.key = key
        row.errorMessage = nil
        row.nodeId = -1
        row.port = -1
        if type != Self.groupKey {
            row.errorCode =
                type == Self.transactionKey ? .transactionalIdAuthorizationFailed : .invalidRequest
            row.errorMessage =
                "only groups have a coordinator here; transactions and share groups are not served"
        } else if key.isEmpty {
            row.errorCode = .invalidGroupId
            row.errorMessage = "a group's id is not empty"
        } else {
            row.nodeId = settings.nodeID
            row.host = context.advertised.host
            row.port = context.advertised.port
        }
        return row
    }
}
