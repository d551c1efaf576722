// SPDX-License-Identifier: Apache-2.0

internal import LogAPI
public import Records

/// An offset that was looked for in a partition, and the partition's bounds at that moment.
public struct FoundOffset: Sendable, Hashable {
    /// The partition's number.
    public let partition: Int
    /// The offset; the end of the partition where nothing was found.
    public let offset: Offset
    /// The record's time, when it was looked for by time and found.
    public let timestamp: Timestamp?
    /// The first offset that is still there.
    public let logStartOffset: Offset
    /// The offset behind the last record that readers may see.
    public let highWatermark: Offset
}

extension CordwoodClient {
    /// Finds offsets in a topic's partitions.
    ///
    /// - Parameters:
    ///   - topic: The topic.
    ///   - partitions: The partitions' numbers; all of them when `nil`.
    ///   - position: What to find in each.
    /// - Returns: One a partition, in the order asked for.
    /// - Throws: ``CordwoodError/Code/topicNotFound``, ``CordwoodError/Code/partitionNotFound``,
    ///   ``CordwoodError/Code/offsetOutOfRange``.
    public func listOffsets(
        _ topic: String, partitions: [Int]? = nil, at position: StartPosition
    ) async throws(CordwoodError) -> [FoundOffset] {
        guard let partitions else {
            let count = try await describeTopic(topic).topic.partitionCount
            return try await listOffsets(topic, partitions: Array(0..<count), at: position)
        }
        var request = Cordwood_V1_ListOffsetsRequest()
        for partition in partitions {
            request.positions.append(
                position.message(topic: topic, partition: try partitionNumber(partition)))
        }
        guard !partitions.isEmpty else { return [] }
        let answer = try await connection.call { options in
            try await connection.log.listOffsets(request, options: options)
        }
        guard answer.results.map({ Int($0.partition.partition) }) == partitions else {
            throw CordwoodError(
                .unexpectedAnswer,
                "the server found offsets of \(answer.results.count) partitions, not of \(partitions)"
            )
        }
        return answer.results.map(FoundOffset.init)
    }
}

extension FoundOffset {
    init(_ message: Cordwood_V1_OffsetResult) {
        self.init(
            partition: Int(message.partition.partition), offset: Offset(message.offset),
            timestamp: message.hasTimestampMs
                ? Timestamp(milliseconds: message.timestampMs) : nil,
            logStartOffset: Offset(message.logStartOffset),
            highWatermark: Offset(message.highWatermark))
    }
}
