// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import GroupCore
internal import KafkaProtocol
internal import Records

/// OffsetCommit: makes durable how far a group has come.
extension RequestHandlers {
    func offsetCommit(
        _ request: OffsetCommitRequest, _ context: RequestContext
    ) async -> OffsetCommitResponse {
        var entries: [OffsetCommit.Entry] = []
        // Where each entry's error goes.
        var places: [(topic: Int, partition: Int)] = []
        var response = OffsetCommitResponse()
        for (number, topic) in request.topics.enumerated() {
            let found = description(of: topic.name)
            var row = OffsetCommitResponse.OffsetCommitResponseTopic()
            row.name = topic.name
            for partition in topic.partitions {
                var cell = OffsetCommitResponse.OffsetCommitResponsePartition()
                cell.partitionIndex = partition.partitionIndex
                if let found, 0..<found.partitionCount ~= Int(partition.partitionIndex) {
                    if partition.committedOffset < 0 {
                        cell.errorCode = .invalidRequest
                    } else {
                        places.append((number, row.partitions.count))
                        entries.append(entry(partition, of: found))
                    }
                } else {
                    cell.errorCode = .unknownTopicOrPartition
                }
                row.partitions.append(cell)
            }
            response.topics.append(row)
        }
        guard !entries.isEmpty else { return response }
        let keepsFor = (2...4) ~= context.apiVersion ? request.retentionTimeMs : -1
        let answer = await broker.groups.offsetCommit(
            OffsetCommit(
                groupID: request.groupId, generation: request.generationIdOrMemberEpoch,
                memberID: request.memberId, instanceID: request.groupInstanceId,
                retention: keepsFor >= 0 ? keepsFor : nil, entries: entries))
        for (place, error) in zip(places, answer.errors) {
            response.topics[place.topic].partitions[place.partition].errorCode =
                KafkaErrorCode(error)
        }
        return response
    }

    private func entry(
        _ partition: OffsetCommitRequest.OffsetCommitRequestPartition,
        of topic: TopicDescription
    ) -> OffsetCommit.Entry {
        OffsetCommit.Entry(
            topic: topic.name, topicID: topic.topicID.number, partition: partition.partitionIndex,
            offset: Offset(partition.committedOffset),
            leaderEpoch: partition.committedLeaderEpoch,
            metadata: partition.committedMetadata ?? "")
    }

    /// The topic of a name; `nil` if there is none.
    func description(of topic: String) -> TopicDescription? {
        do throws(Fault) {
            return try broker.topic(topic)
        } catch {
            return nil
        }
    }
}
