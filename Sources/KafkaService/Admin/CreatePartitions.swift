// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol
internal import Logging

/// CreatePartitions: gives topics more partitions, or says whether they could have them.
extension RequestHandlers {
    func createPartitions(
        _ request: CreatePartitionsRequest, _ context: RequestContext
    ) async -> CreatePartitionsResponse {
        let repeated = request.topics.map(\.name).repeated
        let patience = Patience(milliseconds: request.timeoutMs)
        var response = CreatePartitionsResponse()
        for asked in request.topics {
            var row = CreatePartitionsResponse.CreatePartitionsTopicResult()
            row.name = asked.name
            row.errorMessage = nil
            do throws(Refusal) {
                if repeated.contains(asked.name) { throw .twice("topic", asked.name) }
                try patience.check()
                try await grow(asked, validateOnly: request.validateOnly)
            } catch {
                row.errorCode = error.code
                row.errorMessage = error.message
            }
            response.results.append(row)
        }
        return response
    }

    private func grow(
        _ asked: CreatePartitionsRequest.CreatePartitionsTopic, validateOnly: Bool
    ) async throws(Refusal) {
        let count = Int(asked.count)
        // Whether the count makes sense at all comes before who is to have the replicas.
        let before = try await Refusal.of { () throws(Fault) in
            let before = try broker.topic(asked.name).partitionCount
            _ = try await broker.createPartitions(asked.name, count: count, validateOnly: true)
            return before
        }
        if let assignments = asked.assignments {
            guard assignments.count == count - before else {
                throw Refusal(
                    .invalidReplicaAssignment,
                    "\(assignments.count) replicas are assigned to \(count - before) partitions")
            }
            for assignment in assignments { try checkReplicas(assignment.brokerIds) }
        }
        guard !validateOnly else { return }
        try await Refusal.of { () throws(Fault) in
            _ = try await broker.createPartitions(asked.name, count: count)
        }
        logger.info(
            "gave a topic more partitions",
            metadata: ["topic": "\(asked.name)", "partitions": "\(count)"])
    }
}
