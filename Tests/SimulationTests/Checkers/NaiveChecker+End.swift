// SPDX-License-Identifier: Apache-2.0

import Records
import Simulation

extension NaiveChecker {
    private func finalValue(_ offset: Int64) -> UInt64? {
        readings.first { $0.reader == -1 && $0.offset == offset }?.value
    }

    private func finalCount(_ append: Append) -> Int {
        readings.filter { $0.reader == -1 && append.values.contains($0.value) }.count
    }

    mutating func checkEnd() {
        guard let finalLog else { return }
        let start = finalLog.start.rawValue
        for append in appends {
            guard let base = append.base else { continue }
            let places = append.values.enumerated().map { (offset: base + Int64($0), value: $1) }
                .filter { $0.offset >= start || $0.offset < 0 }
            if append.acknowledged != nil {
                if places.contains(where: { finalValue($0.offset) != $0.value }) {
                    found(.lostWrite, operation: append.number)
                }
            } else if finalCount(append) > 0,
                finalCount(append)
                    < append.values.indices.filter({
                        base + Int64($0 - append.values.lowerBound) >= start
                    }).count
            {
                found(.tornAppend, operation: append.number)
            }
        }
        for reading in readings where reading.reader >= 0 {
            if reading.offset >= start || reading.offset < 0,
                finalValue(reading.offset) != reading.value
            {
                found(.dirtyRead, operation: reading.reader)
            }
        }
        for (number, operation) in history.operations.enumerated() where operation.isComplete {
            guard case .endRead(_, _, let end) = operation.kind else { continue }
            if end > finalLog.end || end < .zero { found(.dirtyRead, operation: number) }
            if let next = finalValue(end.rawValue), let last = finalValue(end.rawValue - 1),
                appends.contains(where: { $0.values.contains(next) && $0.values.contains(last) })
            {
                found(.tornAppend, operation: number)
            }
        }
    }

    mutating func checkAllWereRead() {
        let start = finalLog?.start.rawValue ?? 0
        for append in appends {
            guard let base = append.acknowledged?.base else { continue }
            for (place, value) in append.values.enumerated() where base + Int64(place) >= start {
                let isRead = readings.contains {
                    $0.reader >= 0 && $0.offset == base + Int64(place) && $0.value == value
                }
                if !isRead { found(.unseen, operation: append.number) }
            }
        }
    }

    mutating func checkTerms() {
        for append in appends {
            guard let own = append.acknowledged, own.term > 0 else { continue }
            let isBelow = appends.contains {
                $0.acknowledged.map { $0.base < own.base && $0.term > own.term } ?? false
            }
            if isBelow { found(.termFell, operation: append.number) }
        }
    }

    /// Whether one append of a producer comes before another.
    private func comes(_ left: Append, before right: Append) -> Bool {
        guard let first = left.sequence, let second = right.sequence,
            first.producer == second.producer
        else { return false }
        return (first.epoch, first.first, Int64(left.number))
            < (second.epoch, second.first, Int64(right.number))
    }

    private func end(_ append: Append) -> Int64 { (append.sequence?.first ?? 0) + append.count }

    mutating func checkSequences() {
        for append in appends {
            guard let sequence = append.sequence else { continue }
            let before = appends.filter { comes($0, before: append) }
            let epoch = before.filter { $0.sequence?.epoch == sequence.epoch }
            if let base = append.base {
                let isBehind = before.contains { ($0.base ?? .min) >= base }
                let isTwice = epoch.contains { $0.base != nil && end($0) > sequence.first }
                if isBehind || isTwice { found(.sequenceBroken, operation: append.number) }
            }
            if finalCount(append) == 0, append.outcome != .failed,
                let last = epoch.filter({ finalCount($0) > 0 }).max(by: { comes($0, before: $1) }),
                let next = appends.filter({
                    comes(append, before: $0) && $0.sequence?.epoch == sequence.epoch
                        && finalCount($0) > 0
                }).min(by: { comes($0, before: $1) }),
                end(last) <= sequence.first, end(append) <= next.sequence?.first ?? 0
            {
                found(.sequenceGap, operation: append.number)
            }
        }
    }
}
