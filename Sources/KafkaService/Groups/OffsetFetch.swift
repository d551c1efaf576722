// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import GroupCore
internal import KafkaProtocol
internal import Records

/// OffsetFetch: how far a group has come, or from version 8 on several groups.
///
/// A partition of which nothing is committed has the offset -1, as one of no topic has: clients then
/// begin where they are set to. Offsets are durable before they can be seen, so that all are stable.
extension RequestHandlers {
    func offsetFetch(
        _ request: OffsetFetchRequest, _ context: RequestContext
    ) async -> OffsetFetchResponse {
        var response = OffsetFetchResponse()
        guard context.apiVersion < 8 else {
            var seen: Set<String> = []
            for group in request.groups {
                guard seen.insert(group.groupId).inserted else {
                    // Who names a group again and again asks for more bytes than there are.
                    var refused = OffsetFetchResponse.OffsetFetchResponseGroup()
                    refused.groupId = group.groupId
                    refused.errorCode = .invalidRequest
                    response.groups.append(refused)
                    continue
                }
                response.groups.append(await row(of: group))
            }
            return response
        }
        let (error, topics) = await committed(
            of: request.groupId,
            request.topics?.map {
                OffsetFetch.Topic(name: $0.name, partitions: $0.partitionIndexes)
            }
        )
        response.errorCode = error
        response.topics = topics.map { topic in
            var row = OffsetFetchResponse.OffsetFetchResponseTopic()
            row.name = topic.name
            row.partitions = topic.rows.map { partition in
                var cell = OffsetFetchResponse.OffsetFetchResponsePartition()
                cell.partitionIndex = partition.partition
                cell.committedOffset = partition.committed?.offset.rawValue ?? -1
                cell.committedLeaderEpoch = partition.committed?.leaderEpoch ?? -1
                cell.metadata = partition.committed?.metadata ?? ""
                // Version 1 has no other place for it.
                cell.errorCode = context.apiVersion < 2 ? error : .none
                return cell
            }
            return row
        }
        return response
    }

    private func row(
        of group: OffsetFetchRequest.OffsetFetchRequestGroup
    ) async -> OffsetFetchResponse.OffsetFetchResponseGroup {
        let (error, topics) = await committed(
            of: group.groupId,
            group.topics?.map { OffsetFetch.Topic(name: $0.name, partitions: $0.partitionIndexes) })
        var response = OffsetFetchResponse.OffsetFetchResponseGroup()
        response.groupId = group.groupId
        response.errorCode = error
        response.topics = topics.map { topic in
            var row = OffsetFetchResponse.OffsetFetchResponseTopics()
            row.name = topic.name
            row.partitions = topic.rows.map { partition in
                var cell = OffsetFetchResponse.OffsetFetchResponsePartitions()
                cell.partitionIndex = partition.partition
                cell.committedOffset = partition.committed?.offset.rawValue ?? -1
                cell.committedLeaderEpoch = partition.committed?.leaderEpoch ?? -1
                cell.metadata = partition.committed?.metadata ?? ""
                return cell
            }
            return row
        }
        return response
    }

    /// A row for each partition that was asked for, or for each that there is.
    private func committed(
        of group: String, _ topics: [OffsetFetch.Topic]?
    ) async -> (KafkaErrorCode, [OffsetFetch.TopicRows]) {
        let answer = await broker.groups.offsetFetch(OffsetFetch(groupID: group, topics: topics))
        if let error = answer.error {
            let rows = (topics ?? []).map { topic in
                OffsetFetch.TopicRows(
                    name: topic.name,
                    rows: topic.partitions.map { OffsetFetch.Row(partition: $0, committed: nil) })
            }
            return (KafkaErrorCode(error), rows)
        }
        var found = answer.topics
        for topic in found.indices {
            let name = found[topic].name
            for row in found[topic].rows.indices {
                guard let committed = found[topic].rows[row].committed,
                    !broker.groups.isCurrent(committed, name)
                else { continue }
                found[topic].rows[row].committed = nil
            }
            // Who asks for all there is gets no rows of what there is not.
            if topics == nil { found[topic].rows.removeAll { $0.committed == nil } }
        }
        if topics == nil { found.removeAll { $0.rows.isEmpty } }
        return (.none, found)
    }
}
