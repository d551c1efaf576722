// SPDX-License-Identifier: Apache-2.0

public import Records

/// Names an operation of a history: its number in the order of the beginnings, from 0.
public struct OperationID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }
    public init(_ value: Int) { rawValue = value }

    public static func < (left: OperationID, right: OperationID) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension OperationID: CustomStringConvertible {
    public var description: String { "#\(rawValue)" }
}

/// Where an append stands in the sequence of an idempotent producer.
public struct ProducerSequence: Hashable, Sendable {
    public var producer: Int64
    public var epoch: Int32
    /// The sequence number of the append's first record.
    public var first: Int64

    public init(producer: Int64, epoch: Int32, first: Int64) {
        self.producer = producer
        self.epoch = epoch
        self.first = first
    }
}

/// What a client knows of its append in the end.
public enum AppendOutcome: Hashable, Sendable {
    /// The first record is at this offset, in an entry of this term; `Term.zero` if that was not said.
    case acknowledged(Offset, Term)
    /// It was refused before it was written: it must never be seen.
    case failed
    /// It may be in the log, now or later, or never.
    case unknown
}

/// A record as a consumer got it, or as it stands in a log.
public struct SeenRecord: Hashable, Sendable {
    public var offset: Offset
    public var value: UInt64

    public init(_ offset: Offset, _ value: UInt64) {
        self.offset = offset
        self.value = value
    }
}

/// One operation of a client, with the numbers of the events at which it began and ended.
public struct HistoryOperation: Sendable {
    public enum Kind: Sendable {
        /// Appends the values of a range as consecutive records of one batch.
        case append(values: Range<UInt64>, sequence: ProducerSequence?, outcome: AppendOutcome)
        /// Reads records from an offset; `records` is a part of the history's `records`.
        ///
        /// A seek says that the consumer goes elsewhere than where it was.
        case poll(replica: UInt64, from: Offset, isSeek: Bool, records: Range<Int>)
        /// Asks where the log ends: the offset behind the last committed record.
        case endRead(replica: UInt64, isLinearizable: Bool, end: Offset)
    }

    public var kind: Kind
    /// Who did it: the appending client, or the consumer.
    public var client: UInt64
    /// The number of the event at which it began.
    public var begin: Int
    /// The number of the event at which its result was there; `Int.max` while it is not.
    public var end = Int.max
    /// When it began and ended, for those who read it; nothing is concluded from it.
    public var time: ClosedRange<Int64>

    public var isComplete: Bool { end != .max }
}

/// What clients did to one partition and what they were told, in the order in which it happened.
///
/// The order of the calls is the order of real time: an operation that ended in an earlier call than
/// the one that began another came before it. The times are for the reader of an anomaly only.
///
/// A value is a number that a client puts into one record, and no value is used twice. A client that
/// repeats a request because it got no answer still does one append. A consumer has one poll under
/// way at a time.
public struct History: Sendable {
    /// The most records of one append.
    public static let recordCountMax: UInt64 = 1 << 20

    public private(set) var operations: [HistoryOperation] = []
    /// The records that polls returned, poll by poll.
    public private(set) var records: [SeenRecord] = []
    /// The operation of each event; it is its end if the operation was there before.
    private(set) var events: [Int32] = []

    public init() {}

    /// Notes that a client sends a batch of records.
    public mutating func beginAppend(
        client: UInt64, values: Range<UInt64>, sequence: ProducerSequence? = nil, at time: Int64
    ) -> OperationID {
        precondition(
            !values.isEmpty && values.upperBound - values.lowerBound <= Self.recordCountMax,
            "an append has 1 to \(Self.recordCountMax) records")
        return begin(
            .append(values: values, sequence: sequence, outcome: .unknown), by: client, at: time)
    }

    /// Notes what became of an append.
    ///
    /// An append without an end is one of unknown outcome.
    public mutating func endAppend(
        _ id: OperationID, _ outcome: AppendOutcome, at time: Int64
    ) {
        guard case .append(let values, let sequence, _) = operations[id.rawValue].kind else {
            preconditionFailure("operation \(id) is no append")
        }
        end(id, .append(values: values, sequence: sequence, outcome: outcome), at: time)
    }

    /// Notes that a consumer asks for the records from an offset on.
    ///
    /// - Parameter isSeek: Whether this need not be where the consumer's last poll ended.
    public mutating func beginPoll(
        consumer: UInt64, replica: UInt64, from: Offset, isSeek: Bool = false, at time: Int64
    ) -> OperationID {
        begin(
            .poll(replica: replica, from: from, isSeek: isSeek, records: 0..<0),
            by: consumer, at: time)
    }

    /// Notes the records that a poll returned.
    ///
    /// A poll that failed has no end.
    public mutating func endPoll(
        _ id: OperationID, records found: some Sequence<SeenRecord>, at time: Int64
    ) {
        guard case .poll(let replica, let from, let isSeek, _) = operations[id.rawValue].kind else {
            preconditionFailure("operation \(id) is no poll")
        }
        let first = records.count
        records.append(contentsOf: found)
        end(
            id,
            .poll(replica: replica, from: from, isSeek: isSeek, records: first..<records.count),
            at: time)
    }

    /// Notes that a client asks a replica where the log ends.
    ///
    /// - Parameter isLinearizable: Whether the answer must know all that was acknowledged before; if
    ///   not it is only the replica's high watermark.
    public mutating func beginEndRead(
        client: UInt64, replica: UInt64, isLinearizable: Bool, at time: Int64
    ) -> OperationID {
        begin(
            .endRead(replica: replica, isLinearizable: isLinearizable, end: .zero),
            by: client, at: time)
    }

    /// Notes the end offset that a client was told.
    public mutating func endEndRead(_ id: OperationID, end offset: Offset, at time: Int64) {
        guard
            case .endRead(let replica, let isLinearizable, _) = operations[id.rawValue].kind
        else { preconditionFailure("operation \(id) is no end read") }
        end(
            id, .endRead(replica: replica, isLinearizable: isLinearizable, end: offset), at: time)
    }

    private mutating func begin(
        _ kind: HistoryOperation.Kind, by client: UInt64, at time: Int64
    ) -> OperationID {
        let id = operations.count
        operations.append(
            HistoryOperation(kind: kind, client: client, begin: events.count, time: time...time))
        events.append(Int32(id))
        return OperationID(id)
    }

    private mutating func end(_ id: OperationID, _ kind: HistoryOperation.Kind, at time: Int64) {
        precondition(!operations[id.rawValue].isComplete, "operation \(id) has ended before")
        operations[id.rawValue].kind = kind
        operations[id.rawValue].end = events.count
        let began = operations[id.rawValue].time.lowerBound
        operations[id.rawValue].time = began...max(began, time)
        events.append(Int32(id.rawValue))
    }
}

/// The committed records of a log when all is over, without a gap.
public struct FinalLog: Sendable {
    /// The offset of the first record that is still there.
    public var start: Offset
    /// The values of the records from there on.
    public var values: [UInt64]

    public init(start: Offset, values: [UInt64]) {
        precondition(
            start >= .zero && start.rawValue <= .max - Int64(values.count), "offsets fit 63 bits")
        self.start = start
        self.values = values
    }

    /// The offset behind the last record.
    public var end: Offset { start.advanced(by: values.count) }

    /// The value at an offset; nil outside of the log.
    func value(at offset: Offset) -> UInt64? {
        offset >= start && offset < end ? values[offset.distance(from: start)] : nil
    }
}
