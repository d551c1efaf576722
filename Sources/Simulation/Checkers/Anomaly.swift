// SPDX-License-Identifier: Apache-2.0

public import Records

/// Something in a history that a correct log does not do, with the operations that show it.
public struct Anomaly: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Comparable, Sendable {
        /// An acknowledged append is not in the final log where it was acknowledged.
        case lostWrite = "lost write"
        /// One append is at two places.
        case duplicate
        /// Two values were read at one offset, or another was read than was acknowledged there.
        case inconsistentOffset = "inconsistent offset"
        /// Two appends were acknowledged at one offset.
        case offsetReused = "offset reused"
        /// An append lies before something that was there when it began.
        case reordered
        /// A later record was acknowledged in an earlier term.
        case termFell = "term fell"
        /// A value was read that nobody appended, or nobody had yet when the read ended.
        case phantomRead = "phantom read"
        /// A value was read whose append had failed for certain.
        case abortedRead = "aborted read"
        /// A linearizable end read does not know what was known before it began.
        case staleRead = "stale read"
        /// A consumer was given an offset for a second time, or out of order.
        case nonMonotonicPoll = "non-monotonic poll"
        /// A consumer was led past an offset.
        case pollSkip = "poll skip"
        /// An acknowledged record was never read, though all should have been.
        case unseen
        /// A reader was shown what the final log does not have there.
        case dirtyRead = "dirty read"
        /// A part of an append is in the log, or was shown as its end, without the rest.
        case tornAppend = "torn append"
        /// A producer's appends are not in the order of their sequence numbers, or one has two.
        case sequenceBroken = "sequence broken"
        /// An append is missing between others of its producer.
        case sequenceGap = "sequence gap"

        public static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    public var kind: Kind
    /// The operations that show it, the accused one last; where only one is named, the final log or
    /// the absence of an append is the other side.
    public var operations: [OperationID]
    /// The offset at which it shows, where there is one.
    public var offset: Offset?
    /// The value that shows it, where there is one.
    public var value: UInt64?

    public init(
        _ kind: Kind, _ operations: [OperationID], offset: Offset? = nil, value: UInt64? = nil
    ) {
        self.kind = kind
        self.operations = operations
        self.offset = offset
        self.value = value
    }
}

extension Anomaly: CustomStringConvertible {
    public var description: String {
        var text = kind.rawValue
        if let offset { text += " at offset \(offset)" }
        if let value { text += " of value \(value)" }
        if operations.isEmpty { return text + " in the final log" }
        return text + ": operations " + operations.map(\.description).joined(separator: ", ")
    }
}

extension History {
    /// An anomaly with its operations in full, on many lines.
    public func explain(_ anomaly: Anomaly) -> String {
        ([anomaly.description] + anomaly.operations.map { "  \($0) \(describe($0))" })
            .joined(separator: "\n")
    }

    private func describe(_ id: OperationID) -> String {
        let operation = operations[id.rawValue]
        let until = operation.isComplete ? "\(operation.time.upperBound)" : "…"
        let who = "\(operation.time.lowerBound)-\(until) client \(operation.client)"
        switch operation.kind {
        case .append(let values, let sequence, let outcome):
            let place = sequence.map { " producer \($0.producer)/\($0.epoch)/\($0.first)" } ?? ""
            return "\(who)\(place) appends \(values): \(outcome)"
        case .poll(let replica, let from, let isSeek, let range):
            let found = records[range].prefix(20).map { "\($0.offset)=\($0.value)" }
            let more = range.count > 20 ? " and \(range.count - 20) more" : ""
            let how = isSeek ? "seeks and polls" : "polls"
            return "\(who) \(how) replica \(replica) from \(from): "
                + found.joined(separator: " ") + more
        case .endRead(let replica, let isLinearizable, let end):
            let how = isLinearizable ? "linearizable" : "plain"
            return "\(who) reads the \(how) end at replica \(replica): \(end)"
        }
    }
}
