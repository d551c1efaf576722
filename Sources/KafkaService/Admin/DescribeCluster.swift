// SPDX-License-Identifier: Apache-2.0

internal import KafkaProtocol

/// DescribeCluster: which brokers there are.
extension RequestHandlers {
    func describeCluster(
        _ request: DescribeClusterRequest, _ context: RequestContext
    ) async -> DescribeClusterResponse {
        var response = DescribeClusterResponse()
        response.endpointType = request.endpointType
        response.clusterAuthorizedOperations = Self.operationsNotAsked
        // 1 stands for brokers, 2 for controllers, which clients cannot reach apart from them.
        guard request.endpointType == 1 else {
            response.errorCode =
                request.endpointType == 2
                ? .mismatchedEndpointType : .unsupportedEndpointType
            response.errorMessage = "this listener serves brokers' clients"
            return response
        }
        response.clusterId = settings.clusterID
        response.controllerId = settings.nodeID
        if request.includeClusterAuthorizedOperations {
            response.clusterAuthorizedOperations = Self.clusterOperations
        }
        var row = DescribeClusterResponse.DescribeClusterBroker()
        row.brokerId = settings.nodeID
        row.host = context.advertised.host
        row.port = context.advertised.port
        row.rack = nil
        response.brokers = [row]
        return response
    }

    /// All operations that there are on a cluster, as the bits of Kafka's AclOperation: create,
    /// alter, describe, act for the cluster, describe and alter configurations, and idempotent writes.
    static let clusterOperations: Int32 = [5, 7, 8, 9, 10, 11, 12].reduce(0) { $0 | 1 << $1 }
}
