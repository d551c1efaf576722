// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import LogAPI
internal import Records

/// The positions of a request, checked.
struct StartPositions: Sendable {
    private struct Position: Sendable {
        var message: Cordwood_V1_TopicPartition
        var partition: Partition
        var query: OffsetQuery
    }

    private var positions: [Position] = []

    /// Checks the positions of a request and finds their partitions.
    ///
    /// - Parameter mayRepeat: Whether a partition may come more than once.
    init(
        _ messages: [Cordwood_V1_StartPosition], _ surroundings: Surroundings,
        mayRepeat: Bool = false
    ) throws(Fault) {
        let limit = surroundings.settings.positionsMax
        guard !messages.isEmpty else {
            throw Fault(.invalidArgument, "the request names no partition")
        }
        guard messages.count <= limit else {
            throw Fault(
                .invalidArgument,
                "the request names \(messages.count) partitions, the limit is \(limit)")
        }
        var seen: Set<Cordwood_V1_TopicPartition> = []
        for message in messages {
            let name = message.partition
            let partition = try RequestChecks.partition(name, of: surroundings.broker)
            guard mayRepeat || seen.insert(name).inserted else {
                throw Fault(
                    .invalidArgument,
                    "the request names partition \(name.partition) of \(name.topic) twice")
            }
            positions.append(
                Position(
                    message: name, partition: partition, query: try Self.query(message.start)))
        }
    }

    /// Where each partition is to be read from, and to where.
    func cursors(follow: Bool) async throws(Fault) -> [PartitionCursor] {
        var cursors: [PartitionCursor] = []
        for position in positions {
            let found = try await position.partition.find(position.query)
            cursors.append(
                PartitionCursor(
                    message: position.message, partition: position.partition,
                    opener: BatchOpener(position.partition), next: found.offset,
                    end: follow ? nil : found.highWatermark))
        }
        return cursors
    }

    /// What the positions stand for.
    func list() async throws(Fault) -> Cordwood_V1_ListOffsetsResponse {
        var response = Cordwood_V1_ListOffsetsResponse()
        for position in positions {
            let found = try await position.partition.find(position.query)
            var result = Cordwood_V1_OffsetResult()
            result.partition = position.message
            result.offset = found.offset.rawValue
            if let timestamp = found.timestamp { result.timestampMs = timestamp.rawValue }
            result.logStartOffset = found.logStartOffset.rawValue
            result.highWatermark = found.highWatermark.rawValue
            response.results.append(result)
        }
        return response
    }

    private static func query(
        _ start: Cordwood_V1_StartPosition.OneOf_Start?
    ) throws(Fault) -> OffsetQuery {
        switch start {
        case .offset(let offset):
            guard offset >= 0 else {
                throw Fault(.invalidArgument, "offset \(offset) is negative")
            }
            return .offset(Offset(offset))
        case .timestampMs(let milliseconds):
            return .timestamp(Timestamp(milliseconds: milliseconds))
        case .earliest: return .earliest
        case .latest: return .latest
        case .last(let count):
            guard count >= 0 else {
                throw Fault(.invalidArgument, "a position \(count) records before the end is none")
            }
            return .last(count)
        case nil:
            throw Fault(.invalidArgument, "a position does not say where to start")
        }
    }
}

/// How far a consumer is in a partition.
struct PartitionCursor: Sendable {
    let message: Cordwood_V1_TopicPartition
    let partition: Partition
    let opener: BatchOpener
    /// Where to go on.
    var next: Offset
    /// Where to stop; `nil` to follow.
    let end: Offset?

    /// Whether there is nothing more to read, ever.
    var isDone: Bool { end.map { next >= $0 } ?? false }
}
