// SPDX-License-Identifier: Apache-2.0

internal import Records

/// What a log remembers of one idempotent producer: its epoch and its last batches (KIP-98).
///
/// A producer has up to five batches under way and sends each again until it is answered, so five
/// are enough to know every one that comes twice. They are kept in place, so that taking note of one
/// allocates nothing.
struct ProducerWindow: Sendable {
    /// How many batches are remembered.
    static let batchesMax = 5

    /// A batch that is in the log.
    struct Batch: Sendable, Equatable {
        var firstSequence: Int32
        var lastSequence: Int32
        var baseOffset: Offset
    }

    /// What tells older lives of the producer from this one.
    private(set) var epoch: Int16
    /// How many batches are known.
    private(set) var count = 0
    private var places: InlineArray<5, Batch>
    /// The server's clock when the producer last appended.
    var lastUse: Timestamp

    /// A window without batches.
    init(epoch: Int16, lastUse: Timestamp) {
        self.epoch = epoch
        self.lastUse = lastUse
        places = InlineArray(
            repeating: Batch(firstSequence: 0, lastSequence: 0, baseOffset: .zero))
    }

    /// A batch by its place, the oldest first.
    func batch(_ number: Int) -> Batch {
        precondition(number < count, "batch \(number) of \(count)")
        return places[number]
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
            return first == 0 ? .new : .refused(.outOfOrder(expected: 0, received: first))
        }
        let last = Self.last(first: first, count: header.recordCount)
        // From the newest on: that is the likeliest to be sent again.
        for number in (0..<count).reversed()
        where places[number].firstSequence == first && places[number].lastSequence == last {
            return .duplicate(places[number].baseOffset)
        }
        guard count > 0 else { return .new }
        let expected = Self.next(places[count - 1].lastSequence)
        return first == expected ? .new : .refused(.outOfOrder(expected: expected, received: first))
    }

    /// Takes note of a batch that was appended.
    ///
    /// - Parameter batchesMax: How many to remember; the oldest goes for it.
    mutating func note(
        _ header: BatchHeader, at baseOffset: Offset, now: Timestamp, batchesMax: Int
    ) {
        if header.producerEpoch != epoch {
            epoch = header.producerEpoch
            count = 0
        }
        add(
            Batch(
                firstSequence: header.baseSequence,
                lastSequence: Self.last(first: header.baseSequence, count: header.recordCount),
                baseOffset: baseOffset),
            batchesMax: batchesMax)
        lastUse = now
    }

    /// Puts a batch behind the others.
    mutating func add(_ batch: Batch, batchesMax: Int = Self.batchesMax) {
        precondition((1...Self.batchesMax).contains(batchesMax), "a window of \(batchesMax)")
        while count >= batchesMax {
            for number in 1..<count { places[number - 1] = places[number] }
            count -= 1
        }
        places[count] = batch
        count += 1
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
