// SPDX-License-Identifier: Apache-2.0

internal import LogAPI
internal import Records

/// How far a consumer has read each of its partitions, and how far it wants to.
///
/// A pure state machine, fed with the server's messages.
struct ReadPositions {
    private struct Bounds {
        let partition: Int
        var next: Offset
        let end: Offset
    }

    /// In the order in which the partitions were asked for.
    private var bounds: [Bounds]

    /// Positions at the offsets that were found.
    ///
    /// - Parameter follow: Whether to read on beyond what is there now.
    init(_ found: [FoundOffset], follow: Bool) {
        bounds = found.map {
            Bounds(
                partition: $0.partition, next: $0.offset,
                end: follow ? Offset(Int64.max) : $0.highWatermark)
        }
    }

    /// What is still wanted, by partition.
    var wanted: [(partition: Int, offsets: Range<Offset>)] {
        bounds.filter { $0.next < $0.end }.map { ($0.partition, $0.next..<$0.end) }
    }

    /// Whether all that is wanted has come.
    var isAtEnd: Bool { bounds.allSatisfy { $0.next >= $0.end } }

    /// Takes the records wanted out of a message, and moves behind them.
    mutating func receive(
        _ message: Cordwood_V1_ConsumeResponse, topic: String
    ) throws(CordwoodError) -> [ConsumedBatch] {
        let partition = Int(message.partition.partition)
        guard let index = bounds.firstIndex(where: { $0.partition == partition }) else {
            throw CordwoodError(
                .unexpectedAnswer, "the server sent partition \(partition), which was not asked for"
            )
        }
        let next = bounds[index].next
        // A partition whose end has come may still be read by the server: nothing of it counts.
        let wanted = next..<max(next, bounds[index].end)
        let batches = try message.withEncodedBatches { bytes in
            Result { () throws(CordwoodError) in
                try BatchDecoder.batches(in: bytes, wanted: wanted)
            }
        }.get()
        var consumed: [ConsumedBatch] = []
        var reached = next
        for batch in batches where !batch.records.isEmpty {
            let nextOffset = min(batch.endOffset, wanted.upperBound)
            reached = max(reached, nextOffset)
            consumed.append(
                ConsumedBatch(
                    topic: topic, partition: partition, records: batch.records,
                    nextOffset: nextOffset, highWatermark: Offset(message.highWatermark),
                    sizeBytes: batch.size))
        }
        // The message's own word covers offsets that no record holds any more.
        bounds[index].next = max(reached, Offset(message.nextOffset))
        return consumed
    }
}
