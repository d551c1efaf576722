// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import Faults
internal import KafkaProtocol
internal import Records

/// DeleteRecords: removes the records of partitions before an offset.
extension RequestHandlers {
    func deleteRecords(
        _ request: DeleteRecordsRequest, _ context: RequestContext
    ) async -> DeleteRecordsResponse {
        let patience = Patience(milliseconds: request.timeoutMs)
        var response = DeleteRecordsResponse()
        for topic in request.topics {
            var rows = DeleteRecordsResponse.DeleteRecordsTopicResult()
            rows.name = topic.name
            for asked in topic.partitions {
                var row = DeleteRecordsResponse.DeleteRecordsPartitionResult()
                row.partitionIndex = asked.partitionIndex
                row.lowWatermark = -1
                do throws(Refusal) {
                    try patience.check()
                    row.lowWatermark = try await deleteRecords(asked, of: topic.name)
                } catch {
                    row.errorCode = error.code
                }
                rows.partitions.append(row)
            }
            response.topics.append(rows)
        }
        return response
    }

    /// - Returns: The first offset that is still there.
    private func deleteRecords(
        _ asked: DeleteRecordsRequest.DeleteRecordsPartition, of topic: String
    ) async throws(Refusal) -> Int64 {
        guard !TopicName.isInternal(topic) else {
            throw Refusal(.invalidTopicException, "\(topic) is the server's own topic")
        }
        guard asked.offset >= -1 else {
            throw Refusal(.offsetOutOfRange, "\(asked.offset) is no offset")
        }
        return try await Refusal.of { () throws(Fault) in
            let partition = try broker.partition(topic, Int(asked.partitionIndex))
            // -1 stands for the high watermark.
            let start = try await partition.deleteRecords(
                before: asked.offset < 0 ? nil : Offset(asked.offset))
            return start.rawValue
        }
    }
}
