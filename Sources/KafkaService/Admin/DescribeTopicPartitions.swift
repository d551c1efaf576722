// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol
internal import Records

/// DescribeTopicPartitions: topics and their partitions, a page at a time.
extension RequestHandlers {
    /// The most partitions on a page.
    private static let pageMax = 2000

    func describeTopicPartitions(
        _ request: DescribeTopicPartitionsRequest, _ context: RequestContext
    ) async -> DescribeTopicPartitionsResponse {
        var response = DescribeTopicPartitionsResponse()
        var left = max(1, min(Self.pageMax, Int(request.responsePartitionLimit)))
        // Pages go by name, so that the next one can be found whatever was created meanwhile.
        let names =
            request.topics.isEmpty
            ? broker.topics.map(\.name) : Set(request.topics.map(\.name)).sorted()
        for name in names {
            var first = 0
            if let cursor = request.cursor {
                guard name >= cursor.topicName else { continue }
                if name == cursor.topicName { first = max(0, Int(cursor.partitionIndex)) }
            }
            guard left > 0 else {
                response.nextCursor = Self.cursor(name, 0)
                break
            }
            let (row, next) = row(name, from: first, atMost: left)
            left -= row.partitions.count
            response.topics.append(row)
            if let next {
                response.nextCursor = Self.cursor(name, next)
                break
            }
        }
        return response
    }

    private static func cursor(
        _ topic: String, _ partition: Int
    ) -> DescribeTopicPartitionsResponse.Cursor {
        var cursor = DescribeTopicPartitionsResponse.Cursor()
        cursor.topicName = topic
        cursor.partitionIndex = Int32(clamping: partition)
        return cursor
    }

    /// A topic with some of its partitions, and the first that found no room.
    private func row(
        _ name: String, from first: Int, atMost count: Int
    ) -> (DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic, next: Int?) {
        var row = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic()
        row.name = name
        row.topicAuthorizedOperations = Self.operationsNotAsked
        do throws(Fault) {
            let topic = try broker.topic(name)
            row.topicId = KafkaUUID(topic.topicID)
            row.isInternal = topic.isInternal
            row.topicAuthorizedOperations = Self.topicOperations
            let start = min(first, topic.partitionCount)
            let end = min(topic.partitionCount, start + count)
            row.partitions = (start..<end).map { partitionRow($0, of: topic) }
            return (row, end < topic.partitionCount ? end : nil)
        } catch {
            row.errorCode = KafkaErrorCode(error)
            return (row, nil)
        }
    }

    private func partitionRow(
        _ number: Int, of topic: TopicDescription
    ) -> DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponsePartition {
        var row = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponsePartition()
        row.partitionIndex = Int32(clamping: number)
        row.leaderId = settings.nodeID
        row.replicaNodes = [settings.nodeID]
        row.isrNodes = [settings.nodeID]
        row.eligibleLeaderReplicas = []
        row.lastKnownElr = []
        do throws(Fault) {
            let partition = try broker.partition(id: topic.topicID, number: number)
            row.leaderEpoch = Int32(clamping: partition.term.rawValue)
        } catch {
            // Deleted just now.
            row.leaderEpoch = -1
            row.errorCode = KafkaErrorCode(error)
        }
        return row
    }
}
