// SPDX-License-Identifier: Apache-2.0

internal import Records

/// What a log remembers of one idempotent producer: its epoch and its last batches (KIP-98).
///
/// A producer has up to five batches under way and sends each again until it is answered, so five are
/// enough to know every one that comes twice.
struct ProducerWindow: Sendable, Equatable {
    /// How many batches are remembered.
    static let batchesMax = 5

    /// A batch that is in the log.
    struct Batch: Sendable, Equatable {
        var firstSequence: Int32
        var lastSequence: Int32
        var baseOffset: Offset
    }

    var epoch: Int16
    /// Oldest first.
    var batches: [Batch] = []
    /// The server's clock when the producer last appended.
    var lastUse: Timestamp

    init(epoch: Int16, lastUse: Timestamp) {
        self.epoch = epoch
        self.lastUse = lastUse
        batches.reserveCapacity(Self.batchesMax)
    }

    /// The number behind a sequence number: from 2^31 - 1 it goes on with 0.
    static func next(_ sequence: Int32) -> Int32 { sequence == .max ? 0 : sequence + 1 }

    /// The sequence number of a batch's last record.
    static func last(first: Int32, count: Int32) -> Int32 {
        precondition(first >= 0 && count > 0, "a batch that was not checked")
        return Int32((Int64(first) + Int64(count) - 1) & Int64(Int32.max))
    }

    /// Judges a batch that wants to be appended.
    func judge(_ header: BatchHeader) -> ProducerVerdict {
        let first = header.baseSequence
        guard header.producerEpoch >= epoch else {
            return .refused(.staleEpoch(current: epoch, received: header.producerEpoch))
        }
        guard header.producerEpoch == epoch else {
            return first == 0
                ? .new : .refused(.outOfOrder(expected: 0, received: first))
        }
        let last = Self.last(first: first, count: header.recordCount)
        let known = batches.first { $0.firstSequence == first && $0.lastSequence == last }
        if let known { return .duplicate(known.baseOffset) }
        guard let newest = batches.last else { return .new }
        let expected = Self.next(newest.lastSequence)
        return first == expected ? .new : .refused(.outOfOrder(expected: expected, received: first))
    }

    /// Takes note of a batch that was appended.
    mutating func note(_ header: BatchHeader, at baseOffset: Offset, now: Timestamp) {
        if header.producerEpoch != epoch {
            epoch = header.producerEpoch
            batches.removeAll(keepingCapacity: true)
        }
        if batches.count == Self.batchesMax { batches.removeFirst() }
        batches.append(
            Batch(
                firstSequence: header.baseSequence,
                lastSequence: Self.last(first: header.baseSequence, count: header.recordCount),
                baseOffset: baseOffset))
        lastUse = now
    }
}

/// What becomes of an idempotent producer's batch.
enum ProducerVerdict: Equatable {
    /// It follows the one before.
    case new
    /// It is in the log already, at this offset.
    case duplicate(Offset)
    case refused(ProducerError)
}

/// Why an idempotent producer's batch is not appended.
public enum ProducerError: Error, Sendable, Equatable {
    /// It does not follow the last one: one between them is missing.
    case outOfOrder(expected: Int32, received: Int32)
    /// Another producer has taken over the id since.
    case staleEpoch(current: Int16, received: Int16)
}

extension ProducerError: CustomStringConvertible {
    /// What is wrong, in a few words.
    public var description: String {
        switch self {
        case .outOfOrder(let expected, let received):
            "sequence \(received) where \(expected) should follow"
        case .staleEpoch(let current, let received):
            "producer epoch \(received), and \(current) has been seen"
        }
    }
}
