// SPDX-License-Identifier: Apache-2.0

internal import LogAPI
public import Records

/// Where in a partition to begin.
public enum StartPosition: Sendable, Hashable {
    /// At the first record that is still there.
    case start
    /// Behind the last record.
    case end
    /// At this offset.
    case offset(Offset)
    /// At the first record at or after this time; at the end if all are older.
    case timestamp(Timestamp)
    /// So many records before the end, or at the start if there are fewer.
    case last(Int)

    /// The position in a partition, as the wire has it.
    func message(topic: String, partition: Int32) -> Cordwood_V1_StartPosition {
        var message = Cordwood_V1_StartPosition()
        message.partition.topic = topic
        message.partition.partition = partition
        switch self {
        case .start: message.earliest = .init()
        case .end: message.latest = .init()
        case .offset(let offset): message.offset = offset.rawValue
        case .timestamp(let timestamp): message.timestampMs = timestamp.rawValue
        case .last(let count): message.last = Int64(max(0, count))
        }
        return message
    }
}
