// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import GRPCCore
internal import LogAPI
internal import Records
internal import SwiftProtobuf

/// cordwood.v1.TopicService: creates, describes, changes and deletes topics.
struct TopicServiceProvider: Cordwood_V1_TopicService.SimpleServiceProtocol {
    private let broker: Broker

    init(_ surroundings: Surroundings) {
        broker = surroundings.broker
    }

    func createTopic(
        request: Cordwood_V1_CreateTopicRequest, context: ServerContext
    ) async throws -> Cordwood_V1_CreateTopicResponse {
        try await withStatus {
            try RequestChecks.topicName(request.name)
            guard request.partitionCount >= 0 else {
                throw Fault(
                    .invalidPartitionCount,
                    "a topic has 1 to 1024 partitions, not \(request.partitionCount)")
            }
            let topic = try await broker.createTopic(
                request.name,
                partitionCount: request.partitionCount == 0 ? nil : Int(request.partitionCount),
                settings: request.settings, validateOnly: request.validateOnly)
            return .with { $0.topic = Cordwood_V1_Topic(topic) }
        }
    }

    func listTopics(
        request: Cordwood_V1_ListTopicsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ListTopicsResponse {
        .with {
            $0.topics = broker.topics.filter { !$0.isInternal }.map(Cordwood_V1_Topic.init)
        }
    }

    func describeTopic(
        request: Cordwood_V1_DescribeTopicRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DescribeTopicResponse {
        try await withStatus {
            try RequestChecks.topicName(request.name)
            let topic = try broker.topic(request.name)
            var response = Cordwood_V1_DescribeTopicResponse()
            response.topic = Cordwood_V1_Topic(topic)
            for number in 0..<topic.partitionCount {
                let partition = try broker.partition(topic.name, number)
                response.partitions.append(Cordwood_V1_Partition(await partition.describe()))
            }
            return response
        }
    }

    func configureTopic(
        request: Cordwood_V1_ConfigureTopicRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ConfigureTopicResponse {
        try await withStatus {
            try RequestChecks.topicName(request.name)
            let topic = try await broker.configureTopic(
                request.name, set: request.set, reset: request.reset)
            return .with { $0.topic = Cordwood_V1_Topic(topic) }
        }
    }

    func deleteTopic(
        request: Cordwood_V1_DeleteTopicRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DeleteTopicResponse {
        try await withStatus {
            try RequestChecks.topicName(request.name)
            try await broker.deleteTopic(request.name)
            return Cordwood_V1_DeleteTopicResponse()
        }
    }

    func deleteRecords(
        request: Cordwood_V1_DeleteRecordsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DeleteRecordsResponse {
        try await withStatus {
            guard request.beforeOffset >= -1 else {
                throw Fault(
                    .invalidArgument,
                    "before_offset is an offset, or -1 for the end, not \(request.beforeOffset)")
            }
            let name = Cordwood_V1_TopicPartition.with {
                $0.topic = request.topic
                $0.partition = request.partition
            }
            let partition = try RequestChecks.partition(name, of: broker)
            let offset = try await partition.deleteRecords(
                before: request.beforeOffset < 0 ? nil : Offset(request.beforeOffset))
            return .with { $0.logStartOffset = offset.rawValue }
        }
    }
}

extension Cordwood_V1_Topic {
    /// The message of a topic.
    init(_ topic: TopicDescription) {
        self.init()
        name = topic.name
        id = topic.id
        partitionCount = Int32(clamping: topic.partitionCount)
        settings = topic.settings.map { setting in
            .with {
                $0.name = setting.name
                $0.value = setting.value
                $0.isSet = setting.isSet
            }
        }
    }
}

extension Cordwood_V1_Partition {
    /// The message of a partition.
    init(_ partition: PartitionDescription) {
        self.init()
        number = Int32(clamping: partition.number)
        logStartOffset = partition.logStartOffset.rawValue
        highWatermark = partition.highWatermark.rawValue
        sizeBytes = Int64(clamping: partition.sizeBytes)
        segmentCount = Int32(clamping: partition.segmentCount)
        state = partition.state
        damaged = partition.damaged.map { range in
            .with {
                $0.start = range.lowerBound
                $0.end = range.upperBound
            }
        }
    }
}
