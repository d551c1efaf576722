// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CommitLog
internal import Records

/// An idempotent producer as a client has it, and what the log must know of it, in the plainest way.
///
/// It numbers its batches, has up to five of them under way, and sends each again until it is
/// answered. Where the log can no longer take them in order it gives them up and goes on under a new
/// epoch (KIP-360).
struct HistoryProducer: Sendable {
    /// As many as a client has under way, and a log remembers.
    static let batchesMax = 5

    /// A batch that it made; its number is its place in the row.
    struct Batch: Sendable {
        var epoch: Int16
        var first: Int32
        var count: Int32
        /// As it is sent each time.
        var bytes: [UInt8]
        var timestamps: [Int64]
        /// Where it is, as the log has said in this life.
        var answer: Int64?
        /// Somebody was told that it is in the log there.
        var acknowledged: Int64?
        /// Whoever was told so relies on it whatever happens.
        var isPromised = false
        /// Not all attempts were refused.
        var mayBeThere = false
    }

    let id: Int64
    private(set) var epoch: Int16 = 0
    private var nextSequence: Int32
    private(set) var made: [Batch] = []
    /// The numbers of those that are sent until they are answered, oldest first.
    private(set) var underWay: [Int] = []
    /// What the log holds of it, in the log's order.
    private(set) var logged: [(number: Int, base: Int64)] = []
    /// Up to this epoch the log may have forgotten it, or not.
    private var unsureEpoch: Int16 = -1

    init(id: Int64, sequence: Int32) {
        self.id = id
        nextSequence = sequence
    }

    // MARK: As a client

    /// Whether one more batch may be under way.
    var hasRoom: Bool { underWay.first.map { made.count - $0 < Self.batchesMax } ?? true }

    /// Makes a batch that follows the one before.
    mutating func add(_ buffer: BatchBuffer, timestamps: [Int64]) {
        let bytes = buffer.mutableBytes
        bytes.storeBigEndian(id, at: 43)
        bytes.storeBigEndian(epoch, at: 51)
        bytes.storeBigEndian(nextSequence, at: 53)
        bytes.storeBigEndian(RecordBatch.checksum(of: UnsafeRawBufferPointer(bytes)), at: 17)
        underWay.append(made.count)
        made.append(
            Batch(
                epoch: epoch, first: nextSequence, count: Int32(timestamps.count),
                bytes: Array(buffer.bytes), timestamps: timestamps))
        nextSequence = Self.sequence(nextSequence, plus: timestamps.count)
    }

    /// Gives up what is under way, and begins anew.
    mutating func beginEpoch() {
        underWay = []
        epoch += 1
        nextSequence = 0
    }

    /// Takes note of where the log says that a batch is.
    mutating func noteAnswer(_ number: Int, at base: Int64) {
        made[number].mayBeThere = true
        if underWay.contains(number) { made[number].answer = base }
    }

    /// Takes note of an attempt that may or may not have come to something.
    mutating func noteDoubt(_ number: Int) { made[number].mayBeThere = true }

    /// Believes an answer.
    mutating func acknowledge(_ number: Int, isPromised: Bool) {
        made[number].acknowledged = made[number].answer
        made[number].isPromised = isPromised
        underWay.removeAll { $0 == number }
    }

    /// Answers that were under way are lost with the server's life.
    mutating func loseAnswers() {
        for number in underWay { made[number].answer = nil }
    }

    // MARK: As the log must see it

    /// Whether the log may have forgotten it, so that only a new epoch is sure to be taken.
    var isUnsure: Bool {
        unsureEpoch >= 0 && !logged.contains { made[$0.number].epoch > unsureEpoch }
    }

    /// Whether the log can never take, or may not take, what is under way.
    var isStuck: Bool {
        let oldest = underWay.first
        guard !isUnsure else {
            return epoch <= unsureEpoch || (oldest.map { made[$0].first } ?? nextSequence) != 0
        }
        guard let oldest, case .refused = expected(oldest, at: 0) else { return false }
        return true
    }

    /// What must become of a batch.
    func expected(_ number: Int, at end: Int64) -> Log.AppendOutcome {
        let batch = made[number]
        guard let newest = logged.last else { return .appended(Offset(end)) }
        let last = made[newest.number]
        if batch.epoch < last.epoch {
            return .refused(.staleEpoch(current: last.epoch, received: batch.epoch))
        }
        if batch.epoch > last.epoch {
            return batch.first == 0
                ? .appended(Offset(end))
                : .refused(.outOfOrder(expected: 0, received: batch.first))
        }
        if let known = logged.suffix(Self.batchesMax).first(where: { $0.number == number }) {
            return .duplicate(Offset(known.base))
        }
        let next = Self.sequence(last.first, plus: Int(last.count))
        return batch.first == next
            ? .appended(Offset(end))
            : .refused(.outOfOrder(expected: next, received: batch.first))
    }

    /// Takes note that a batch is in the log.
    mutating func noteLogged(_ number: Int, at base: Int64) { logged.append((number, base)) }

    /// Takes over what a recovered log holds of it.
    ///
    /// - Parameters:
    ///   - found: Its batches from `start` on.
    ///   - mayHaveForgotten: Whether the log may know less than that it held once.
    mutating func recover(
        _ found: [(number: Int, base: Int64)], from start: Int64, mayHaveForgotten: Bool
    ) {
        loseAnswers()
        let before = logged.filter { $0.base < start }
        logged = before + found
        if mayHaveForgotten, logged.suffix(Self.batchesMax).contains(where: { $0.base < start }),
            let epoch = logged.last.map({ made[$0.number].epoch })
        {
            unsureEpoch = max(unsureEpoch, epoch)
        }
    }

    /// The number of the batch that some bytes of a log are.
    func number(of header: BatchHeader) -> Int? {
        made.lastIndex {
            $0.epoch == header.producerEpoch && $0.first == header.baseSequence
                && $0.count == header.recordCount
        }
    }

    private static func sequence(_ first: Int32, plus count: Int) -> Int32 {
        Int32((Int64(first) + Int64(count)) % (Int64(Int32.max) + 1))
    }
}
