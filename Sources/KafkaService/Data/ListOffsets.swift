// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol
internal import Records

/// ListOffsets: where a partition begins and ends, and what was written when.
extension RequestHandlers {
    /// The timestamps that stand for a place.
    private enum Place {
        static let latest: Int64 = -1
        static let earliest: Int64 = -2
        static let maxTimestamp: Int64 = -3
        /// All segments are local, so this is the earliest of all.
        static let earliestLocal: Int64 = -4
        /// There are no tiers: nothing was moved, and nothing waits to be.
        static let latestTiered: Int64 = -5
        static let earliestPendingUpload: Int64 = -6
    }

    func listOffsets(
        _ request: ListOffsetsRequest, _ context: RequestContext
    ) async -> ListOffsetsResponse {
        var response = ListOffsetsResponse()
        for topic in request.topics {
            var rows = ListOffsetsResponse.ListOffsetsTopicResponse()
            rows.name = topic.name
            for item in topic.partitions {
                rows.partitions.append(await row(item, of: topic.name))
            }
            response.topics.append(rows)
        }
        return response
    }

    private func row(
        _ item: ListOffsetsRequest.ListOffsetsPartition, of topic: String
    ) async -> ListOffsetsResponse.ListOffsetsPartitionResponse {
        var row = ListOffsetsResponse.ListOffsetsPartitionResponse()
        row.partitionIndex = item.partitionIndex
        row.offset = -1
        row.timestamp = -1
        row.leaderEpoch = -1
        do throws(Fault) {
            let partition = try broker.partition(topic, Int(item.partitionIndex))
            row.errorCode = FetchCall.compare(item.currentLeaderEpoch, with: partition.term)
            guard row.errorCode == .none else { return row }
            try await find(item.timestamp, in: partition, &row)
        } catch {
            row.errorCode = KafkaErrorCode(error)
        }
        return row
    }

    private func find(
        _ timestamp: Int64, in partition: Partition,
        _ row: inout ListOffsetsResponse.ListOffsetsPartitionResponse
    ) async throws(Fault) {
        switch timestamp {
        case Place.latest:
            row.offset = try partition.bounds.upperBound.rawValue
            row.leaderEpoch = Int32(clamping: partition.term.rawValue)
        case Place.earliest, Place.earliestLocal:
            let offset = try partition.bounds.lowerBound
            row.offset = offset.rawValue
            row.leaderEpoch = try await epoch(of: offset, in: partition)
        case Place.maxTimestamp:
            guard let found = try await partition.recordWithMaxTimestamp() else { return }
            row.offset = found.offset.rawValue
            row.timestamp = found.timestamp.rawValue
            row.leaderEpoch = try await epoch(of: found.offset, in: partition)
        case Place.latestTiered, Place.earliestPendingUpload: break
        case 0...:
            let found = try await partition.find(.timestamp(Timestamp(rawValue: timestamp)))
            guard let time = found.timestamp else { return }
            row.offset = found.offset.rawValue
            row.timestamp = time.rawValue
            row.leaderEpoch = try await epoch(of: found.offset, in: partition)
        default:
            throw Fault(
                .invalidArgument, "there is no place that timestamp \(timestamp) stands for")
        }
    }

    private func epoch(of offset: Offset, in partition: Partition) async throws(Fault) -> Int32 {
        guard let term = try await partition.term(at: offset) else {
            return Int32(clamping: partition.term.rawValue)
        }
        return Int32(clamping: term.rawValue)
    }
}
