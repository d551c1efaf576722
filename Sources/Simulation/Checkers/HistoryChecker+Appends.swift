// SPDX-License-Identifier: Apache-2.0

internal import Records

// What must hold of the appends when all is over.
extension HistoryChecker {
    /// Acknowledged appends are whole in the final log where they were acknowledged, and the others
    /// are whole or not at all.
    mutating func checkFinalLog() {
        guard let finalLog else { return }
        for (number, operation) in history.operations.enumerated() {
            guard case .append(let values, _, let outcome) = operation.kind else { continue }
            let base = bases[number]
            if case .acknowledged = outcome {
                for (place, value) in values.enumerated() {
                    let offset = Offset(base &+ Int64(place))
                    guard offset >= finalLog.start || offset < .zero,
                        finalLog.value(at: offset) != value
                    else { continue }
                    report(.lostWrite, [Int32(number)], offset: offset.rawValue, value: value)
                    break
                }
            } else if finalCounts[number] > 0 {
                let gone = max(0, min(finalLog.start.rawValue &- base, Int64(values.count)))
                if Int64(finalCounts[number]) < Int64(values.count) - gone {
                    report(.tornAppend, [Int32(number)], offset: base)
                }
            }
        }
    }

    /// Each acknowledged record that is not gone by retention was returned by some poll.
    mutating func checkAllWereRead() {
        let start = finalLog?.start.rawValue ?? 0
        for (number, operation) in history.operations.enumerated() {
            guard case .append(let values, _, .acknowledged) = operation.kind else { continue }
            for (place, value) in values.enumerated() {
                let offset = bases[number] &+ Int64(place)
                let cell = table[table.number(of: offset)]
                let wasPolled =
                    cell.acknowledgedValue == value
                    ? cell.wasPolled : polledOthers.contains(SeenRecord(Offset(offset), value))
                guard offset >= start, !wasPolled else { continue }
                report(.unseen, [Int32(number)], offset: offset, value: value)
                break
            }
        }
    }

    /// The term of acknowledged records does not fall as offsets rise.
    mutating func checkTerms() {
        var entries: [(base: Int64, term: Term, append: Int32)] = []
        for (number, operation) in history.operations.enumerated() {
            if case .append(_, _, .acknowledged(let base, let term)) = operation.kind, term > .zero
            {
                entries.append((base.rawValue, term, Int32(number)))
            }
        }
        entries.sort { ($0.base, $0.append) < ($1.base, $1.append) }
        var highest: (term: Term, append: Int32) = (.zero, OffsetCell.nobody)
        var pending = highest
        var base = Int64.min
        for entry in entries {
            // Only records before this one's base say anything of it.
            if entry.base > base {
                base = entry.base
                highest = pending
            }
            if entry.term < highest.term {
                report(.termFell, [highest.append, entry.append], offset: entry.base)
            }
            if entry.term > pending.term { pending = (entry.term, entry.append) }
        }
    }

    /// Producers' appends are in the order of their sequence numbers, each number once, and none is
    /// missing between two that the final log has.
    mutating func checkSequences() {
        var entries: [SequencedAppend] = []
        for (number, operation) in history.operations.enumerated() {
            guard case .append(let values, let sequence?, let outcome) = operation.kind
            else { continue }
            entries.append(
                SequencedAppend(
                    sequence: sequence, end: sequence.first &+ Int64(values.count),
                    append: Int32(number), isFailed: outcome == .failed))
        }
        entries.sort { $0.order < $1.order }
        var first = 0
        while first < entries.count {
            let producer = entries[first].sequence.producer
            let count = entries[first...].prefix { $0.sequence.producer == producer }.count
            checkOrder(entries[first..<(first + count)])
            first += count
        }
        if finalLog != nil { checkGaps(entries) }
    }

    struct SequencedAppend {
        var sequence: ProducerSequence
        var end: Int64
        var append: Int32
        var isFailed: Bool

        var order: (Int64, Int32, Int64, Int32) {
            (sequence.producer, sequence.epoch, sequence.first, append)
        }

        func hasEpoch(of other: SequencedAppend) -> Bool {
            sequence.producer == other.sequence.producer && sequence.epoch == other.sequence.epoch
        }
    }

    /// One producer's appends: places rise with epoch and sequence, and no sequence is there twice.
    private mutating func checkOrder(_ entries: ArraySlice<SequencedAppend>) {
        var furthest: (base: Int64, append: Int32) = (.min, OffsetCell.nobody)
        var longest: SequencedAppend?
        for entry in entries {
            let base = bases[Int(entry.append)]
            guard base != Self.nowhere else { continue }
            if base <= furthest.base {
                report(.sequenceBroken, [furthest.append, entry.append], offset: base)
            } else if let longest, longest.hasEpoch(of: entry), longest.end > entry.sequence.first {
                report(.sequenceBroken, [longest.append, entry.append], offset: base)
            }
            if base > furthest.base { furthest = (base, entry.append) }
            if !(longest.map { $0.hasEpoch(of: entry) && $0.end >= entry.end } ?? false) {
                longest = entry
            }
        }
    }

    /// An append between two of its producer's epoch that are in the final log is there too.
    ///
    /// What failed for certain left its sequence number to another. Before the first that is there,
    /// the log may not have known the producer.
    private mutating func checkGaps(_ entries: [SequencedAppend]) {
        var last: SequencedAppend?
        var missing: [SequencedAppend] = []
        for entry in entries {
            if let known = last, !known.hasEpoch(of: entry) {
                last = nil
                missing = []
            }
            if finalCounts[Int(entry.append)] > 0 {
                for absent in missing where absent.end <= entry.sequence.first {
                    report(.sequenceGap, [entry.append, absent.append])
                }
                missing = []
                last = entry
            } else if let last, !entry.isFailed, entry.sequence.first >= last.end {
                missing.append(entry)
            }
        }
    }
}
