// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol
internal import Records

/// OffsetForLeaderEpoch: where a leader's records end, so that a consumer notices that the log it read
/// was cut (KIP-320).
extension RequestHandlers {
    func offsetForLeaderEpoch(
        _ request: OffsetForLeaderEpochRequest, _ context: RequestContext
    ) async -> OffsetForLeaderEpochResponse {
        var response = OffsetForLeaderEpochResponse()
        for topic in request.topics {
            var rows = OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult()
            rows.topic = topic.topic
            for item in topic.partitions {
                rows.partitions.append(await row(item, of: topic.topic))
            }
            response.topics.append(rows)
        }
        return response
    }

    private func row(
        _ item: OffsetForLeaderEpochRequest.OffsetForLeaderPartition, of topic: String
    ) async -> OffsetForLeaderEpochResponse.EpochEndOffset {
        var row = OffsetForLeaderEpochResponse.EpochEndOffset()
        row.partition = item.partition
        row.leaderEpoch = -1
        row.endOffset = -1
        do throws(Fault) {
            let partition = try broker.partition(topic, Int(item.partition))
            row.errorCode = FetchCall.compare(item.currentLeaderEpoch, with: partition.term)
            // Of terms that have not come yet nothing is known.
            guard row.errorCode == .none, item.leaderEpoch >= 0,
                UInt64(item.leaderEpoch) <= partition.term.rawValue
            else { return row }
            let end = try await partition.endOffset(ofTerm: Term(UInt64(item.leaderEpoch)))
            row.leaderEpoch = Int32(clamping: end.term.rawValue)
            row.endOffset = end.offset.rawValue
        } catch {
            row.errorCode = KafkaErrorCode(error)
        }
        return row
    }
}
