// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import LogAPI
import Synchronization

@testable import CordwoodClient

/// The cordwood.v1.TopicService of a ``FakeLog``, which has one topic.
struct FakeTopicService: Cordwood_V1_TopicService.SimpleServiceProtocol {
    let log: FakeLog

    private var topic: Cordwood_V1_Topic {
        var topic = Cordwood_V1_Topic()
        topic.name = log.topic
        topic.id = "00000000000000000000000000000001"
        topic.partitionCount = Int32(log.state.withLock { $0.partitions.count })
        var setting = Cordwood_V1_Setting()
        setting.name = "durability"
        setting.value = "fsync"
        topic.settings = [setting]
        return topic
    }

    func createTopic(
        request: Cordwood_V1_CreateTopicRequest, context: ServerContext
    ) async throws -> Cordwood_V1_CreateTopicResponse {
        throw FakeLog.failure(.topicExists, .alreadyExists, "there is a topic \"\(request.name)\"")
    }

    func listTopics(
        request: Cordwood_V1_ListTopicsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ListTopicsResponse {
        var response = Cordwood_V1_ListTopicsResponse()
        response.topics = [topic]
        return response
    }

    func describeTopic(
        request: Cordwood_V1_DescribeTopicRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DescribeTopicResponse {
        try log.check(request.name)
        var response = Cordwood_V1_DescribeTopicResponse()
        response.topic = topic
        return response
    }

    func configureTopic(
        request: Cordwood_V1_ConfigureTopicRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ConfigureTopicResponse {
        throw FakeLog.failure(.unknownSetting, .invalidArgument, "no such setting")
    }

    func deleteTopic(
        request: Cordwood_V1_DeleteTopicRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DeleteTopicResponse {
        // Answers never, so that a deadline can pass.
        try await Task.sleep(for: .seconds(3600))
        return .init()
    }

    func deleteRecords(
        request: Cordwood_V1_DeleteRecordsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_DeleteRecordsResponse {
        var response = Cordwood_V1_DeleteRecordsResponse()
        response.logStartOffset = request.beforeOffset
        return response
    }
}
