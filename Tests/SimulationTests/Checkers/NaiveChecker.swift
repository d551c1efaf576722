// SPDX-License-Identifier: Apache-2.0

import Records
import Simulation

/// What was found, and of what: enough to compare two checkers by.
struct Finding: Hashable, Comparable, CustomStringConvertible {
    var kind: Anomaly.Kind
    var subject: String

    init(_ kind: Anomaly.Kind, _ subject: String) {
        self.kind = kind
        self.subject = subject
    }

    /// Two values at an offset are found once an offset, a value of nobody once a value, and all
    /// else once an operation.
    init(_ anomaly: Anomaly, _ history: History) {
        kind = anomaly.kind
        subject = anomaly.operations.last.map { "operation \($0)" } ?? "nothing"
        if [.inconsistentOffset, .offsetReused].contains(kind) {
            subject = anomaly.offset.map { "offset \($0)" } ?? "nothing"
        } else if kind == .phantomRead, !isAppend(anomaly.operations.last, history) {
            subject = anomaly.value.map { "value \($0)" } ?? "nothing"
        }
    }

    var description: String { "\(kind.rawValue) of \(subject)" }

    static func < (left: Finding, right: Finding) -> Bool {
        left.description < right.description
    }
}

private func isAppend(_ id: OperationID?, _ history: History) -> Bool {
    guard let id, case .append = history.operations[id.rawValue].kind else { return false }
    return true
}

/// Finds each anomaly by its definition: for each of these, is there one of those.
///
/// Quadratic and worse, without an index, an order or a state carried along.
struct NaiveChecker {
    struct Append {
        var number: Int
        var values: Range<UInt64>
        var sequence: ProducerSequence?
        var outcome: AppendOutcome
        var acknowledged: (base: Int64, term: UInt64)?
        var base: Int64?
        var count: Int64 { Int64(values.count) }
    }

    struct Reading {
        var offset: Int64
        var value: UInt64
        /// -1 for the final log.
        var reader: Int
        var end: Int
    }

    let history: History
    let finalLog: FinalLog?
    var appends: [Append] = []
    var readings: [Reading] = []
    var findings: Set<Finding> = []

    static func check(
        _ history: History, finalLog: FinalLog?, allWereRead: Bool = false
    ) -> Set<Finding> {
        var checker = NaiveChecker(history: history, finalLog: finalLog)
        checker.gather()
        checker.checkOffsets()
        checker.checkReadings()
        checker.checkTime()
        checker.checkConsumers()
        checker.checkSequences()
        checker.checkTerms()
        if finalLog != nil { checker.checkEnd() }
        if allWereRead { checker.checkAllWereRead() }
        return checker.findings
    }

    private init(history: History, finalLog: FinalLog?) {
        self.history = history
        self.finalLog = finalLog
    }

    mutating func found(_ kind: Anomaly.Kind, operation: Int) {
        findings.insert(Finding(kind, "operation #\(operation)"))
    }

    private mutating func gather() {
        for (place, value) in (finalLog?.values ?? []).enumerated() {
            readings.append(
                Reading(
                    offset: (finalLog?.start.rawValue ?? 0) + Int64(place), value: value,
                    reader: -1, end: .max))
        }
        for (number, operation) in history.operations.enumerated() where operation.isComplete {
            guard case .poll(_, _, _, let range) = operation.kind else { continue }
            for record in history.records[range] {
                readings.append(
                    Reading(
                        offset: record.offset.rawValue, value: record.value, reader: number,
                        end: operation.end))
            }
        }
        for (number, operation) in history.operations.enumerated() {
            guard case .append(let values, let sequence, let outcome) = operation.kind
            else { continue }
            var append = Append(
                number: number, values: values, sequence: sequence, outcome: outcome)
            if case .acknowledged(let base, let term) = outcome {
                append.acknowledged = (base.rawValue, term.rawValue)
                append.base = base.rawValue
            } else if let first = readings.first(where: { values.contains($0.value) }) {
                append.base = first.offset - Int64(first.value - values.lowerBound)
            }
            appends.append(append)
        }
    }

    private mutating func checkOffsets() {
        let claims = appends.flatMap { append in
            append.values.enumerated().compactMap { place, value in
                append.acknowledged.map { (offset: $0.base + Int64(place), value: value) }
            }
        }
        for offset in Set(claims.map(\.offset) + readings.map(\.offset)) {
            let here = claims.filter { $0.offset == offset }
            let reads = Set(readings.filter { $0.offset == offset }.map(\.value))
            if here.count > 1 { findings.insert(Finding(.offsetReused, "offset \(offset)")) }
            if reads.count > 1 || here.first.map({ !reads.isSubset(of: [$0.value]) }) ?? false {
                findings.insert(Finding(.inconsistentOffset, "offset \(offset)"))
            }
        }
    }

    private mutating func checkReadings() {
        for reading in readings {
            guard let append = appends.first(where: { $0.values.contains(reading.value) }) else {
                findings.insert(Finding(.phantomRead, "value \(reading.value)"))
                continue
            }
            if reading.end < history.operations[append.number].begin {
                found(.phantomRead, operation: append.number)
            }
            if append.outcome == .failed { found(.abortedRead, operation: append.number) }
            let place = Int64(reading.value - append.values.lowerBound)
            if append.base != reading.offset - place { found(.duplicate, operation: append.number) }
        }
    }

    /// The end of the log that an operation shows to have been there when it ended.
    private func shown(_ operation: HistoryOperation) -> Int64? {
        guard operation.isComplete else { return nil }
        switch operation.kind {
        case .append(let values, _, .acknowledged(let base, _)):
            return base.rawValue + Int64(values.count)
        case .append: return nil
        case .poll(_, _, _, let range):
            return history.records[range].map { $0.offset.rawValue + 1 }.max()
        case .endRead(_, _, let end): return end.rawValue
        }
    }

    /// The end of the log that must have been there when an operation began.
    private func known(before operation: HistoryOperation) -> Int64 {
        history.operations.filter { $0.end < operation.begin }.compactMap(shown).reduce(0, max)
    }

    private mutating func checkTime() {
        for append in appends {
            if let base = append.base, base < known(before: history.operations[append.number]) {
                found(.reordered, operation: append.number)
            }
        }
        for (number, operation) in history.operations.enumerated() where operation.isComplete {
            if case .endRead(_, true, let end) = operation.kind,
                end.rawValue < known(before: operation)
            {
                found(.staleRead, operation: number)
            }
        }
    }

    private mutating func checkConsumers() {
        for (number, operation) in history.operations.enumerated() where operation.isComplete {
            guard case .poll(_, let from, let isSeek, let range) = operation.kind else { continue }
            var path = [from.rawValue] + history.records[range].map(\.offset.rawValue)
            var expected =
                [from.rawValue] + path.dropLast().enumerated().map { $0 == 0 ? $1 : $1 + 1 }
            let before = history.operations.filter {
                if case .poll = $0.kind {
                    return $0.client == operation.client && $0.end < operation.end
                }
                return false
            }
            if !isSeek, let last = before.max(by: { $0.end < $1.end }),
                case .poll(_, let itsFrom, _, let its) = last.kind
            {
                path.insert(from.rawValue, at: 0)
                expected.insert(
                    history.records[its].last.map { $0.offset.rawValue + 1 } ?? itsFrom.rawValue,
                    at: 0)
            }
            if zip(path, expected).contains(where: <) {
                found(.nonMonotonicPoll, operation: number)
            }
            if zip(path, expected).contains(where: >) { found(.pollSkip, operation: number) }
        }
    }
}
