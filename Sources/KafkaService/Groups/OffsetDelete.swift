// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import GroupCore
internal import KafkaProtocol

/// OffsetDelete: forgets committed offsets of topics that no member is subscribed to.
extension RequestHandlers {
    func offsetDelete(
        _ request: OffsetDeleteRequest, _ context: RequestContext
    ) async -> OffsetDeleteResponse {
        var entries: [OffsetDelete.Entry] = []
        // Where each entry's error goes.
        var places: [(topic: Int, partition: Int)] = []
        var response = OffsetDeleteResponse()
        for (number, topic) in request.topics.enumerated() {
            let count = description(of: topic.name)?.partitionCount ?? 0
            var row = OffsetDeleteResponse.OffsetDeleteResponseTopic()
            row.name = topic.name
            for partition in topic.partitions {
                var cell = OffsetDeleteResponse.OffsetDeleteResponsePartition()
                cell.partitionIndex = partition.partitionIndex
                if 0..<count ~= Int(partition.partitionIndex) {
                    places.append((number, row.partitions.count))
                    entries.append(
                        OffsetDelete.Entry(topic: topic.name, partition: partition.partitionIndex))
                } else {
                    cell.errorCode = .unknownTopicOrPartition
                }
                row.partitions.append(cell)
            }
            response.topics.append(row)
        }
        let answer = await broker.groups.offsetDelete(
            OffsetDelete(groupID: request.groupId, entries: entries))
        response.errorCode = KafkaErrorCode(answer.error)
        guard answer.error == nil else {
            // Of the request as a whole: rows beside it would say that something was done.
            response.topics = []
            return response
        }
        for (place, error) in zip(places, answer.errors) {
            response.topics[place.topic].partitions[place.partition].errorCode =
                KafkaErrorCode(error)
        }
        return response
    }
}
