// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import Faults
internal import KafkaProtocol
internal import Logging

/// DeleteTopics: removes topics with their records, by name or by id.
extension RequestHandlers {
    func deleteTopics(
        _ request: DeleteTopicsRequest, _ context: RequestContext
    ) async -> DeleteTopicsResponse {
        var asked = request.topics
        if context.apiVersion < 6 {
            asked = request.topicNames.map { name in
                var topic = DeleteTopicsRequest.DeleteTopicState()
                topic.name = name
                return topic
            }
        }
        let repeatedNames = asked.compactMap(\.name).repeated
        let repeatedIDs = asked.map(\.topicId).filter { $0 != .zero }.repeated
        let patience = Patience(milliseconds: request.timeoutMs)
        var response = DeleteTopicsResponse()
        for topic in asked {
            var row = DeleteTopicsResponse.DeletableTopicResult()
            row.name = topic.name
            row.topicId = topic.topicId
            row.errorMessage = nil
            do throws(Refusal) {
                if let name = topic.name, repeatedNames.contains(name) {
                    throw .twice("topic", name)
                }
                if repeatedIDs.contains(topic.topicId) {
                    throw .twice("topic id", TopicID(topic.topicId).text)
                }
                try patience.check()
                let deleted = try await delete(topic)
                row.name = deleted.name
                row.topicId = KafkaUUID(deleted.topicID)
            } catch {
                row.errorCode = error.code
                row.errorMessage = error.message
            }
            response.responses.append(row)
        }
        return response
    }

    private func delete(
        _ asked: DeleteTopicsRequest.DeleteTopicState
    ) async throws(Refusal) -> TopicDescription {
        guard (asked.name == nil) != (asked.topicId == .zero) else {
            throw Refusal(.invalidRequest, "a topic is named by its name or by its id")
        }
        do throws(Fault) {
            let topic =
                if let name = asked.name { try broker.topic(name) } else {
                    try broker.topic(id: TopicID(asked.topicId))
                }
            try await broker.deleteTopic(topic.name, id: topic.topicID)
            logger.info("deleted a topic", metadata: ["topic": "\(topic.name)"])
            return topic
        } catch {
            var refusal = Refusal(error)
            if error.code == .topicNotFound, asked.name == nil { refusal.code = .unknownTopicId }
            throw refusal
        }
    }
}
