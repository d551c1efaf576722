// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol
internal import Logging

/// CreateTopics: makes topics, or says whether they could be made.
extension RequestHandlers {
    func createTopics(
        _ request: CreateTopicsRequest, _ context: RequestContext
    ) async -> CreateTopicsResponse {
        let repeated = request.topics.map(\.name).repeated
        let patience = Patience(milliseconds: request.timeoutMs)
        var response = CreateTopicsResponse()
        for asked in request.topics {
            var row = CreateTopicsResponse.CreatableTopicResult()
            row.name = asked.name
            row.numPartitions = -1
            row.replicationFactor = -1
            row.errorMessage = nil
            do throws(Refusal) {
                if repeated.contains(asked.name) { throw .twice("topic", asked.name) }
                try patience.check()
                let topic = try await create(asked, validateOnly: request.validateOnly)
                // What was only validated has no id that anybody could ask for.
                if !request.validateOnly { row.topicId = KafkaUUID(topic.topicID) }
                row.numPartitions = Int32(clamping: topic.partitionCount)
                row.replicationFactor = 1
                row.configs = entries(of: topic).map(Self.row)
            } catch {
                row.errorCode = error.code
                row.errorMessage = error.message
            }
            response.topics.append(row)
        }
        return response
    }

    private func create(
        _ asked: CreateTopicsRequest.CreatableTopic, validateOnly: Bool
    ) async throws(Refusal) -> TopicDescription {
        let count = try partitionCount(of: asked)
        let overrides = try Self.overrides(asked.configs)
        let topic = try await Refusal.of { () throws(Fault) in
            try await broker.createTopic(
                asked.name, partitionCount: count, settings: overrides,
                validateOnly: validateOnly)
        }
        if !validateOnly {
            logger.info(
                "created a topic",
                metadata: ["topic": "\(topic.name)", "partitions": "\(topic.partitionCount)"])
        }
        return topic
    }

    /// How many partitions are asked for; `nil` leaves it to the server.
    private func partitionCount(
        of asked: CreateTopicsRequest.CreatableTopic
    ) throws(Refusal) -> Int? {
        guard asked.assignments.isEmpty else { return try assignedCount(of: asked) }
        guard asked.replicationFactor == 1 || asked.replicationFactor == -1 else {
            throw Refusal(
                .invalidReplicationFactor,
                "this is one server, so the replication factor is 1 or -1, "
                    + "not \(asked.replicationFactor)")
        }
        return asked.numPartitions == -1 ? nil : Int(asked.numPartitions)
    }

    private func assignedCount(
        of asked: CreateTopicsRequest.CreatableTopic
    ) throws(Refusal) -> Int {
        guard asked.numPartitions == -1, asked.replicationFactor == -1 else {
            throw Refusal(
                .invalidRequest,
                "a request assigns replicas, or says how many partitions and replicas there are "
                    + "to be, but not both")
        }
        let numbers = asked.assignments.map(\.partitionIndex).sorted()
        guard zip(numbers, 0...).allSatisfy({ Int($0) == $1 }) else {
            throw Refusal(
                .invalidReplicaAssignment, "partitions are numbered from 0, each once")
        }
        for assignment in asked.assignments { try checkReplicas(assignment.brokerIds) }
        return asked.assignments.count
    }

    /// Replicas can only be put on this server, and one on each.
    func checkReplicas(_ brokers: [Int32]) throws(Refusal) {
        guard brokers == [settings.nodeID] else {
            throw Refusal(
                .invalidReplicaAssignment,
                "each partition has its one replica on broker \(settings.nodeID), "
                    + "the only one there is")
        }
    }

    private static func overrides(
        _ configs: [CreateTopicsRequest.CreatableTopicConfig]
    ) throws(Refusal) -> [String: String] {
        var overrides: [String: String] = [:]
        for config in configs {
            guard let value = config.value else {
                throw Refusal(.invalidConfig, "\(config.name) has no value")
            }
            guard overrides.updateValue(value, forKey: config.name) == nil else {
                throw .twice("setting", config.name)
            }
        }
        return overrides
    }

    private static func row(_ entry: ConfigEntry) -> CreateTopicsResponse.CreatableTopicConfigs {
        var row = CreateTopicsResponse.CreatableTopicConfigs()
        row.name = entry.name
        row.value = entry.value
        row.readOnly = entry.isReadOnly
        row.configSource = entry.source.rawValue
        row.isSensitive = false
        return row
    }
}
