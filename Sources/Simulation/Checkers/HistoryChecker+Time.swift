// SPDX-License-Identifier: Apache-2.0

internal import Records

// The history once more, event by event, with what everybody who begins now must respect: an offset
// that an acknowledgement, a poll or an end read has shown to be taken stays taken.
extension HistoryChecker {
    /// Holds the places of appends, the results of end reads and each consumer's way to real time.
    mutating func replay() {
        var proof = Proof()
        var consumers: [UInt64: Offset] = [:]
        var floors: [Int32: Proof] = [:]
        for (event, number) in history.events.enumerated() {
            let operation = history.operations[Int(number)]
            let isEnd = operation.begin != event
            switch operation.kind {
            case .append(let values, _, let outcome):
                if !isEnd {
                    checkOrder(number, proof)
                } else if case .acknowledged(let base, _) = outcome {
                    proof.raise(to: Self.end(of: base, values), by: number)
                }
            case .endRead(_, let isLinearizable, let end):
                if !isEnd {
                    if isLinearizable, operation.isComplete { floors[number] = proof }
                } else {
                    if let floor = floors.removeValue(forKey: number), end.rawValue < floor.end {
                        report(.staleRead, [floor.by, number], offset: end.rawValue)
                    }
                    checkEnd(end, number)
                    proof.raise(to: end.rawValue, by: number)
                }
            case .poll(_, let from, let isSeek, let range):
                guard isEnd else { continue }
                let expected = isSeek ? from : consumers[operation.client] ?? from
                let records = history.records[range]
                consumers[operation.client] = follow(records, from, expected, number)
                for record in records {
                    proof.raise(to: Self.end(of: record.offset, 0..<1), by: number)
                }
            }
        }
    }

    /// The highest end that somebody was shown, and by which operation.
    struct Proof {
        var end: Int64 = 0
        var by = OffsetCell.nobody

        mutating func raise(to end: Int64, by operation: Int32) {
            if end > self.end { self = Proof(end: end, by: operation) }
        }
    }

    /// An append lies behind all that was there when it began.
    private mutating func checkOrder(_ append: Int32, _ proof: Proof) {
        let base = bases[Int(append)]
        if base != Self.nowhere, base < proof.end {
            report(.reordered, [proof.by, append], offset: base)
        }
    }

    /// A consumer gets each offset once, in order, from where it was.
    ///
    /// Logs of these histories are not compacted: their offsets have no holes.
    ///
    /// - Returns: Where the consumer is then.
    private mutating func follow(
        _ records: ArraySlice<SeenRecord>, _ from: Offset, _ expected: Offset, _ poll: Int32
    ) -> Offset {
        var next = expected.rawValue
        step(to: from.rawValue, next, poll)
        next = from.rawValue
        for record in records {
            let offset = record.offset.rawValue
            step(to: offset, next, poll)
            next = offset &+ 1
            checkStays(record, poll)
        }
        return Offset(next)
    }

    private mutating func step(to offset: Int64, _ expected: Int64, _ poll: Int32) {
        let number = Int(poll)
        if offset < expected, !reported[number].contains(.nonMonotonic) {
            reported[number].insert(.nonMonotonic)
            report(.nonMonotonicPoll, [poll], offset: offset)
        } else if offset > expected, !reported[number].contains(.skip) {
            reported[number].insert(.skip)
            report(.pollSkip, [poll], offset: expected)
        }
    }

    /// What a poll returned is in the final log, unless that begins behind it.
    private mutating func checkStays(_ record: SeenRecord, _ poll: Int32) {
        guard let finalLog, record.offset >= finalLog.start || record.offset < .zero,
            finalLog.value(at: record.offset) != record.value,
            !reported[Int(poll)].contains(.dirty)
        else { return }
        reported[Int(poll)].insert(.dirty)
        report(.dirtyRead, [poll], offset: record.offset.rawValue, value: record.value)
    }

    /// An end that was shown is reached by the final log, and lies between two appends.
    private mutating func checkEnd(_ end: Offset, _ read: Int32) {
        guard let finalLog else { return }
        if end > finalLog.end || end < .zero {
            report(.dirtyRead, [read], offset: end.rawValue)
        } else if end > finalLog.start, let next = finalLog.value(at: end),
            let last = finalLog.value(at: Offset(end.rawValue - 1)),
            let found = values.find(next), found.append == values.find(last)?.append
        {
            report(.tornAppend, [found.append, read], offset: end.rawValue)
        }
    }
}
